"""Node.js: a CommonJS module with an agent, of the modules that come with Node alone."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.fitting import EVERYTHING, fit
from pinwarden.pinning.formats.literals import code_list, code_string, notes
from pinwarden.pinning.formats.nodejs_code import CODE
from pinwarden.pinning.formats.rows import Row, rows_of
from pinwarden.pinning.formats.told import reports_are_told
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import UnpinnedHosts

__all__ = ["write"]


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.cjs`, for Node.js 18 and newer."""
    policies, losses = fit(pins, EVERYTHING)
    losses += reports_are_told(policies)
    refuse = pins.unpinned_hosts is UnpinnedHosts.REFUSE
    text = CODE.replace("%REFUSE%", "true" if refuse else "false").replace(
        "%ROWS%", "\n".join(line for row in rows_of(policies) for line in _row(row))
    )
    return Export(files=(("pins.cjs", text),), losses=tuple(losses))


def _row(row: Row) -> Iterator[str]:
    for note in notes(row.policy):
        yield f"  // {note}"
    yield f"  [{code_string(row.host)}, {{"
    yield f"    includeSubdomains: {'true' if row.include_subdomains else 'false'},"
    yield f"    exclude: [{code_list(row.exclude)}],"
    yield f"    enforce: {'true' if row.enforce else 'false'},"
    yield f"    expires: {code_string(row.expires)},"
    yield f"    onExpiry: {code_string(row.on_expiry)},"
    yield f"    leaf: [{code_list(row.leaf)}],"
    yield f"    ca: [{code_list(row.ca)}],"
    yield f"    forbidden: [{code_list(row.forbidden)}],"
    yield "  }],"

"""Node.js: a CommonJS module with an agent, of the modules that come with Node alone."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.generated import generated
from pinwarden.pinning.formats.literals import code_list, code_string, notes
from pinwarden.pinning.formats.nodejs_code import CODE
from pinwarden.pinning.formats.rows import Row
from pinwarden.pinning.pinset import PinSet

__all__ = ["write"]


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.cjs`, for Node.js 18 and newer."""
    return generated("pins.cjs", CODE, pins, _row)


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

"""Go: a package that holds crypto/tls to the pins, by `VerifyConnection` and verified chains."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.generated import generated
from pinwarden.pinning.formats.go_code import CODE
from pinwarden.pinning.formats.literals import code_list, code_string, namespace, notes
from pinwarden.pinning.formats.rows import Row
from pinwarden.pinning.pinset import PinSet

__all__ = ["write"]


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.go`: a package of its own, of the standard library alone."""
    code = CODE.replace("%PACKAGE%", namespace(writing.package, "pins"))
    return generated("pins.go", code, pins, _row)


def _row(row: Row) -> Iterator[str]:
    for note in notes(row.policy):
        yield f"\t// {note}"
    yield f"\t{code_string(row.host)}: {{"
    yield f"\t\tincludeSubdomains: {'true' if row.include_subdomains else 'false'},"
    yield f"\t\texclude:           {_strings(row.exclude)},"
    yield f"\t\tenforce:           {'true' if row.enforce else 'false'},"
    yield f"\t\texpires:           {code_string(row.expires)},"
    yield f"\t\tonExpiry:          {code_string(row.on_expiry)},"
    yield f"\t\tleaf:              {_strings(row.leaf)},"
    yield f"\t\tca:                {_strings(row.ca)},"
    yield f"\t\tforbidden:         {_strings(row.forbidden)},"
    yield "\t},"


def _strings(texts: tuple[str, ...]) -> str:
    return f"[]string{{{code_list(texts)}}}" if texts else "nil"

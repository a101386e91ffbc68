"""C#: a class with the certificate callback of SslStream and HttpClient."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.dotnet_code import CODE
from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.generated import generated
from pinwarden.pinning.formats.literals import code_list, code_string, namespace, notes
from pinwarden.pinning.formats.rows import Row
from pinwarden.pinning.pinset import PinSet

__all__ = ["write"]


def write(pins: PinSet, writing: Writing) -> Export:
    """`Pins.cs`, for .NET 5 and newer; without its handler also for .NET Framework and Mono."""
    code = CODE.replace("%NAMESPACE%", namespace(writing.package, "Pins", dotted=True))
    return generated("Pins.cs", code, pins, _row)


def _row(row: Row) -> Iterator[str]:
    for note in notes(row.policy):
        yield f"            // {note}"
    yield f"            [{code_string(row.host)}] = new Policy"
    yield "            {"
    yield f"                IncludeSubdomains = {'true' if row.include_subdomains else 'false'},"
    yield f"                Exclude = {_strings(row.exclude)},"
    yield f"                Enforce = {'true' if row.enforce else 'false'},"
    yield f"                Expires = {code_string(row.expires)},"
    yield f"                OnExpiry = {code_string(row.on_expiry)},"
    yield f"                Leaf = {_strings(row.leaf)},"
    yield f"                Ca = {_strings(row.ca)},"
    yield f"                Forbidden = {_strings(row.forbidden)},"
    yield "            },"


def _strings(texts: tuple[str, ...]) -> str:
    return f"new string[] {{ {code_list(texts)} }}" if texts else "new string[0]"

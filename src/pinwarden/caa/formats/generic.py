"""Lines of a zone file for programs that do not know CAA (RFC 3597 section 5)."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.presentation import to_generic


def _render(sets: Sequence[RecordSet]) -> str:
    lines = [
        f"{each.name}. {each.ttl} IN TYPE257 {to_generic(record)}"
        for each in sets
        for record in each.records
    ]
    return "\n".join(lines) + "\n"


FORM = Form(
    name="generic",
    description="zone file with TYPE257: servers that do not know CAA, Windows DNS",
    safe=True,
    render=_render,
    traps=("raise the serial of the zone's SOA record, then reload",),
)

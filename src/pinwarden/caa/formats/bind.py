"""Lines of a zone file (RFC 1035 section 5.1, RFC 8659 section 4.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.presentation import to_presentation


def _render(sets: Sequence[RecordSet]) -> str:
    lines = [
        f"{each.name}. {each.ttl} IN CAA {to_presentation(record)}"
        for each in sets
        for record in each.records
    ]
    return "\n".join(lines) + "\n"


FORM = Form(
    name="bind",
    description="zone file: BIND, NSD, Knot DNS, PowerDNS, and most imports",
    safe=True,
    render=_render,
    traps=("raise the serial of the zone's SOA record, then reload",),
)

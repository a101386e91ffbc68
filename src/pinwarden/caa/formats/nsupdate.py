"""A script for nsupdate (RFC 2136), the most portable way to apply a change at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.presentation import to_presentation


def _render(sets: Sequence[RecordSet]) -> str:
    lines = []
    for zone, members in groupby(sorted(sets, key=lambda each: each.zone), lambda each: each.zone):
        named = list(members)
        # Where the zone is only supposed, nsupdate finds it through the SOA record.
        if any(each.name != zone for each in named) or len(named) > 1:
            lines.append(f"zone {zone}.")
        for each in named:
            lines.append(f"update delete {each.name}. CAA")
            lines += [
                f"update add {each.name}. {each.ttl} CAA {to_presentation(record)}"
                for record in each.records
            ]
        lines.append("send")
    return "\n".join(lines) + "\n"


FORM = Form(
    name="nsupdate",
    description="DNS update: a script for nsupdate -k KEYFILE",
    safe=True,
    render=_render,
    traps=("it replaces all CAA records of the name, in one transaction for each zone",),
)

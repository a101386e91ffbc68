"""Bodies for PATCH to a zone of PowerDNS's HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.formats.json_text import json_document
from pinwarden.caa.presentation import to_presentation


def _rrset(each: RecordSet) -> dict[str, object]:
    return {
        "name": f"{each.name}.",
        "type": "CAA",
        "ttl": each.ttl,
        "changetype": "REPLACE",
        "records": [
            {"content": to_presentation(record), "disabled": False} for record in each.records
        ],
    }


def _render(sets: Sequence[RecordSet]) -> str:
    ordered = sorted(sets, key=lambda each: each.zone)
    return "".join(
        json_document({"rrsets": [_rrset(each) for each in members]})
        for _, members in groupby(ordered, lambda each: each.zone)
    )


FORM = Form(
    name="powerdns",
    description="PowerDNS: bodies for PATCH to /api/v1/servers/localhost/zones/ZONE",
    safe=True,
    render=_render,
    traps=("REPLACE replaces all CAA records of the name",),
)

"""A change batch for `aws route53 change-resource-record-sets --change-batch file://…`."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet, text_of
from pinwarden.caa.formats.json_text import json_document
from pinwarden.caa.record import CAARecord
from pinwarden.errors import ConfigError

# A change batch's limits: changes, and characters of all values together.
_CHANGES_LIMIT = 1000
_VALUES_LIMIT = 32_000


def route53_value(record: CAARecord) -> str:
    """`flags tag "value"`; raises `ConfigError` for what Route 53 has no sure form for."""
    # Route 53 writes odd octets in octal, zone files in decimal: neither is safe to guess at.
    tag, value = text_of(record, "route53", without='"\\')
    return f'{record.flags} {tag} "{value}"'


def _change(each: RecordSet) -> dict[str, object]:
    return {
        "Action": "UPSERT",
        "ResourceRecordSet": {
            "Name": f"{each.name}.",
            "Type": "CAA",
            "TTL": each.ttl,
            "ResourceRecords": [{"Value": route53_value(record)} for record in each.records],
        },
    }


def _render(sets: Sequence[RecordSet]) -> str:
    # An UPSERT counts twice against both limits.
    values = sum(len(route53_value(record)) for each in sets for record in each.records)
    if 2 * len(sets) > _CHANGES_LIMIT or 2 * values > _VALUES_LIMIT:
        raise ConfigError("form route53: too much for one change batch", hint="give fewer names")
    return json_document({"Changes": [_change(each) for each in sets]})


FORM = Form(
    name="route53",
    description="Amazon Route 53: JSON for aws route53 change-resource-record-sets",
    safe=True,
    render=_render,
    traps=("UPSERT replaces all CAA records of the name",),
)

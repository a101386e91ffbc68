"""A change batch for `aws route53 change-resource-record-sets --change-batch file://…`."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet, text_of
from pinwarden.caa.formats.json_text import json_document
from pinwarden.caa.record import CAARecord
from pinwarden.errors import ConfigError

# A change batch's limits: values, characters of all values together, and of one.
_VALUES_LIMIT = 1000
_CHARACTERS_LIMIT = 32_000
_VALUE_LIMIT = 4000


def route53_value(record: CAARecord) -> str:
    """`flags tag "value"`; raises `ConfigError` for what Route 53 has no sure form for."""
    # Route 53 writes odd octets in octal, zone files in decimal: neither is safe to guess at.
    tag, value = text_of(record, "route53", without='"\\')
    text = f'{record.flags} {tag} "{value}"'
    if len(text) > _VALUE_LIMIT:
        raise ConfigError(f"form route53: a value has more than {_VALUE_LIMIT} characters")
    return text


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
    values = [route53_value(record) for each in sets for record in each.records]
    # Every value of an UPSERT counts twice against both limits.
    if 2 * len(values) > _VALUES_LIMIT or 2 * sum(map(len, values)) > _CHARACTERS_LIMIT:
        raise ConfigError("form route53: too much for one change batch", hint="give fewer names")
    return json_document({"Changes": [_change(each) for each in sets]})


FORM = Form(
    name="route53",
    description="Amazon Route 53: JSON for aws route53 change-resource-record-sets",
    safe=True,
    render=_render,
    traps=("UPSERT replaces all CAA records of the name",),
)

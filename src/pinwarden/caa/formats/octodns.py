"""YAML for octoDNS's YamlProvider, one file a zone: values are mappings, not strings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from pinwarden.caa.formats.form import Form, RecordSet, text_of
from pinwarden.caa.formats.json_text import json_string


def _lines(each: RecordSet) -> Iterator[str]:
    yield f"{json_string(each.label)}:"
    # Keys in the order that `enforce_order`, the default, wants.
    yield f"  ttl: {each.ttl}"
    yield "  type: CAA"
    yield "  values:"
    for record in each.records:
        # octoDNS writes values to zone files as they are, between quotation marks.
        tag, value = text_of(record, "octodns", without='"\\')
        yield f"    - flags: {record.flags}"
        yield f"      tag: {json_string(tag)}"
        yield f"      value: {json_string(value)}"


def _order(each: RecordSet) -> tuple[str, list[tuple[int, str]]]:
    # Names with numbers by the number, as `enforce_order` has them: text and number in turns,
    # and what begins with a number has no text before it.
    pieces = re.split(r"([0-9]+)", each.label)
    return each.zone, [(int(p), "") if p.isdigit() else (0, p) for p in pieces]


def _render(sets: Sequence[RecordSet]) -> str:
    documents = []
    for zone, members in groupby(sorted(sets, key=_order), key=lambda each: each.zone):
        lines = [f"# {zone}.yaml", "---"]
        for each in members:
            lines.extend(_lines(each))
        documents.append("\n".join(lines) + "\n")
    return "\n".join(documents)


FORM = Form(
    name="octodns",
    description="octoDNS: YAML for the file of the zone",
    safe=False,
    render=_render,
    traps=(
        "a name with other records already has a list there: add this one to it",
        "a provider of octoDNS may need a newer release to take parameters after a semicolon",
        "with octoDNS's templating processor write { and } of a value twice",
    ),
)

"""Lines for tinydns-data: `:name:257:octets:ttl`, octets that are not plain in octal."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.record import to_rdata


def _octet(octet: int) -> str:
    character = chr(octet)
    # A colon ends the field, and blanks at the end of a line are dropped.
    plain = character.isascii() and (character.isalnum() or character in "-./=@")
    return character if plain else f"\\{octet:03o}"


def _render(sets: Sequence[RecordSet]) -> str:
    lines = [
        f":{each.name}:257:{''.join(map(_octet, to_rdata(record)))}:{each.ttl}"
        for each in sets
        for record in each.records
    ]
    return "\n".join(lines) + "\n"


FORM = Form(
    name="tinydns",
    description="tinydns-data of djbdns: lines for the file `data`",
    safe=True,
    render=_render,
    traps=("a TTL of 0 would make tinydns take the line for one that expires",),
)

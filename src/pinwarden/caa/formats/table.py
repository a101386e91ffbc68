"""The fields one by one, to be typed into a provider's web page."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet, text_of

_HEAD = ("name", "type", "TTL", "flags", "tag", "value")


def _render(sets: Sequence[RecordSet]) -> str:
    rows: list[tuple[str, ...]] = [_HEAD]
    for each in sets:
        for record in each.records:
            tag, value = text_of(record, "table")
            rows.append((each.name, "CAA", str(each.ttl), str(record.flags), tag, value))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    padded = (
        [cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]
        for row in rows
    )
    return "".join("  ".join(cells) + "\n" for cells in padded)


FORM = Form(
    name="table",
    description="web forms: name, flags, tag and value to type in, without quotation marks",
    safe=False,
    render=_render,
    traps=(
        "some pages want the value in quotation marks and some publish them: verify afterwards",
        "some pages set flags to 0, cut a value at a semicolon or refuse blanks: verify afterwards",
    ),
)

"""The JSON of crt.sh: one row a log entry, as far as it can be read.

Rows say no key and no hash. `name_value` holds every identity of the certificate that the
search met, one a line: DNS names, but also names of organisations and addresses for mail.
Times have no zone and are UTC.
"""

from __future__ import annotations

import msgspec

from pinwarden.errors import MalformedError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.names import VALUE_LIMIT, ip_reading, is_plain_name
from pinwarden.net.history.moments import read_moment
from pinwarden.net.history.told_names import ToldNames

__all__ = ["parse_rows"]

_MOST_NAMES = 10_000
_MOST_DROPPED_SHOWN = 3
_LONGEST_ID = 20


class _Row(msgspec.Struct, gc=False):
    issuer_name: str
    not_before: str
    not_after: str
    name_value: str = ""
    common_name: str | None = None
    id: int | str | None = None
    entry_timestamp: str | None = None
    serial_number: str | None = None


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Row, strict=False)


def parse_rows(body: bytes, base: str) -> tuple[list[PastIssuance], list[str]]:
    """Every row of an answer, and why each that cannot be read cannot.

    `base` is the URL that an id is looked up at. Raises `MalformedError` where the answer
    is not a list of JSON at all, such as a page that says that the server is busy.
    """
    try:
        rows = _rows.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        shown = " ".join(body[:200].decode("utf-8", "replace").split())
        raise MalformedError(
            f"answered with something that is no JSON list: {quoted(shown, 80)}"
        ) from None
    issuances, problems, reader = [], [], ToldNames()
    for number, raw in enumerate(rows, 1):
        try:
            issuances.append(_issuance(_row.decode(raw), base, reader))
        except (msgspec.MsgspecError, MalformedError, ValueError, RecursionError) as error:
            problems.append(f"row {number}: {quoted(str(error))[1:-1]}")
    return issuances, problems


def _issuance(row: _Row, base: str, reader: ToldNames) -> PastIssuance:
    lines = [row.common_name or "", *row.name_value.split("\n", _MOST_NAMES)]
    names, dropped = _names(lines, reader)
    return PastIssuance(
        names=names,
        issuer=row.issuer_name,
        not_before=read_moment(row.not_before),
        not_after=read_moment(row.not_after),
        source="crtsh",
        reference=f"{base}?id={row.id}" if _is_number(row.id) else "",
        serial=_serial(row.serial_number or ""),
        seen=read_moment(row.entry_timestamp) if row.entry_timestamp else None,
        problems=_told(dropped),
    )


def _told(dropped: list[str]) -> tuple[str, ...]:
    if not dropped:
        return ()
    shown = ", ".join(quoted(each, 60) for each in dropped[:_MOST_DROPPED_SHOWN])
    more = len(dropped) - _MOST_DROPPED_SHOWN
    return (f"not DNS names: {shown}" + (f" and {more} more" if more > 0 else ""),)


def _names(lines: list[str], reader: ToldNames) -> tuple[tuple[str, ...], list[str]]:
    """DNS names and addresses, and what is neither."""
    names: dict[str, None] = {}
    dropped: dict[str, None] = {}
    for line in lines:
        text = line.strip()
        if not text:
            continue
        plain = reader.plain(text)
        if plain is not None:
            names[plain] = None
        elif (address := ip_reading(text)) is not None:
            names[str(address)] = None
        elif read := _dns_names(text, reader):
            names.update(dict.fromkeys(read))
        else:
            dropped[text] = None
    return tuple(names), list(dropped)


def _dns_names(text: str, reader: ToldNames) -> list[str]:
    """Nothing for an organisation or a mailbox; a name of one label is as likely the former."""
    if len(text) > VALUE_LIMIT or "@" in text or any(map(str.isspace, text)):
        return []
    found = (each for each in reader.read(text) if "." in each)
    return sorted(each for each in found if is_plain_name(each.encode()))


def _serial(text: str) -> str:
    """As we write it: hexadecimal, lower case, without zeros in front."""
    digits = text.strip().lower()
    if not digits:
        return ""
    if not all(each in "0123456789abcdef" for each in digits):
        raise MalformedError(f"serial_number {quoted(text, 80)} is not hexadecimal")
    return digits.lstrip("0") or "0"


def _is_number(value: int | str | None) -> bool:
    text = str(value)
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID

r"""CAA records as text: presentation form (RFC 8659 section 4.1.1) and generic form (RFC 3597)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pinwarden.caa.record import BrokenRecord, CAARecord, read_rdata, to_rdata
from pinwarden.caa.zone.master import Word, octets, words_of_line
from pinwarden.errors import MalformedError, quoted

GENERIC_MARK = "\\#"

_NUMBER = re.compile(r"[0-9]{1,10}")
_QUOTE_IT = 'write the value in double quotes: 0 issue "ca.example"'
_ORDER = 'write flags, tag and value: 0 issue "ca.example"'


def parse_presentation(text: str) -> CAARecord:
    r"""The record in text such as `0 issue "ca.example"` or `\# 4 0001 6101`.

    Takes quoted and unquoted values, the escapes `\DDD` and `\X`, and consumes the
    whole text. A semicolon outside quotes is refused, since in a zone file it begins a
    comment. Raises `MalformedError`, also for generic RDATA that is no CAA record.
    """
    record = read_presentation(text)
    if isinstance(record, BrokenRecord):
        raise MalformedError(f"CAA record {quoted(text)}: {record.problem}")
    return record


def read_presentation(text: str) -> CAARecord | BrokenRecord:
    """As `parse_presentation`, but generic RDATA that is no CAA record is a broken one."""
    subject = f"CAA record {quoted(text)}"
    if "\n" in text:
        raise MalformedError(f"{subject}: has more than one line")
    words, comment = words_of_line(text)
    if comment is not None:
        raise MalformedError(
            f"{subject}: has a semicolon outside quotes, which begins a comment", hint=_QUOTE_IT
        )
    return read_words(words, subject)


def read_words(words: Sequence[Word], subject: str) -> CAARecord | BrokenRecord:
    """The record in the words after the type of a line in a zone file.

    Raises `MalformedError`, beginning with `subject`; see `read_presentation`.
    """
    if words and words[0] == Word(GENERIC_MARK):
        return read_rdata(generic_octets(words, subject))
    flags = _flags(words, subject)
    if len(words) < 3:
        missing = "value" if len(words) == 2 else "tag and no value"
        raise MalformedError(f"{subject}: has no {missing}", hint=_ORDER)
    if len(words) > 3:
        what = quoted(words[3].text)
        raise MalformedError(f"{subject}: goes on with {what} after the value", hint=_QUOTE_IT)
    try:
        record = CAARecord(flags, octets(words[1]), octets(words[2]))
        to_rdata(record)
    except MalformedError as error:
        raise MalformedError(f"{subject}: {error}", hint=error.hint) from error
    return record


def _flags(words: Sequence[Word], subject: str) -> int:
    if not words:
        raise MalformedError(f"{subject}: is empty", hint=_ORDER)
    word = words[0]
    if word.quoted or not _NUMBER.fullmatch(word.text) or int(word.text) > 0xFF:
        raise MalformedError(
            f"{subject}: flags {quoted(word.text)} are not a number from 0 to 255", hint=_ORDER
        )
    return int(word.text)


def generic_octets(words: Sequence[Word], subject: str) -> bytes:
    r"""The RDATA in `\# length hex...` (RFC 3597 section 5), whatever its type.

    Raises `MalformedError`, beginning with `subject`.
    """
    length = words[1].text if len(words) > 1 else ""
    if not _NUMBER.fullmatch(length) or any(word.quoted for word in words):
        raise MalformedError(f"{subject}: generic form has no length after {GENERIC_MARK}")
    digits = "".join(word.text for word in words[2:])
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", digits):
        raise MalformedError(f"{subject}: generic form is not pairs of hexadecimal digits")
    if len(digits) != 2 * int(length):
        raise MalformedError(
            f"{subject}: generic form has {len(digits) // 2} octets, its length says {length}"
        )
    return bytes.fromhex(digits)


def to_presentation(record: CAARecord) -> str:
    r"""The text of a record for a zone file, its value always quoted.

    Octets that are not printable ASCII are written `\DDD`; the tag is as published.
    """
    tag = "".join(map(_tag_character, record.tag))
    value = "".join(map(_value_character, record.value))
    return f'{record.flags} {tag} "{value}"'


def _tag_character(octet: int) -> str:
    character = chr(octet)
    plain = octet < 0x80 and (character.isalnum() or character in "-_")
    return character if plain else f"\\{octet:03}"


def _value_character(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03}"


def to_generic(record: CAARecord | BrokenRecord) -> str:
    r"""The text of a record in generic form (RFC 3597 section 5), `\# 22 00056973...`."""
    rdata = record.rdata if isinstance(record, BrokenRecord) else to_rdata(record)
    return f"{GENERIC_MARK} {len(rdata)} {rdata.hex().upper()}".rstrip(" ")

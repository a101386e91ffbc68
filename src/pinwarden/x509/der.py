"""Bounded reading of BER/DER elements, and writing of DER headers (X.690).

Tolerant where tolerance hides nothing (lengths that are not minimal, strings
in pieces), and refusing where it would: an indefinite length or an element
that runs past its parent is an error. Nothing here recurses, so the depth of
hostile input costs no stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pinwarden.errors import MalformedError

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OID = 0x06
SEQUENCE = 0x30
SET = 0x31

_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F
_TAG_OCTETS = 4
# No OID in use comes near; the bound keeps the decimal arcs small.
_OID_LIMIT = 128


class TLV(NamedTuple):
    """One element: its tag, where its content lies, and where its header begins.

    A tag number below 31 gives the usual one-octet tag, however it was encoded.
    """

    tag: int
    start: int
    end: int
    header_start: int


# A certificate has a hundred: TLV(...) would go through a function of Python's.
_element = tuple.__new__


def read_tlv(data: bytes, pos: int, end: int) -> TLV:
    """The element that begins at `pos` and must end by `end` (X.690 section 8.1)."""
    at = pos + 2
    if at > end:
        raise MalformedError(f"element at offset {pos}: is cut off")
    tag, length = data[pos], data[pos + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        tag, at = _high_tag(data, pos, end)
        length = data[at]
        at += 1
    if length >= 0x80:
        if length == 0x80:
            raise MalformedError(f"element at offset {pos}: has an indefinite length")
        octets = length & 0x7F
        length = int.from_bytes(data[at : min(at + octets, end)], "big")
        at += octets
    if length > end - at:
        raise MalformedError(f"element at offset {pos}: runs past the end of what holds it")
    return _element(TLV, (tag, at, at + length, pos))


def _high_tag(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """A tag number in its own octets (X.690 section 8.1.2.4), and where the length is."""
    first, number, at = data[pos], 0, pos + 1
    for _ in range(_TAG_OCTETS):
        if at + 1 >= end:
            raise MalformedError(f"element at offset {pos}: is cut off")
        octet = data[at]
        number = number << 7 | octet & 0x7F
        at += 1
        if octet < 0x80:
            bits = first & ~_HIGH_TAG
            # OpenSSL reads the long form of a small tag number as that tag.
            return (bits | number if number < _HIGH_TAG else bits << 32 | number), at
    raise MalformedError(f"element at offset {pos}: has a tag of more than {_TAG_OCTETS} octets")


def children(data: bytes, start: int, end: int) -> Iterator[TLV]:
    """The elements that fill `data[start:end]`; raises where they stop making sense."""
    while start < end:
        at = start + 2
        if at <= end:
            tag, length = data[start], data[start + 1]
            # Nearly all have such a header; read_tlv has the rules for all.
            if length < 0x80 and tag & _HIGH_TAG != _HIGH_TAG and at + length <= end:
                yield _element(TLV, (tag, at, at + length, start))
                start = at + length
                continue
        tlv = read_tlv(data, start, end)
        yield tlv
        start = tlv.end


def octets(data: bytes, tlv: TLV) -> bytes:
    """The content of a string, put together if it comes in pieces (X.690 section 8.7)."""
    if not tlv.tag & _CONSTRUCTED:
        return data[tlv.start : tlv.end]
    pieces: list[bytes] = []
    position, ends = tlv.start, [tlv.end]
    while ends:
        if position == ends[-1]:
            ends.pop()
            continue
        piece = read_tlv(data, position, ends[-1])
        if piece.tag & _CONSTRUCTED:
            position = piece.start
            ends.append(piece.end)
        else:
            pieces.append(data[piece.start : piece.end])
            position = piece.end
    return b"".join(pieces)


@lru_cache(maxsize=1024)
def oid_text(content: bytes) -> str:
    """An object identifier in dotted decimal; padding of its arcs is dropped."""
    if not content or len(content) > _OID_LIMIT or content[-1] >= 0x80:
        raise MalformedError("object identifier: is empty, too long or cut off")
    arcs: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def encode_tlv(tag: int, content: bytes) -> bytes:
    """One element in DER: the shortest definite length (X.690 section 10.1)."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


class _Reading:
    """See `reading`; a generator would cost as much as what is read in it."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MalformedError):
            raise MalformedError(f"{self._what}: {error}") from error


def reading(what: str) -> _Reading:
    """A context that says in any `MalformedError` from inside what was being read."""
    return _Reading(what)

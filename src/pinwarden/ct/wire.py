"""The plain encodings that Certificate Transparency is written in.

Big-endian numbers and vectors behind their length (the presentation language of
RFC 5246 section 4), base64 without second spellings, milliseconds since 1970.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime, timedelta

from pinwarden.errors import MalformedError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reader:
    """Reads `data` from left to right and raises `MalformedError` at its end.

    `what` names the structure in error messages. Whoever is done calls
    `finish`: bytes after the end are a hiding place.
    """

    __slots__ = ("_data", "_end", "_pos", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._end = len(data)
        self._pos = 0
        self._what = what

    @property
    def remaining(self) -> int:
        """The number of bytes not yet read."""
        return self._end - self._pos

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self._pos
        stop = start + count
        if count < 0 or stop > self._end:
            raise MalformedError(
                f"{self._what} ends too early: {count} bytes wanted at offset {start}, "
                f"{self._end - start} left"
            )
        self._pos = stop
        return self._data[start:stop]

    def uint(self, size: int) -> int:
        """The next `size` bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def u8(self) -> int:
        """An 8-bit number."""
        return self.uint(1)

    def u16(self) -> int:
        """A 16-bit number."""
        return self.uint(2)

    def u24(self) -> int:
        """A 24-bit number."""
        return self.uint(3)

    def u40(self) -> int:
        """A 40-bit number."""
        return self.uint(5)

    def u64(self) -> int:
        """A 64-bit number."""
        return self.uint(8)

    def vector(self, prefix_size: int) -> bytes:
        """The contents of a vector whose length stands in `prefix_size` bytes."""
        return self.take(self.uint(prefix_size))

    def finish(self) -> None:
        """Raises `MalformedError` if anything is left."""
        if self._pos != self._end:
            raise MalformedError(f"{self._what} has {self._end - self._pos} bytes after its end")


def uint(value: int, size: int) -> bytes:
    """`value` in exactly `size` bytes; raises `MalformedError` if it does not fit."""
    try:
        return value.to_bytes(size, "big")
    except OverflowError as error:
        raise MalformedError(f"number {value} does not fit into {size} bytes") from error


def vector(data: bytes, prefix_size: int) -> bytes:
    """`data` behind its length in `prefix_size` bytes; raises `MalformedError` if too long."""
    return uint(len(data), prefix_size) + data


def decode_base64(text: str | bytes, what: str) -> bytes:
    """Base64 with its padding and in its one canonical spelling (RFC 4648 sections 3.5 and 4).

    Otherwise one signed statement would have many texts. Raises `MalformedError`.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        data = binascii.a2b_base64(raw, strict_mode=True)
    except ValueError as error:
        raise MalformedError(f"{what} is not base64") from error
    if encode_base64(data).encode() != raw:
        raise MalformedError(f"{what} is not canonical base64")
    return data


def encode_base64(data: bytes) -> str:
    """The inverse of `decode_base64`."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def parse_timestamp(milliseconds: int, what: str) -> datetime:
    """A time on the wire (RFC 6962 section 3.2) as an aware one; raises `MalformedError`."""
    try:
        return _EPOCH + timedelta(0, 0, 0, milliseconds)
    except OverflowError as error:
        raise MalformedError(f"{what} is no time: {milliseconds} ms since 1970") from error

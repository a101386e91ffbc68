"""Reading a body from a server that may be hostile: bounded before and after inflating.

The library's automatic decompression is not used, because it inflates
without a limit of ours: 200 kB on the wire can become 200 MB in memory.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from pinwarden.errors import MalformedError, quoted

_GZIP_WINDOW = 31
# RFC 1952, section 2.2 lets members follow each other. A body of very many
# tiny members would cost a copy of the rest for each of them.
_MOST_MEMBERS = 8


class ByteStream(Protocol):
    """What of a stream is needed: whatever has arrived, or nothing at the end."""

    async def readany(self) -> bytes:
        """The next bytes."""


class TooLargeError(Exception):
    """The body is larger than the caller allows."""


class TruncatedError(Exception):
    """A compressed body ends before its end."""


async def read_bounded(stream: ByteStream, max_bytes: int) -> bytes:
    """The whole stream. Raises TooLargeError as soon as it exceeds `max_bytes`."""
    first = await stream.readany()
    chunks = [first]
    size = len(first)
    while chunk := await stream.readany():
        size += len(chunk)
        if size > max_bytes:
            break
        chunks.append(chunk)
    if size > max_bytes:
        raise TooLargeError
    return first if len(chunks) == 1 else b"".join(chunks)


def decode_body(wire: bytes, content_encoding: str | None, max_bytes: int) -> bytes:
    """The body without its Content-Encoding (RFC 9110, section 8.4).

    Raises TooLargeError, TruncatedError, or MalformedError for an encoding
    that nobody asked for or that is broken.
    """
    encoding = (content_encoding or "identity").strip().lower()
    if encoding in {"identity", ""}:
        return wire
    if encoding in {"gzip", "x-gzip"}:
        return gunzip(wire, max_bytes)
    raise MalformedError(f"content encoding {quoted(encoding, 40)} was not asked for")


def gunzip(wire: bytes, max_bytes: int) -> bytes:
    """Inflate a gzip body to at most `max_bytes`; raises as `decode_body` does."""
    parts: list[bytes] = []
    room = max_bytes
    for _ in range(_MOST_MEMBERS):
        inflater = zlib.decompressobj(_GZIP_WINDOW)
        try:
            plain = inflater.decompress(wire, room + 1)
        except zlib.error as error:
            raise MalformedError(f"gzip body is broken: {error}") from None
        if len(plain) > room:
            raise TooLargeError
        if not inflater.eof:
            raise TruncatedError
        parts.append(plain)
        room -= len(plain)
        wire = inflater.unused_data
        if not wire:
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise MalformedError(f"gzip body has more than {_MOST_MEMBERS} members")

"""Octets into TLS records, and records into handshake messages: TLS 1.2 and 1.3 alike."""

from __future__ import annotations

from enum import IntEnum

from pinwarden.errors import MalformedError, quoted

__all__ = ["ContentType", "HandshakeMessages", "Records", "encode_message", "encode_record"]

_HEADER = 5
# RFC 8446 section 5.2: the most that an encrypted record holds; RFC 5246 would allow more.
_LONGEST_RECORD = (1 << 14) + 256
# Chains come in a dozen records. Each costs work, which a server could ask for without end.
_MOST_RECORDS = 4096
_MOST_MESSAGE = 1 << 20


class ContentType(IntEnum):
    """What a record carries (RFC 8446 section 5.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


def encode_record(kind: ContentType, body: bytes, version: int = 0x0303) -> bytes:
    """One TLSPlaintext record."""
    return bytes([kind]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def encode_message(kind: int, body: bytes) -> bytes:
    """One handshake message (RFC 8446 section 4)."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


class Records:
    """Cuts what a server sends into records."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._count = 0

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._data += data

    def next(self) -> tuple[ContentType, bytes, bytes] | None:
        """Content type, header and body of the next whole record; raises `MalformedError`."""
        data = self._data
        if data and data[0] not in _TYPES:
            raise MalformedError(f"is no TLS, but {quoted(bytes(data[:8]))}")
        if len(data) < _HEADER:
            return None
        if data[1] != 3:
            raise MalformedError(f"a record is of version {data[1]}.{data[2]}")
        size = int.from_bytes(data[3:_HEADER], "big")
        if size > _LONGEST_RECORD:
            raise MalformedError(f"a record has {size} octets")
        if len(data) < _HEADER + size:
            return None
        self._count += 1
        if self._count > _MOST_RECORDS:
            raise MalformedError(f"there are more than {_MOST_RECORDS} records")
        header, body = bytes(data[:_HEADER]), bytes(data[_HEADER : _HEADER + size])
        del data[: _HEADER + size]
        return ContentType(header[0]), header, body


_TYPES = frozenset(ContentType)


class HandshakeMessages:
    """Puts handshake messages together, however they are spread over records."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def between(self) -> bool:
        """Whether nothing of a further message has arrived."""
        return not self._data

    def feed(self, body: bytes) -> None:
        """Take the contents of a record; raises `MalformedError`."""
        # RFC 8446 section 5.1 and RFC 5246 section 6.2.1: never empty.
        if not body:
            raise MalformedError("a record of the handshake is empty")
        self._data += body

    def next(self) -> tuple[int, bytes] | None:
        """Type and octets, header included, of the next whole message.

        Raises `MalformedError`.
        """
        data = self._data
        if len(data) < 4:
            return None
        size = int.from_bytes(data[1:4], "big")
        if size > _MOST_MESSAGE:
            raise MalformedError(f"a handshake message has {size} octets")
        if len(data) < 4 + size:
            return None
        whole = bytes(data[: 4 + size])
        del data[: 4 + size]
        return whole[0], whole

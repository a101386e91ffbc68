"""The few messages of PostgreSQL's protocol that the relay speaks or changes.

PostgreSQL documentation, "Message Formats" (SSLRequest, ErrorResponse,
AuthenticationSASL).
"""

from __future__ import annotations

import socket
import struct

from pinwarden.names import display

__all__ = ["NoTLSError", "WithoutChannelBinding", "ask_for_tls", "refusal"]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
# sqlclient_unable_to_establish_sqlconnection
_STATE = "08001"
_LONGEST = 2000
_LONGEST_OPENING = 1 << 16
_SASL = struct.pack("!i", 10)
_CHANNEL_BINDING = b"-PLUS"


class NoTLSError(ValueError):
    """The server will not speak TLS."""


def ask_for_tls(connection: socket.socket) -> None:
    """Send SSLRequest and read the one byte of its answer; raises `NoTLSError` unless it is S.

    One byte and no more: what an attacker put behind it would be taken for the first
    message that came through TLS (CVE-2021-23222).
    """
    connection.sendall(_SSL_REQUEST)
    answer = connection.recv(1)
    if answer != b"S":
        raise NoTLSError("the PostgreSQL server does not speak TLS")


def refusal(message: str) -> bytes:
    """An ErrorResponse with which a connection ends."""
    fields = {"S": "FATAL", "V": "FATAL", "C": _STATE, "M": display(message, _LONGEST)}
    body = b"".join(
        key.encode() + value.encode("utf-8", "replace") + b"\0" for key, value in fields.items()
    )
    return b"E" + struct.pack("!i", len(body) + 5) + body + b"\0"


class WithoutChannelBinding:
    """What a server says, without its offer of channel binding (RFC 5802 section 6).

    The client has no TLS to bind to, and libpq ends a connection on which that is offered
    all the same. Only messages up to the first about authentication are looked into.
    """

    def __init__(self) -> None:
        self._kept: bytes | None = b""

    def feed(self, data: bytes) -> bytes:
        """What to hand on; an incomplete message is kept for the next time."""
        if self._kept is None:
            return data
        rest, done = self._kept + data, b""
        while len(rest) >= 5:
            kind, length = rest[:1], int.from_bytes(rest[1:5])
            # NoticeResponse and NegotiateProtocolVersion may stand before it.
            if kind not in (b"R", b"N", b"v") or not 4 <= length <= _LONGEST_OPENING:
                self._kept = None
                return done + rest
            if len(rest) <= length:
                break
            message, rest = rest[: length + 1], rest[length + 1 :]
            if kind == b"R":
                self._kept = None
                return done + _without_binding(message) + rest
            done += message
        self._kept = rest
        return done


def _without_binding(message: bytes) -> bytes:
    code, listed = message[5:9], message[9:]
    if code != _SASL:
        return message
    offered = [each for each in listed.split(b"\0") if each]
    kept = [each + b"\0" for each in offered if not each.endswith(_CHANNEL_BINDING)]
    if len(kept) == len(offered):
        return message
    body = code + b"".join(kept) + b"\0"
    return message[:1] + struct.pack("!i", len(body) + 4) + body

"""The few messages of PostgreSQL's protocol that stand before TLS and before a refusal.

PostgreSQL documentation, "Message Formats" (SSLRequest, ErrorResponse).
"""

from __future__ import annotations

import socket
import struct

from pinwarden.names import display

__all__ = ["NoTLSError", "ask_for_tls", "refusal"]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
# sqlclient_unable_to_establish_sqlconnection
_STATE = "08001"
_LONGEST = 2000


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

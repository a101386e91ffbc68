"""Servers on loopback with which no handshake comes about, each for a reason of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 20.0
_PAUSE = 0.02
_VERSION = b"\x03\x03"
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _CERTIFICATE = 2, 11
# RFC 5246 section 7.2: fatal, handshake_failure.
_HANDSHAKE_FAILURE = b"\x02\x28"
# TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no session, secure renegotiation (RFC 5746).
_HELLO_BODY = _VERSION + bytes(range(32)) + b"\0" + b"\xc0\x2b" + b"\0" + b"\0\5\xff\1\0\1\0"

Behaviour = Callable[[socket.socket, threading.Event], None]


def record(kind: int, body: bytes) -> bytes:
    """One TLSPlaintext (RFC 8446 section 5.1)."""
    return bytes([kind]) + _VERSION + len(body).to_bytes(2, "big") + body


def message(kind: int, body: bytes) -> bytes:
    """One handshake message (RFC 8446 section 4)."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def _hello() -> bytes:
    return record(_HANDSHAKE, message(_SERVER_HELLO, _HELLO_BODY))


def _endless(visitor: socket.socket, over: threading.Event) -> None:
    """A Certificate message of 90 kB, of which one octet comes at a time."""
    visitor.sendall(_hello())
    visitor.sendall(record(_HANDSHAKE, bytes([_CERTIFICATE]) + (90_000).to_bytes(3, "big")))
    while not over.wait(_PAUSE):
        visitor.sendall(record(_HANDSHAKE, b"\x00"))


def _dripping(visitor: socket.socket, over: threading.Event) -> None:
    """One record that never gets full."""
    visitor.sendall(record(_HANDSHAKE, bytes(16_000))[:5])
    while not over.wait(_PAUSE):
        visitor.sendall(b"\x02")


def _flood(visitor: socket.socket, over: threading.Event) -> None:
    """HelloRequest messages (RFC 5246 section 7.4.1.1), which a client skips, without pause."""
    many = record(_HANDSHAKE, message(0, b"")) * 1000
    while not over.is_set():
        visitor.sendall(many)


def _huge_list(visitor: socket.socket, over: threading.Event) -> None:
    """A Certificate message of 10 MB."""
    entry = (1000).to_bytes(3, "big") + bytes(1000)
    body = (1003 * 10_000).to_bytes(3, "big") + entry * 10_000
    whole = message(_CERTIFICATE, body)
    visitor.sendall(_hello())
    for at in range(0, len(whole), 16_384):
        visitor.sendall(record(_HANDSHAKE, whole[at : at + 16_384]))


def _says(*what: bytes) -> Behaviour:
    def behaviour(visitor: socket.socket, over: threading.Event) -> None:
        for each in what:
            visitor.sendall(each)

    return behaviour


def _silent(visitor: socket.socket, over: threading.Event) -> None:
    over.wait(PATIENCE)


def _half_closed(visitor: socket.socket, over: threading.Event) -> None:
    """No more will come, and yet the connection stays."""
    visitor.shutdown(socket.SHUT_WR)
    over.wait(PATIENCE)


def _reset(visitor: socket.socket, over: threading.Event) -> None:
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


_BEHAVIOURS: dict[str, Behaviour] = {
    "endless handshake": _endless,
    "dripping record": _dripping,
    "flood": _flood,
    "huge certificate list": _huge_list,
    "TLS garbage": _says(record(_HANDSHAKE, bytes(range(7, 250)))),
    "garbage": _says(bytes(range(128, 256)) * 4),
    "plain HTTP": _says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    "alert": _says(record(_ALERT, _HANDSHAKE_FAILURE)),
    "silence": _silent,
    "half-closed": _half_closed,
    "reset": _reset,
    "hangs up": _says(),
    "half a hello": _says(_hello()[:20]),
}
MANNERS = tuple(_BEHAVIOURS)
# Those in which a visitor waits until its own patience ends.
FOR_EVER = ("endless handshake", "dripping record", "silence")


def closed_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def broken_server(manner: str) -> Iterator[int]:
    """The port on 127.0.0.1 of a server that behaves so after the first octets it hears."""
    behaviour, over = _BEHAVIOURS[manner], threading.Event()
    threads: list[threading.Thread] = []
    visitors: list[socket.socket] = []

    def receive(visitor: socket.socket) -> None:
        with visitor, contextlib.suppress(OSError):
            if visitor.recv(65536):
                behaviour(visitor, over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = listening.accept()
                if over.is_set():
                    visitor.close()
                    return
                visitor.settimeout(PATIENCE)
                visitors.append(visitor)
                threads.append(threading.Thread(target=receive, args=(visitor,), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            accepting.join(PATIENCE)
            for visitor in visitors:
                with contextlib.suppress(OSError):
                    visitor.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(PATIENCE)

"""The server of a self-test: greets, hears a client out, and remembers how much it said."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

from pinwarden.clients.selftest.authority import HOST

__all__ = ["Listener"]

_PATIENCE = 10.0
_LARGEST = 65536
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Listener:
    """One TLS server on loopback for one attempt; `heard` counts application bytes.

    `plainly` is said before TLS (the first at once, each other after a line), `greeting`
    within TLS before the client says anything.
    """

    def __init__(
        self, serving: ssl.SSLContext, *, greeting: bytes = b"", plainly: tuple[bytes, ...] = ()
    ) -> None:
        self.heard = 0
        self.visitors = 0
        self._serving = serving
        self._greeting = greeting
        self._plainly = plainly
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        # Wakes whoever waits in accept.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._threads:
            each.join(2 * _PATIENCE)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="pinwarden-selftest", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            with contextlib.suppress(OSError):
                visitor, _ = self._listening.accept()
                self._start(lambda visitor=visitor: self._receive(visitor))  # type: ignore[misc]

    def _receive(self, visitor: socket.socket) -> None:
        self.visitors += 1
        visitor.settimeout(_PATIENCE)
        with contextlib.suppress(OSError), visitor:
            for number, each in enumerate(self._plainly):
                if number:
                    _line(visitor)
                visitor.sendall(each)
            with self._serving.wrap_socket(visitor, server_side=True) as tls:
                if self._greeting:
                    tls.sendall(self._greeting)
                got = tls.recv(_LARGEST)
                self.heard += len(got)
                if got:
                    tls.sendall(_ANSWER)


def _line(visitor: socket.socket) -> None:
    # A byte at a time: what follows the line may be TLS.
    for _ in range(1000):
        if visitor.recv(1) in (b"\n", b""):
            return

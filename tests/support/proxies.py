"""HTTP proxies on loopback that open tunnels (RFC 9110 section 9.3.6), in plain text or TLS."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Self

from pinwarden.lab.tls import Credentials, server_context

__all__ = ["TunnelProxy"]

_HOST = "127.0.0.1"
_PATIENCE = 20


class TunnelProxy:
    """Connects whoever asks to `to`, whatever it asks for; `asked` are the requests' heads.

    With credentials it is itself spoken to over TLS. Counts no bytes: what goes through is
    the origin's.
    """

    def __init__(self, to: tuple[str, int], credentials: Credentials | None = None) -> None:
        self.asked: list[bytes] = []
        self._to = to
        self._context = server_context(credentials) if credentials is not None else None
        self._scheme = "http" if credentials is None else "https"
        self._listening = socket.create_server((_HOST, 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://{_HOST}:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(_PATIENCE)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            with contextlib.suppress(OSError):
                visitor, _ = self._listening.accept()
                self._open.add(visitor)
                self._run(partial(self._receive, visitor))

    def _receive(self, visitor: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), visitor:
            if self._context is None:
                self._tunnel(visitor)
            else:
                with self._context.wrap_socket(visitor, server_side=True) as tls:
                    self._open.add(tls)
                    self._tunnel(tls)

    def _tunnel(self, visitor: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = visitor.recv(1)
            if not byte:
                raise EOFError
            head += byte
        self.asked.append(head)
        with socket.create_connection(self._to, timeout=_PATIENCE) as origin:
            origin.settimeout(None)
            self._open.add(origin)
            visitor.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pour(visitor, origin)


def _pour(visitor: socket.socket, origin: socket.socket) -> None:
    """Both ways until either hangs up; in one thread, since a TLS socket bears only one."""
    while True:
        waiting = isinstance(visitor, ssl.SSLSocket) and visitor.pending()
        readable = [visitor] if waiting else select.select([visitor, origin], [], [])[0]
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            (origin if source is visitor else visitor).sendall(data)

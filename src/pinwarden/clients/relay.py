"""A way round for clients with a TLS of their own: they speak plainly to a private socket.

The relay listens on a Unix socket in a folder that only this user may enter, and takes each
connection on to one server over TLS with a pinned context. So pins are kept as everywhere
else: each handshake is checked, and connections are cut when the pins change.

    with PinnedRelay(context, "db.example.com", 5432, starttls="postgres") as relay:
        psycopg.connect(host=relay.folder, user=..., dbname=...)

Whoever runs as this user (or root) can use it, as they could read this process's memory.
PostgreSQL's channel binding is not possible through it. Use psycopg's `cancel_safe()` and
not `cancel()`, which stops all threads of Python, the relay's too, and then waits for it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from typing import Any, Literal, Self

from pinwarden.clients.mismatch import PinMismatch
from pinwarden.clients.postgres import NoTLSError, WithoutChannelBinding, ask_for_tls, refusal
from pinwarden.errors import ConfigError

__all__ = ["PinnedRelay"]

_BLOCK = 65536
_TIMEOUT = 10.0
_MOST = 100
# How soon a change of the pins or `close` is noticed by a connection on which nothing moves.
_PATIENCE = 0.5


class PinnedRelay:
    """Takes connections on a Unix socket on to one server, over TLS and under pins.

    A context manager. `path` is the socket, `folder` where it lies (its name is what libpq
    looks for in a folder that it is given as host). `starttls` is what is said before TLS:
    nothing, or PostgreSQL's SSLRequest. `failure` is the newest error of a connection to
    the server; with PostgreSQL the client is told it too.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        host: str,
        port: int,
        *,
        starttls: Literal["postgres"] | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """`timeout` is in seconds, for reaching the server and for the handshake each."""
        if not hasattr(socket, "AF_UNIX"):
            raise ConfigError("relay: this Python has no Unix sockets")
        if starttls not in (None, "postgres"):
            raise ConfigError("relay: starttls is 'postgres' or None")
        self.failure: OSError | None = None
        self._server = (host, port)
        self._context = context
        self._postgres = starttls == "postgres"
        self._timeout = timeout
        self._places = threading.BoundedSemaphore(_MOST)
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        # Mode 0700: who may enter it may use the relay.
        self._made = tempfile.TemporaryDirectory(prefix="pinwarden-relay-")
        self.folder = self._made.name
        self.path = f"{self.folder}/.s.PGSQL.5432"
        self._listening = socket.socket(socket.AF_UNIX)
        try:
            self._listening.bind(self.path)
            self._listening.listen()
            self._listening.settimeout(_PATIENCE)
        except BaseException:
            self._listening.close()
            self._made.cleanup()
            raise
        self._start(self._accept)

    def close(self) -> None:
        """End every connection and take the socket away."""
        self._closing.set()
        while threads := list(self._threads):
            for each in threads:
                each.join(2 * self._timeout + 2 * _PATIENCE)
        self._listening.close()
        self._made.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        def run() -> None:
            try:
                work(*arguments)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="pinwarden-relay", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            if not self._places.acquire(timeout=_PATIENCE):
                continue
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                self._places.release()
                continue
            self._start(self._serve, visitor)

    def _serve(self, visitor: socket.socket) -> None:
        try:
            with visitor, contextlib.suppress(OSError):
                self._take_on(visitor)
        finally:
            self._places.release()

    def _take_on(self, visitor: socket.socket) -> None:
        try:
            tls = self._connect()
        except OSError as error:
            self._fail(visitor, error)
            return
        with tls:
            try:
                self._carry(visitor, tls)
            except PinMismatch as error:
                self._fail(visitor, error)

    def _connect(self) -> ssl.SSLSocket:
        host, port = self._server
        connection = socket.create_connection((host, port), self._timeout)
        try:
            if self._postgres:
                ask_for_tls(connection)
            return self._context.wrap_socket(connection, server_hostname=host)
        except NoTLSError as error:
            connection.close()
            raise ConnectionError(str(error)) from error
        except BaseException:
            connection.close()
            raise

    def _fail(self, visitor: socket.socket, error: OSError) -> None:
        self.failure = error
        if self._postgres:
            visitor.setblocking(True)
            visitor.settimeout(_PATIENCE)
            visitor.sendall(refusal(str(error)))

    def _carry(self, visitor: socket.socket, tls: ssl.SSLSocket) -> None:
        """Both ways in one thread: a TLS socket is not for two at a time."""
        visitor.setblocking(False)
        tls.setblocking(False)
        to_server, to_visitor = b"", b""
        opening = WithoutChannelBinding() if self._postgres else None
        while not self._closing.is_set():
            if not to_server and (got := _read(visitor)) is not None:
                if not got:
                    return
                to_server = got
            if not to_visitor and (got := _read(tls)) is not None:
                if not got:
                    _flush(visitor, to_visitor)
                    return
                to_visitor = opening.feed(got) if opening else got
            sent = _write(tls, to_server), _write(visitor, to_visitor)
            to_server, to_visitor = to_server[sent[0] :], to_visitor[sent[1] :]
            if not any(sent):
                _wait(visitor, tls, to_server, to_visitor)


def _read(source: socket.socket) -> bytes | None:
    """What is there; empty at the end, None if nothing has come."""
    try:
        return source.recv(_BLOCK)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _write(sink: socket.socket, data: bytes) -> int:
    if not data:
        return 0
    try:
        return sink.send(data)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return 0


def _wait(visitor: socket.socket, tls: ssl.SSLSocket, to_server: bytes, to_visitor: bytes) -> None:
    readable: list[socket.socket] = [tls] if to_visitor == b"" else []
    readable += [visitor] if not to_server else [tls]
    writable: list[socket.socket] = [tls] if to_server else []
    writable += [visitor] if to_visitor else []
    select.select(readable, writable, [], _PATIENCE)


def _flush(visitor: socket.socket, data: bytes) -> None:
    if data:
        visitor.settimeout(_PATIENCE)
        visitor.sendall(data)

"""Every way in which a TLS client can come to send its first request.

`WAYS[NAME](context, address, name)` connects, brings a request through and returns what
was answered. Whatever it raises meanwhile leaves it. Sockets are closed in any case.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

REQUEST = b"GET /secret HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n"
PATIENCE = 20

Address = tuple[str, int]
Way = Callable[[ssl.SSLContext, Address, str | None], bytes]


@contextmanager
def wrapped(
    context: ssl.SSLContext,
    address: Address,
    name: str | None,
    *,
    connected: bool = True,
    **options: object,
) -> Iterator[ssl.SSLSocket]:
    """A TLS socket, by default over a connection whose handshake is still to come."""
    options.setdefault("do_handshake_on_connect", False)
    raw = socket.create_connection(address, PATIENCE) if connected else socket.socket()
    with raw:
        raw.settimeout(PATIENCE)
        with context.wrap_socket(raw, server_hostname=name, **options) as tls:
            yield tls


def answer(tls: ssl.SSLSocket) -> bytes:
    """The first octets of what the server says."""
    return tls.recv(12)


def whole_answer(tls: ssl.SSLSocket) -> bytes:
    """One answer of a `LabTLS` to its end, so that it has heard the request."""
    got = bytearray()
    while not got.endswith(b"pinwarden lab\n"):
        more = tls.recv(65536)
        assert more
        got += more
    return bytes(got)


def _on_wrapping(context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name, do_handshake_on_connect=True) as tls:
        tls.sendall(REQUEST)
        return answer(tls)


def _explicit(context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls:
        tls.do_handshake()
        tls.sendall(REQUEST)
        return answer(tls)


def _on_connect(
    method: str, handshake: bool, context: ssl.SSLContext, address: Address, name: str | None
) -> bytes:
    options = {"connected": False, "do_handshake_on_connect": handshake}
    with wrapped(context, address, name, **options) as tls:
        getattr(tls, method)(address)
        tls.sendall(REQUEST)
        return answer(tls)


def _by_first(method: str, context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls:
        getattr(tls, method)(REQUEST)
        return answer(tls)


def _by_sendfile(context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls, tempfile.TemporaryFile() as file:
        file.write(REQUEST)
        file.seek(0)
        tls.sendfile(file)
        return answer(tls)


def _by_makefile(context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls, tls.makefile("rwb") as file:
        assert isinstance(file, io.BufferedRWPair)
        file.write(REQUEST)
        file.flush()
        return file.read(12)


def _patiently(tls: ssl.SSLSocket, step: Callable[[], object]) -> None:
    """Take a step of a non-blocking socket again until the handshake is over."""
    tls.settimeout(0)
    while tls.version() is None:
        try:
            step()
        except ssl.SSLWantReadError:
            select.select([tls], [], [], 0.01)
        except ssl.SSLWantWriteError:
            select.select([], [tls], [], 0.01)
    tls.settimeout(PATIENCE)


def _by_reading(method: str, context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls:
        arguments = (bytearray(1),) if method == "recv_into" else (1,)
        _patiently(tls, partial(getattr(tls, method), *arguments))
        tls.sendall(REQUEST)
        return answer(tls)


def _without_blocking(context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with wrapped(context, address, name) as tls:
        tls.settimeout(0)
        while True:
            try:
                tls.send(REQUEST)
                break
            except ssl.SSLWantReadError:
                select.select([tls], [], [], 0.01)
            except ssl.SSLWantWriteError:
                select.select([], [tls], [], 0.01)
        tls.settimeout(PATIENCE)
        return answer(tls)


class Memory:
    """A TLS object over memory buffers, and the socket that their contents are sent over."""

    def __init__(self, context: ssl.SSLContext, raw: socket.socket, name: str | None) -> None:
        self._raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def until_done(self, step: Callable[[], object], *, over: Callable[[], bool]) -> object:
        """Take a step until it succeeds, or until something is so."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                # Flushed even at the end, as whoever drives such an object does.
                self._raw.sendall(self._outgoing.read())
                if over():
                    return None
                self._incoming.write(self._raw.recv(65536))
            finally:
                self._raw.sendall(self._outgoing.read())

    def done(self) -> bool:
        """Whether the handshake is over."""
        return self.tls.version() is not None


def _in_memory(first: str, context: ssl.SSLContext, address: Address, name: str | None) -> bytes:
    with socket.create_connection(address, PATIENCE) as raw:
        memory = Memory(context, raw, name)
        tls = memory.tls
        if first != "write":
            step = partial(tls.read, 1) if first == "read" else tls.do_handshake
            memory.until_done(step, over=memory.done)
        memory.until_done(partial(tls.write, REQUEST), over=lambda: False)
        got = memory.until_done(partial(tls.read, 12), over=lambda: False)
        assert isinstance(got, bytes)
        return got


WAYS: dict[str, Way] = {
    "on-wrapping": _on_wrapping,
    "explicit": _explicit,
    "connect": partial(_on_connect, "connect", True),
    "connect-ex": partial(_on_connect, "connect_ex", True),
    "connect-then-send": partial(_on_connect, "connect", False),
    "send": partial(_by_first, "send"),
    "sendall": partial(_by_first, "sendall"),
    "write": partial(_by_first, "write"),
    "sendfile": _by_sendfile,
    "makefile": _by_makefile,
    "recv": partial(_by_reading, "recv"),
    "recv-into": partial(_by_reading, "recv_into"),
    "read": partial(_by_reading, "read"),
    "non-blocking": _without_blocking,
    "memory-explicit": partial(_in_memory, "do_handshake"),
    "memory-write": partial(_in_memory, "write"),
    "memory-read": partial(_in_memory, "read"),
}

"""A TLS server on loopback that presents any chain, by the name that is asked for.

Speaks just enough HTTP/1.1 to satisfy client libraries, and remembers what it
was told, so that a test can prove that a pinned client said nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Self

from pinwarden.lab.background import Served
from pinwarden.lab.ca import Issued, PrivateKey, key_pem, pem

HOST = "127.0.0.1"
_PATIENCE = 0.05


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a server shows: certificates in the order in which they are sent, and the key."""

    certificates: tuple[bytes, ...]
    private_key: PrivateKey

    @classmethod
    def of(cls, issued: Issued, *, intermediates: bool = True) -> Self:
        """A certificate with its intermediate, or forgetfully without."""
        sent = issued.served_chain if intermediates else (issued.certificate,)
        return cls(sent, issued.private_key)


@dataclass(slots=True)
class Visit:
    """One connection; `said` is what came through TLS, empty if nothing did."""

    sni: str | None = None
    handshake: bool = False
    said: bytearray = field(default_factory=bytearray)


def server_context(
    credentials: Credentials,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    alpn: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """A context for whoever serves over TLS with these credentials."""
    context = _plain_context(newest, alpn)
    with tempfile.TemporaryDirectory(prefix="pinwarden-lab-") as folder:
        # The ssl module takes files only.
        file = Path(folder) / "credentials.pem"
        file.write_bytes(key_pem(credentials.private_key) + pem(credentials.certificates))
        context.load_cert_chain(file)
    return context


def _plain_context(newest: ssl.TLSVersion, alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = newest
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class LabTLS(Served):
    """Presents `default`, or what `by_name` has for the server name indication.

    A name mapped to None is refused with the alert unrecognized_name (RFC 6066
    section 3). `manner` is how connections are received: over TLS, in plain text,
    closed at once, or never answered.
    """

    def __init__(
        self,
        default: Credentials,
        by_name: Mapping[str, Credentials | None] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"pinwarden lab\n",
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        alpn: tuple[str, ...] = ("http/1.1",),
    ) -> None:
        self.headers = dict(headers or {})
        self.body = body
        self.manner: Literal["tls", "plain", "closed", "silent"] = "tls"
        self.visits: list[Visit] = []
        self.port = 0
        self._newest = newest
        self._alpn = alpn
        self._default = self._context(default)
        self._by_name: dict[str, ssl.SSLContext | None] = {}
        for name, credentials in (by_name or {}).items():
            self.present(credentials, name)
        self._listening: socket.socket
        self._threads: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self._running = False

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return HOST, self.port

    def present(self, credentials: Credentials | None, name: str | None = None) -> None:
        """From the next connection on, show other credentials for a name, or by default."""
        if name is not None:
            self._by_name[name] = None if credentials is None else self._context(credentials)
        elif credentials is not None:
            self._default = self._context(credentials)

    async def start(self) -> None:
        """Begin to listen."""
        self._listening = socket.create_server((HOST, 0))
        self._listening.settimeout(_PATIENCE)
        self.port = self._listening.getsockname()[1]
        self._running = True
        self._start(self._accept)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        self._running = False
        # Again and again: a connection may be just between two states.
        while threads := list(self._threads):
            for each in list(self._open):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            # One that was only just made cannot be joined yet.
            for thread in [each for each in threads if each.ident is not None]:
                await asyncio.to_thread(thread.join, _PATIENCE)
        self._listening.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _accept(self) -> None:
        while self._running:
            with contextlib.suppress(TimeoutError):
                visitor, _ = self._listening.accept()
                self._start(partial(self._receive, visitor))
        self._threads.discard(threading.current_thread())

    def _context(self, credentials: Credentials) -> ssl.SSLContext:
        return server_context(credentials, newest=self._newest, alpn=self._alpn)

    def _entrance(self, visit: Visit) -> ssl.SSLContext:
        """A context for one connection: without credentials, until the name is known."""

        def choose(
            tls: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext
        ) -> int | None:
            visit.sni = name
            context = self._by_name.get(name or "", self._default)
            if context is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            tls.context = context
            return None

        context = _plain_context(self._newest, self._alpn)
        context.sni_callback = choose
        return context

    def _receive(self, visitor: socket.socket) -> None:
        visit = Visit()
        self.visits.append(visit)
        self._open.add(visitor)
        try:
            with visitor:
                self._treat(visitor, visit)
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(visitor)
            self._threads.discard(threading.current_thread())

    def _treat(self, visitor: socket.socket, visit: Visit) -> None:
        if self.manner == "plain":
            self._converse(visitor, visit)
        elif self.manner == "silent":
            while visitor.recv(4096):
                pass
        elif self.manner == "tls":
            # Not asyncio's TLS: that drops the alert of a handshake that failed.
            context = self._entrance(visit)
            with context.wrap_socket(
                visitor, server_side=True, do_handshake_on_connect=False
            ) as tls:
                self._open.add(tls)
                try:
                    tls.do_handshake()
                    visit.handshake = True
                    self._converse(tls, visit)
                finally:
                    self._open.discard(tls)

    def _converse(self, connection: socket.socket, visit: Visit) -> None:
        fields = {"Content-Length": str(len(self.body)), "Content-Type": "text/plain"}
        lines = [f"{name}: {value}\r\n" for name, value in (fields | self.headers).items()]
        answer = ("HTTP/1.1 200 OK\r\n" + "".join(lines) + "\r\n").encode("latin-1")
        while True:
            head = _read_request(connection, visit)
            connection.sendall(answer if head.startswith(b"HEAD ") else answer + self.body)


def _read_request(connection: socket.socket, visit: Visit) -> bytes:
    """Reads one request to the end of its body, into `visit.said`; returns its head."""
    begins = len(visit.said)
    while b"\r\n\r\n" not in visit.said[begins:]:
        _read_more(connection, visit)
    head, _, rest = bytes(visit.said[begins:]).partition(b"\r\n\r\n")
    missing = _content_length(head) - len(rest)
    ends = len(visit.said) + missing
    while len(visit.said) < ends:
        _read_more(connection, visit)
    return head


def _read_more(connection: socket.socket, visit: Visit) -> None:
    got = connection.recv(65536)
    if not got:
        raise EOFError
    visit.said += got


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0

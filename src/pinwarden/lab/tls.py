"""A TLS server on loopback that presents any chain, by the name that is asked for.

Speaks just enough HTTP/1.1 to satisfy client libraries, and remembers what it
was told, so that a test can prove that a pinned client said nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from pinwarden.lab.background import Served
from pinwarden.lab.ca import Issued, PrivateKey, key_pem, pem

HOST = "127.0.0.1"
_LONGEST_REQUEST = 1 << 20


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
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

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
        self._server = await asyncio.start_server(self._receive, HOST, 0, limit=_LONGEST_REQUEST)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    def _context(self, credentials: Credentials) -> ssl.SSLContext:
        context = self._plain_context()
        with tempfile.TemporaryDirectory(prefix="pinwarden-lab-") as folder:
            # The ssl module takes files only.
            file = Path(folder) / "credentials.pem"
            file.write_bytes(key_pem(credentials.private_key) + pem(credentials.certificates))
            context.load_cert_chain(file)
        return context

    def _plain_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = self._newest
        context.set_alpn_protocols(list(self._alpn))
        return context

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

        context = self._plain_context()
        context.sni_callback = choose
        return context

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        visit = Visit()
        self.visits.append(visit)
        try:
            if self.manner == "silent":
                await reader.read()
                return
            if self.manner == "tls":
                await writer.start_tls(self._entrance(visit))
                visit.handshake = True
            if self.manner != "closed":
                await self._converse(reader, writer, visit)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visit: Visit
    ) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            visit.said += head
            visit.said += await reader.readexactly(_content_length(head))
            fields = {"Content-Length": str(len(self.body)), "Content-Type": "text/plain"}
            lines = [f"{name}: {value}\r\n" for name, value in (fields | self.headers).items()]
            answer = "HTTP/1.1 200 OK\r\n" + "".join(lines) + "\r\n"
            writer.write(answer.encode("latin-1"))
            if not head.startswith(b"HEAD "):
                writer.write(self.body)
            await writer.drain()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0

"""A DNS server on loopback, over UDP, TCP, TLS and HTTPS, from master file text.

Enough of RFC 1034 section 4.3.2 for honest answers about small zones: aliases
(CNAME, DNAME), wildcards, empty non-terminals, delegations, negative answers with
their SOA, truncation. Nothing is signed; a server in the role of a validating
resolver says of some names that they are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import cast

from pinwarden.lab.background import Served
from pinwarden.lab.dns_answers import Answers, Fault, Query, Role, Transport
from pinwarden.lab.dns_doh import DoH
from pinwarden.lab.tls import Credentials, server_context

__all__ = ["HOST", "Fault", "LabDNS", "Query", "Role"]

HOST = "127.0.0.1"


class LabDNS(Answers, Served):
    """Answers for zones given as `{origin: master file text}`; SOA and NS may be left out.

    Roles: an `authoritative` server refuses what it has no zone of. For a `resolver`
    the zones are the whole world, with nothing outside. A `validating` one also sets
    AD for the names at or below those in `secure` (`.` is all), and for the root.

    A test may change these at any time. Their keys are a name in lower case without
    the final dot, `name TYPE`, or `*` for every name; they hold for questions that
    lead to a name by an alias too.

    - `faults`: what goes wrong; a list goes wrong in turn, and then no more. `bogus`
      is SERVFAIL with extended error 6, and with CD the true answer.
    - `delays`: seconds before the answer.
    - `extended_errors`: codes and texts (RFC 8914) for askers with EDNS.
    - `shuffled`: the records of an answer come in any order.
    - `rewrite`: a function from the name asked and the answer's octets to other ones.
    - `doh`: manners of the HTTPS front.

    `queries` are the questions that came, `connections` the streams by transport.
    With `credentials` it also listens for DNS over TLS and over HTTPS.
    """

    def __init__(
        self,
        zones: Mapping[str, str],
        role: Role = "authoritative",
        *,
        secure: Iterable[str] = (),
        credentials: Credentials | None = None,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        super().__init__(zones, role, secure)
        self.connections: Counter[Transport] = Counter()
        self.doh = DoH(self.reply)
        self.host = host
        self.port = port
        self.tls_port = 0
        self._credentials = credentials
        self._udp: asyncio.DatagramTransport | None = None
        self._streams: list[asyncio.Server] = []
        self._visitors: set[asyncio.StreamWriter] = set()
        self._late: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.host, self.port

    @property
    def doh_url(self) -> str:
        """Where it takes DNS over HTTPS."""
        return f"https://{self.host}:{self.doh.port}/dns-query"

    async def start(self) -> None:
        """Begin to listen, on one port number for both UDP and TCP."""
        loop = asyncio.get_running_loop()
        for _ in range(20):
            tcp = await asyncio.start_server(partial(self._serve, "tcp"), self.host, self.port)
            port = tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _UDP(self), local_addr=(self.host, port)
                )
            except OSError:
                tcp.close()
                continue
            self.port = port
            self._streams.append(tcp)
            return await self._start_fronts()
        raise OSError("no port is free for both UDP and TCP")

    async def _start_fronts(self) -> None:
        if self._credentials is None:
            return
        context = server_context(self._credentials)
        tls = await asyncio.start_server(partial(self._serve, "tls"), self.host, 0, ssl=context)
        self.tls_port = tls.sockets[0].getsockname()[1]
        self._streams.append(tls)
        await self.doh.start(self.host, server_context(self._credentials))

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._udp is not None:
            self._udp.close()
        for stream in self._streams:
            stream.close()
        for task in self._late:
            task.cancel()
        for writer in list(self._visitors):
            writer.transport.abort()
        await self.doh.stop()
        await asyncio.sleep(0)

    async def _serve(
        self, transport: Transport, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._visitors.add(writer)
        self.connections[transport] += 1
        port = writer.get_extra_info("peername")[1]
        try:
            # RFC 7766 section 6.2.1: several questions may come over one connection.
            while size := await reader.readexactly(2):
                wire = await reader.readexactly(int.from_bytes(size, "big"))
                reply = self.reply(wire, transport, port)
                if reply.wire is not None:
                    framed = len(reply.wire).to_bytes(2, "big") + reply.wire
                    self.send(partial(_write, writer, framed), reply.delay)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._visitors.discard(writer)
            with contextlib.suppress(ConnectionError):
                writer.close()

    def send(self, write: Callable[[], None], delay: float) -> None:
        """Call `write` at once or later: a slow answer holds up no other (RFC 7766 section 7)."""
        if not delay:
            write()
            return

        async def wait() -> None:
            await asyncio.sleep(delay)
            write()

        task = asyncio.get_running_loop().create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


class _UDP(asyncio.DatagramProtocol):
    def __init__(self, server: LabDNS) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.reply(data, "udp", addr[1])
        if reply.wire is not None:
            self._server.send(partial(self._transport.sendto, reply.wire, addr), reply.delay)


def _write(writer: asyncio.StreamWriter, framed: bytes) -> None:
    if not writer.is_closing():
        writer.write(framed)

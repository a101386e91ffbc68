"""The way to one server: the transport its address names, and TCP where UDP does not do."""

from __future__ import annotations

import asyncio
import socket
import ssl

from pinwarden.caa.lookup import Failure
from pinwarden.caa.message import RCode, Response, build_query
from pinwarden.errors import ConfigError, quoted
from pinwarden.net.dns.exchange import AskError, Exchange
from pinwarden.net.dns.server import ServerAddress, Transport
from pinwarden.net.dns.tcp import StreamExchange
from pinwarden.net.dns.udp import UDPExchange

# An answer, and how it came in the end.
Carried = tuple[Response, Transport]


class Carrier:
    """Asks one server. UDP answers that are cut or do not fit are asked for over TCP."""

    def __init__(
        self, server: ServerAddress, *, timeout: float, parallel: int, cafile: str | None
    ) -> None:
        self.server = server
        self._timeout = timeout
        self._parallel = parallel
        self._cafile = cafile
        self._first: Exchange | None = None
        self._udp: UDPExchange | None = None
        self._tcp: StreamExchange | None = None
        self._problem: AskError | None = None

    async def open(self) -> None:
        """Make ready; no question is asked. Raises ConfigError for a `cafile` without use."""
        server = self.server
        if server.transport == Transport.UDP:
            await self._open_udp()
        elif server.transport == Transport.TCP:
            self._first = self._stream(server.host)
        else:
            tls = _tls_context(self._cafile)
            if server.transport == Transport.TLS:
                self._first = self._stream(server.host, tls)
            else:
                from pinwarden.net.dns.doh import HTTPSExchange

                self._first = HTTPSExchange(
                    str(server), timeout=self._timeout, parallel=self._parallel, tls=tls
                )

    async def close(self) -> None:
        """Close every socket."""
        for each in (self._first, self._udp, self._tcp):
            if each is not None:
                await each.close()

    async def ask(self, query: bytes) -> Carried:
        """The answer to one message; raises AskError when there is none.

        RFC 6891 section 7: a server may be older than EDNS. Then it is asked without.
        """
        carried = await self._ask(query)
        if query[11] and _refuses_edns(carried[0]):
            return await self._ask(without_edns(query))
        return carried

    async def _ask(self, query: bytes) -> Carried:
        if self._udp is None:
            return await self._ask_first(query)
        try:
            response = await self._udp.ask(query)
        except AskError as error:
            if not error.suspicious:
                raise
            return await self._ask_instead(query, error)
        if response.truncated:
            return await self._ask_for_the_rest(query)
        return response, Transport.UDP

    async def _ask_first(self, query: bytes) -> Carried:
        if self._first is None:
            assert self._problem is not None, "used outside `async with`"
            raise AskError(self._problem.failure, str(self._problem), target=self._problem.target)
        return await self._first.ask(query), self._first.transport

    async def _ask_instead(self, query: bytes, met: AskError) -> Carried:
        """Over TCP; where that cannot be had, what was met over UDP is the problem."""
        try:
            return await self._ask_over_tcp(query)
        except AskError as error:
            raise (error if error.failure == Failure.MALFORMED else met) from None

    async def _ask_over_tcp(self, query: bytes) -> Carried:
        assert self._tcp is not None
        return await self._tcp.ask(query), Transport.TCP

    async def _ask_for_the_rest(self, query: bytes) -> Carried:
        try:
            return await self._ask_over_tcp(query)
        except AskError as error:
            problem = f"cuts its answer short over UDP, and over TCP {error}"
            raise AskError(error.failure, problem, target=error.target) from None

    async def _open_udp(self) -> None:
        server = self.server
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(
                    server.host, server.port, type=socket.SOCK_DGRAM
                ),
                self._timeout,
            )
        except (OSError, UnicodeError, TimeoutError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or "no answer in time"
            problem = f"{quoted(server.host)} has no address: {reason}"
            self._problem = AskError(Failure.UNREACHABLE, problem, target=server.host)
            return
        family, _, _, _, address = found[0]
        self._udp = UDPExchange(family, address, timeout=self._timeout, parallel=self._parallel)
        # The very same address, also when the name has several; with its scope, if it has one.
        scope = f"%{address[3]}" if len(address) > 3 and address[3] else ""
        self._tcp = self._stream(str(address[0]).partition("%")[0] + scope)

    def _stream(self, host: str, tls: ssl.SSLContext | None = None) -> StreamExchange:
        return StreamExchange(
            host,
            self.server.port,
            timeout=self._timeout,
            parallel=self._parallel,
            tls=tls,
            name=self.server.auth_name or self.server.host,
        )


def _refuses_edns(response: Response) -> bool:
    """Whether OPT may be what an error is about. Some echo the record that they do not know."""
    if response.rcode in (RCode.FORMERR, RCode.BADVERS):
        return True
    return response.rcode == RCode.NOTIMP and not response.edns


def without_edns(query: bytes) -> bytes:
    """The same question, without the OPT record that `build_query` puts last."""
    assert query[11] == 1
    plain = len(query) - (len(build_query(0, ".")) - len(build_query(0, ".", payload=0)))
    return query[:10] + b"\0\0" + query[12:plain]


def _tls_context(cafile: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"CA file {quoted(cafile or '')} holds no certificates that can be read"
        ) from error

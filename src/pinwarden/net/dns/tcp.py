"""Questions over TCP (RFC 7766) and TLS (RFC 7858): one connection, many at a time."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from pinwarden.caa.lookup import Failure
from pinwarden.caa.message import Response, read_response
from pinwarden.errors import MalformedError, quoted
from pinwarden.net.dns.exchange import AskError, RandomIds
from pinwarden.net.dns.server import Transport

# RFC 7766 section 6.2.3: nobody keeps a connection open for long without using it.
_IDLE = 5.0
# Beyond this many questions without an answer a connection has no ids to spare.
_MOST_WAITING = 1000


class StreamExchange:
    """Asks one address over a connection that is opened when it is needed.

    With `tls` it is encrypted, and the certificate must be for `name`. `timeout` is in
    seconds, for connecting and for each question.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        parallel: int,
        tls: ssl.SSLContext | None = None,
        name: str | None = None,
    ) -> None:
        self.transport = Transport.TCP if tls is None else Transport.TLS
        self._host, self._port = host, port
        self._timeout = timeout
        self._tls = tls
        self._name = name
        self._slots = asyncio.Semaphore(parallel)
        self._opening = asyncio.Lock()
        self._connection: _Connection | None = None
        # Those that take no new question, but may still answer some.
        self._retired: set[_Connection] = set()
        self._closed = False

    async def ask(self, query: bytes) -> Response:
        """See `Exchange.ask`."""
        async with self._slots:
            connection, is_new = await self._connected()
            try:
                return await self._ask(connection, query)
            except AskError as error:
                # RFC 7766 section 6.2.4: the server may have closed it just now.
                if is_new or error.failure != Failure.UNREACHABLE:
                    raise
            connection, _ = await self._connected()
            return await self._ask(connection, query)

    async def _ask(self, connection: _Connection, query: bytes) -> Response:
        answers = connection.answers
        try:
            return await asyncio.wait_for(connection.ask(query), self._timeout)
        except TimeoutError:
            if connection.answers == answers:
                # Nothing at all: perhaps nobody is at the other end any more.
                self._retire(connection)
            problem = f"sent no answer within {self._timeout:g} s"
            raise self._failed(Failure.TIMEOUT, problem) from None

    async def close(self) -> None:
        """See `Exchange.close`."""
        self._closed = True
        for each in (self._connection, *self._retired):
            if each is not None:
                each.abort()
        # The transport closes its socket in the next round of the event loop.
        await asyncio.sleep(0)

    async def _connected(self) -> tuple[_Connection, bool]:
        async with self._opening:
            known = self._connection
            if known is not None and known.is_open:
                return known, False
            if self._closed:
                raise self._failed(Failure.UNREACHABLE, "is not asked any more")
            if known is not None:
                self._retire(known)
            self._connection = await self._connect()
            return self._connection, True

    def _retire(self, connection: _Connection) -> None:
        """Ask nothing more there; it closes when nobody waits for it."""
        self._retired = {each for each in (*self._retired, connection) if not each.is_closed}
        connection.retire()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        name = (self._name or self._host) if self._tls else None
        opening = loop.create_connection(
            lambda: _Connection(self._host), self._host, self._port,
            ssl=self._tls, server_hostname=name,
        )  # fmt: skip
        try:
            _, connection = await asyncio.wait_for(opening, self._timeout)
        except TimeoutError:
            problem = f"opened no connection within {self._timeout:g} s"
            raise self._failed(Failure.TIMEOUT, problem) from None
        except ssl.SSLCertVerificationError as error:
            problem = f"TLS certificate does not verify: {_plain(error.verify_message)}"
            raise self._failed(Failure.UNREACHABLE, problem) from None
        except (OSError, ValueError) as error:
            problem = f"cannot be connected to: {_plain(_words(error))}"
            raise self._failed(Failure.UNREACHABLE, problem) from None
        return connection

    def _failed(self, failure: Failure, problem: str) -> AskError:
        return AskError(failure, problem, target=self._host)


class _Connection(asyncio.Protocol):
    """Messages, each after its length in two octets (RFC 1035 section 4.2.2)."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._ids = RandomIds()
        self._buffer = bytearray()
        # Questions that were given up stay, so that a late answer is none to another.
        self._waiting: dict[bytes, tuple[asyncio.Future[Response], bytes]] = {}
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._is_retired = False
        # Messages that came so far.
        self.answers = 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._transport is None or self._transport.is_closing()

    @property
    def is_open(self) -> bool:
        """Whether it can take one more question."""
        if self._is_retired or self.is_closed:
            return False
        return len(self._waiting) < _MOST_WAITING

    def ask(self, query: bytes) -> asyncio.Future[Response]:
        """Send one message; its future gets the answer or an AskError."""
        response: asyncio.Future[Response] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            response.set_exception(self._error(Failure.UNREACHABLE, "closed the connection"))
            return response
        ident = self._ids.draw()
        while ident in self._waiting:
            ident = self._ids.draw()
        query = ident + query[2:]
        self._waiting[ident] = (response, query)
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._transport.write(len(query).to_bytes(2, "big") + query)
        return response

    def retire(self) -> None:
        """Take no more questions, and close as soon as nobody waits for an answer."""
        self._is_retired = True
        if all(response.done() for response, _ in self._waiting.values()):
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 2:
            end = 2 + int.from_bytes(buffer[:2], "big")
            if len(buffer) < end:
                break
            wire = bytes(buffer[2:end])
            del buffer[:end]
            if not self._take(wire):
                return
        if self._is_retired:
            self.retire()
        elif not self._waiting and self._idle is None:
            self._idle = self._loop.call_later(_IDLE, self.abort)

    def _take(self, wire: bytes) -> bool:
        """Whether a message fits a question; nothing after one that does not is believed."""
        self.answers += 1
        response, query = self._waiting.pop(wire[:2], (None, b""))
        if response is None:
            self._end(Failure.MALFORMED, "answered with an id that was not asked")
            return False
        try:
            answer = read_response(wire, query)
        except MalformedError as error:
            if not response.done():
                response.set_exception(self._error(Failure.MALFORMED, str(error)))
            return True
        if not response.done():
            response.set_result(answer)
        return True

    def eof_received(self) -> None:
        return None

    def connection_lost(self, error: Exception | None) -> None:
        why = f": {_plain(_words(error))}" if isinstance(error, OSError) else ""
        self._end(Failure.UNREACHABLE, f"closed the connection before it answered{why}")

    def _end(self, failure: Failure, problem: str) -> None:
        if self._idle is not None:
            self._idle.cancel()
        waiting, self._waiting = self._waiting, {}
        for response, _ in waiting.values():
            if not response.done():
                response.set_exception(self._error(failure, problem))
        self.abort()

    def _error(self, failure: Failure, problem: str) -> AskError:
        return AskError(failure, problem, target=self._target)


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _plain(text: str) -> str:
    """A foreign text as a part of one line."""
    return quoted(" ".join(text.split()))[1:-1]

"""Questions over UDP, many at a time.

A forger who cannot see the question must guess its id and our port (RFC 5452). So ids
are random, every socket is connected and has a port of its own that the system chose,
no port is used for long, and what does not fit the question is no answer to it.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from collections import deque

from pinwarden.caa.lookup import Failure
from pinwarden.caa.message import Response, read_response
from pinwarden.errors import MalformedError
from pinwarden.net.dns.exchange import AskError, RandomIds
from pinwarden.net.dns.server import Transport

# What a server may send that knows better than our 1,232; more is cut, and asked over TCP.
_LONGEST_DATAGRAM = 4096
_PORTS = 4
_QUESTIONS_A_PORT = 1000
_RECEIVE_BUFFER = 1024 * 1024
# So that one busy socket keeps nobody waiting.
_READ_AT_ONCE = 64
_SWEEPS_A_TIMEOUT = 10
# Who was silent for as many questions in a row is waited for by one question at a time, until
# it says something; ten thousand names would take a quarter of an hour to find out nothing.
# Who has answered before may only be restarting: there the limit is about a minute's worth.
_PATIENT_WITH = 200
_PATIENT_WITH_KNOWN = 1000


class _Waiting:
    """A question under way; `response` gets the answer or an AskError."""

    __slots__ = ("deadline", "query", "response")

    def __init__(self, response: asyncio.Future[Response], query: bytes) -> None:
        self.response = response
        self.query = query
        self.deadline = 0.0


class _Port:
    """One connected socket and what it waits for, by id; the oldest question first."""

    __slots__ = ("asked", "socket", "stray", "waiting")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.waiting: dict[bytes, _Waiting] = {}
        self.asked = 0
        self.stray = False


class UDPExchange:
    """Asks one address; `parallel` questions at most are under way, the others wait.

    `timeout` is in seconds, for each question. Answers that do not fit are not taken:
    a question that met one ends in a suspicious AskError.
    """

    transport = Transport.UDP

    def __init__(
        self, family: int, address: tuple[str | int | bytes, ...], *, timeout: float, parallel: int
    ) -> None:
        self._family = family
        self._address = address
        self._timeout = timeout
        self._parallel = parallel
        self._loop = asyncio.get_running_loop()
        self._ids = RandomIds()
        self._ports: list[_Port] = []
        self._turn = itertools.count()
        self._retired: set[_Port] = set()
        self._backlog: deque[_Waiting] = deque()
        self._under_way = 0
        self._unanswered = 0
        self._heard = False
        self._sweeper: asyncio.TimerHandle | None = None

    def ask(self, query: bytes) -> asyncio.Future[Response]:
        """See `Exchange.ask`."""
        waiting = _Waiting(self._loop.create_future(), query)
        if self._under_way < self._parallel:
            self._send_if_hoped(waiting)
        else:
            self._backlog.append(waiting)
        return waiting.response

    async def close(self) -> None:
        """See `Exchange.close`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._backlog.clear()
        for port in [*self._ports, *self._retired]:
            for each in port.waiting.values():
                self._fail(each, Failure.UNREACHABLE, "was not waited for")
            port.waiting.clear()
            self._close(port)
        self._ports.clear()

    def _send_if_hoped(self, waiting: _Waiting) -> None:
        patience = _PATIENT_WITH_KNOWN if self._heard else _PATIENT_WITH
        if self._under_way and self._unanswered >= patience:
            when = "any more" if self._heard else "so far"
            self._fail(waiting, Failure.TIMEOUT, f"has not answered anything {when}")
        else:
            self._send(waiting)

    def _send(self, waiting: _Waiting) -> None:
        try:
            port = self._port()
        except OSError as error:
            self._fail(waiting, Failure.UNREACHABLE, _reason(error))
            return
        ident = self._ids.draw()
        while ident in port.waiting:
            ident = self._ids.draw()
        waiting.query = query = ident + waiting.query[2:]
        waiting.deadline = self._loop.time() + self._timeout
        port.waiting[ident] = waiting
        port.asked += 1
        self._under_way += 1
        try:
            port.socket.send(query)
        except BlockingIOError:
            pass  # as good as lost on the way
        except ConnectionRefusedError as error:
            self._refused(port, error)
        except OSError as error:
            # Such as a full buffer, or a rule against it: nothing about other questions.
            self._end(port, waiting)
            self._fail(waiting, Failure.UNREACHABLE, _reason(error))
        if self._sweeper is None:
            self._sweep_later()

    def _port(self) -> _Port:
        """The socket whose turn it is; a new one when it has been used enough."""
        if len(self._ports) < _PORTS:
            opened = self._open_or_not()
            if opened is not None:
                self._ports.append(opened)
                return opened
        index = next(self._turn) % len(self._ports)
        port = self._ports[index]
        if port.asked < _QUESTIONS_A_PORT:
            return port
        opened = self._open_or_not()
        if opened is None:
            return port
        self._ports[index] = opened
        if port.waiting:
            self._retired.add(port)
        else:
            self._close(port)
        return opened

    def _open_or_not(self) -> _Port | None:
        """A new socket; None if this process may have no more, but has some already."""
        try:
            return self._open()
        except OSError as error:
            if self._ports and error.errno in (errno.EMFILE, errno.ENFILE):
                return None
            raise

    def _open(self) -> _Port:
        opened = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            opened.connect(self._address)
        except OSError:
            opened.close()
            raise
        port = _Port(opened)
        self._loop.add_reader(opened.fileno(), self._readable, port)
        return port

    def _close(self, port: _Port) -> None:
        self._loop.remove_reader(port.socket.fileno())
        port.socket.close()
        self._retired.discard(port)

    def _readable(self, port: _Port) -> None:
        waiting = port.waiting
        receive = port.socket.recv
        for _ in range(_READ_AT_ONCE):
            try:
                wire = receive(_LONGEST_DATAGRAM)
            except BlockingIOError:
                break
            except OSError as error:
                self._refused(port, error)
                break
            self._heard = True
            self._unanswered = 0
            asked = waiting.get(wire[:2])
            if asked is None:
                port.stray = True
                continue
            self._take(port, asked, wire)
            if not waiting:
                break
        self._send_on()
        if not waiting and port in self._retired:
            self._close(port)

    def _take(self, port: _Port, asked: _Waiting, wire: bytes) -> None:
        try:
            response = read_response(wire, asked.query)
        except MalformedError as error:
            self._end(port, asked)
            self._fail(asked, Failure.MALFORMED, str(error), suspicious=True)
            return
        self._end(port, asked)
        if not asked.response.done():
            asked.response.set_result(response)

    def _end(self, port: _Port, asked: _Waiting) -> None:
        del port.waiting[asked.query[:2]]
        self._under_way -= 1

    def _send_on(self) -> None:
        while self._backlog and self._under_way < self._parallel:
            waiting = self._backlog.popleft()
            if not waiting.response.done():
                self._send_if_hoped(waiting)

    def _refused(self, port: _Port, error: OSError) -> None:
        """The system says that nobody is there: for all that was asked from this port."""
        for asked in list(port.waiting.values()):
            self._end(port, asked)
            self._fail(asked, Failure.UNREACHABLE, _reason(error))

    def _fail(
        self, asked: _Waiting, failure: Failure, problem: str, *, suspicious: bool = False
    ) -> None:
        if not asked.response.done():
            target = str(self._address[0])
            asked.response.set_exception(
                AskError(failure, problem, target=target, suspicious=suspicious)
            )

    def _sweep_later(self) -> None:
        self._sweeper = self._loop.call_later(self._timeout / _SWEEPS_A_TIMEOUT, self._sweep)

    def _sweep(self) -> None:
        """Ends questions whose time is over."""
        self._sweeper = None
        now = self._loop.time()
        for port in [*self._ports, *self._retired]:
            # The oldest question stands first.
            waited = itertools.takewhile(lambda each: each.deadline <= now, port.waiting.values())
            over = list(waited)
            for asked in over:
                self._end(port, asked)
                self._unanswered += 1
                what = "sent no answer with the right id" if port.stray else "sent no answer"
                problem = f"{what} within {self._timeout:g} s"
                self._fail(asked, Failure.TIMEOUT, problem, suspicious=port.stray)
            if over:
                port.stray = False
            if not port.waiting and port in self._retired:
                self._close(port)
        self._send_on()
        if self._under_way and self._sweeper is None:
            self._sweep_later()


def _reason(error: OSError) -> str:
    return f"cannot be asked: {error.strerror or type(error).__name__}"

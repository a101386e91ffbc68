"""Lab logs on real sockets: `LabServer` for tests and the demo, `main` for benchmarks.

Each log listens on a port of its own, as if it had a host of its own: a client
that keeps one log's faults from touching another is tested as in the world.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from aiohttp import web

from pinwarden.lab import rfc6962, static_ct
from pinwarden.lab.background import Served
from pinwarden.lab.exchange import Answer, Question
from pinwarden.lab.faults import Visit
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.misbehave import misbehave

HOST = "127.0.0.1"
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class LabServer(Served):
    """Serves logs, and a list of them, until the end of the `with` block.

    `with` runs it in a thread of its own, `async with` in the running loop.
    """

    def __init__(self, logs: Sequence[LabLog] = ()) -> None:
        self.logs = list(logs)
        self._list = _Listener(self._answer_list)
        self._listeners: dict[str, _Listener] = {}
        self.list_at = datetime.now(UTC)

    async def start(self) -> None:
        """Begin to listen; the logs know their URLs from now on."""
        await self._list.open()
        for log in self.logs:
            await self._open(log)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        for listener in (self._list, *self._listeners.values()):
            await listener.shutdown()

    @property
    def log_list_url(self) -> str:
        """Where the log list is served, with an ETag."""
        return f"http://{HOST}:{self._list.port}/log_list.json"

    def log_list_json(self) -> bytes:
        """A log list of all the logs, as of `list_at`."""
        return log_list_json(self.logs, at=self.list_at)

    async def add(self, log: LabLog) -> None:
        """Serve one more log, in the loop that runs the server."""
        self.logs.append(log)
        await self._open(log)

    def add_log(self, log: LabLog) -> None:
        """Serve one more log; from any thread but the server's own."""
        assert self._background is not None
        self._background.run(self.add(log))

    def refuse(self, log: LabLog) -> None:
        """Close the log's port: connections are refused until `accept`."""
        self._listeners[log.name].call(self._listeners[log.name].close)

    def accept(self, log: LabLog) -> None:
        """Open the log's port again."""
        self._listeners[log.name].reopen()

    async def _open(self, log: LabLog) -> None:
        listener = _Listener(lambda request: _answer(log, request))
        await listener.open()
        self._listeners[log.name] = listener
        log.base_url = f"http://{HOST}:{listener.port}/"

    async def _answer_list(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/log_list.json":
            return web.Response(status=404)
        body = self.log_list_json()
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type="application/json", headers={"ETag": tag})


class _Listener:
    """One port, which can be closed and opened again."""

    def __init__(self, handler: _Handler) -> None:
        self.port = 0
        self._handler = handler
        self._loop: asyncio.AbstractEventLoop
        self._protocols: web.Server
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        # A visitor who leaves cancels the answer: silence and endless bodies end.
        self._protocols = web.Server(
            self._handler, handler_cancellation=True, access_log=None, lingering_time=0
        )
        await self._attach(self._listen())

    def reopen(self) -> None:
        # Connections queue in the kernel from here on; the loop takes them soon.
        listening = self._listen()

        def attach() -> None:
            self._opening = self._loop.create_task(self._attach(listening))

        self._loop.call_soon_threadsafe(attach)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._protocols.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def shutdown(self) -> None:
        if self._opening is not None:
            await self._opening
        self.close()
        await self._protocols.shutdown(0.1)

    def call(self, work: Callable[[], None]) -> None:
        """Run `work` in the loop's thread and wait for it."""
        with contextlib.suppress(RuntimeError):
            if asyncio.get_running_loop() is self._loop:
                work()
                return

        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _listen(self) -> socket.socket:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, self.port))
        listening.listen(128)
        self.port = listening.getsockname()[1]
        return listening

    async def _attach(self, listening: socket.socket) -> None:
        self._server = await self._loop.create_server(self._protocols, sock=listening)


async def _answer(log: LabLog, request: web.BaseRequest) -> web.StreamResponse:
    path = request.path.removeprefix(f"/{log.name}/")
    visit = Visit(
        method=request.method,
        path=path,
        query=dict(request.query),
        user_agent=request.headers.get("User-Agent", ""),
        accept_encoding=request.headers.get("Accept-Encoding", ""),
    )
    log.visits.enter(visit)
    try:
        honest = await _honest(log, request, visit)
        if log.faults.strike(path):
            faulty = await misbehave(request, log.faults, honest)
            if faulty is not None:
                return faulty
        headers = {"Content-Encoding": "gzip"} if honest.gzipped else {}
        headers["Content-Type"] = honest.content_type
        return web.Response(body=honest.body, status=honest.status, headers=headers)
    finally:
        log.visits.leave()


async def _honest(log: LabLog, request: web.BaseRequest, visit: Visit) -> Answer:
    prefix, answer = next(each for each in _FACES if visit.path.startswith(each[0]))
    question = Question(
        method=visit.method,
        path=visit.path.removeprefix(prefix),
        query=visit.query,
        body=await request.read() if visit.method == "POST" else b"",
        takes_gzip="gzip" in visit.accept_encoding,
    )
    return answer(log, question)


_FACES: tuple[tuple[str, Callable[[LabLog, Question], Answer]], ...] = (
    ("tiles/", static_ct.answer),
    ("submit/", static_ct.answer_submission),
    ("", rfc6962.answer),
)

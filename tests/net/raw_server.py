"""A server that sends exactly the bytes it is told to, for answers no honest server gives."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    connection: int


Handler = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def answer(
    status: str = "200 OK", body: bytes = b"", headers: dict[str, str] | None = None
) -> Handler:
    """A handler that gives one whole, honest answer."""
    fields = {"Content-Length": str(len(body))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    async def handler(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return handler


def raw(data: bytes) -> Handler:
    """A handler that sends these bytes and hangs up."""

    async def handler(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return handler


@dataclass
class RawServer:
    """Plays its handlers one after the other; the last one stays."""

    handlers: list[Handler]
    ssl_context: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._connections: set[asyncio.Task[None]] = set()
        self._count = 0
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self.ssl_context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str = "/") -> str:
        """The address of a path on this server."""
        scheme = "https" if self.ssl_context else "http"
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._count += 1
        number = self._count
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                fields = dict(line.split(": ", 1) for line in head[1:] if line)
                asked = Asked(head[0].split(" ")[1], fields, number)
                self.asked.append(asked)
                handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
                await handler(asked, writer)
                if fields.get("Connection") == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

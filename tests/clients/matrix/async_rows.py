"""Rows: HTTP clients on an event loop, which runs in a thread of its own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import aiohttp
import httpx
from anyio.from_thread import start_blocking_portal

from clients.matrix.harness import Ask, Target, Wiring
from clients.matrix.http_row import HTTPRow
from clients.matrix.http_rows import Httpx, httpx_context, httpx_proxy
from pinwarden.clients.aiohttp import PinnedConnector

_PATIENCE = 20

HIDDEN = (
    "httpcore passes over the error of a write and reads on, and a stream of trio that has "
    "failed remembers only that it is broken"
)


class HttpxAsync(HTTPRow):
    skips: ClassVar[Mapping[str, str]] = Httpx.skips

    def __init__(self, backend: Literal["asyncio", "trio"], *, http2: bool = False) -> None:
        self.backend: Literal["asyncio", "trio"] = backend
        self.http2 = http2
        self.name = f"httpx on {backend}" + (", HTTP/2" if http2 else "")
        if http2:
            self.alpn = ("h2", "http/1.1")
        if backend == "trio":
            self.hides = {"changed-set": HIDDEN}

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        context = wiring.context or httpx_context(wiring)
        client = httpx.AsyncClient(
            verify=context,
            proxy=httpx_proxy(wiring),
            http2=self.http2,
            follow_redirects=True,
            timeout=_PATIENCE,
            trust_env=False,
        )
        with (
            start_blocking_portal(self.backend) as portal,
            portal.wrap_async_context_manager(client),
        ):
            yield lambda target: portal.call(client.get, target.url).content


class Aiohttp(HTTPRow):
    def __init__(self, *, uvloop: bool = False) -> None:
        self.name = "aiohttp on uvloop" if uvloop else "aiohttp"
        self.uvloop = uvloop

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        async def connector() -> aiohttp.TCPConnector:
            if wiring.context is not None:
                return PinnedConnector(wiring.context)
            own = ssl.create_default_context(cafile=wiring.cafile) if wiring.verify else False
            return aiohttp.TCPConnector(ssl=own)

        async def client() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(connector=await connector(), raise_for_status=True)

        options = {"use_uvloop": self.uvloop}
        with start_blocking_portal("asyncio", backend_options=options) as portal:
            session = portal.call(client)

            async def get(target: Target) -> bytes:
                told: dict[str, Any] = {} if wiring.verify else {"ssl": False}
                async with session.get(target.url, proxy=wiring.proxy, **told) as answer:
                    return await answer.read()

            try:
                yield lambda target: portal.call(get, target)
            finally:
                portal.call(session.close)


ASYNC_ROWS = (
    HttpxAsync("asyncio"),
    HttpxAsync("trio"),
    HttpxAsync("asyncio", http2=True),
    Aiohttp(),
    Aiohttp(uvloop=True),
)

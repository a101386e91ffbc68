"""A server of log lists and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from pinwarden.net.http import HTTPClient, Limits
from support.list_server import ListServer

QUICK = Limits(attempts=1, timeout=5, patience=5)


@pytest.fixture
async def server() -> AsyncIterator[ListServer]:
    lists = ListServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", lists.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    lists.url = f"http://{host}:{port}"
    yield lists
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[HTTPClient]:
    async with HTTPClient(limits=QUICK) as client:
        yield client

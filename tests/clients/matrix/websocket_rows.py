"""Rows: websockets (with and without an event loop) and websocket-client."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import websocket
import websockets.asyncio.client
import websockets.sync.client

from clients.matrix.harness import Target, Wiring
from clients.matrix.kept_row import (
    PATIENCE,
    Again,
    AsyncAgain,
    AsyncRow,
    KeptRow,
    own_context,
)
from support import talk


def _url(target: Target) -> str:
    return target.url.replace("https:", "wss:")


@contextmanager
def _websockets(wiring: Wiring, target: Target) -> Iterator[Again]:
    connecting = websockets.sync.client.connect(
        _url(target),
        ssl=own_context(wiring),
        proxy=wiring.proxy,
        proxy_ssl=wiring.context if _is_tls(wiring.proxy) else None,
        open_timeout=PATIENCE,
        close_timeout=0.1,
    )
    with connecting as connection:

        def again() -> bytes:
            connection.send("hello")
            return str(connection.recv(PATIENCE)).encode()

        yield again


@asynccontextmanager
async def _websockets_async(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    connecting = websockets.asyncio.client.connect(
        _url(target),
        ssl=own_context(wiring),
        proxy=wiring.proxy,
        **({"proxy_ssl": wiring.context} if _is_tls(wiring.proxy) else {}),
        open_timeout=PATIENCE,
        close_timeout=0.1,
    )
    async with connecting as connection:

        async def again() -> bytes:
            await connection.send("hello")
            return str(await connection.recv()).encode()

        yield again


@contextmanager
def _websocket_client(wiring: Wiring, target: Target) -> Iterator[Again]:
    options: dict[str, object] = {"context": wiring.context} if wiring.context else {}
    if wiring.context is None:
        options["ca_certs"] = wiring.cafile
    if not wiring.verify:
        options |= {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    proxy = urlsplit(wiring.proxy or "")
    connection = websocket.create_connection(
        _url(target),
        timeout=PATIENCE,
        sslopt=options,
        http_proxy_host=proxy.hostname,
        http_proxy_port=proxy.port,
        proxy_type="http" if wiring.proxy else None,
        # Also where the environment says so for this host.
        http_no_proxy=["nowhere.example"] if wiring.proxy else ["*"],
    )
    try:

        def again() -> bytes:
            connection.send("hello")
            return str(connection.recv()).encode()

        yield again
    finally:
        connection.close(timeout=0)


def _is_tls(proxy: str | None) -> bool:
    return proxy is not None and proxy.startswith("https:")


WEBSOCKET_ROWS = (
    AsyncRow("websockets, asyncio", _websockets_async, talk.websocket, skips={}),
    KeptRow(
        "websockets, sync",
        _websockets,
        talk.websocket,
        skips={"redirect": "does not follow redirects"},
    ),
    KeptRow(
        "websocket-client",
        _websocket_client,
        talk.websocket,
        skips={"https-proxy": "does not speak TLS to a proxy"},
    ),
)

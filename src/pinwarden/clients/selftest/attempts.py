"""How each client is made to speak: with a context, to a port of loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module

from pinwarden.clients.selftest.authority import HOST

__all__ = ["ATTEMPTS", "Attempt"]

_PATIENCE = 10.0

Speak = Callable[[ssl.SSLContext, int], object]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One client; `needs` are the modules without which it is not here.

    `plainly` and `greeting` are what its server says: see `Listener`.
    """

    client: str
    speak: Speak
    needs: tuple[str, ...] = ()
    greeting: bytes = b""
    plainly: tuple[bytes, ...] = field(default=())


def _url(port: int, scheme: str = "https") -> str:
    return f"{scheme}://{HOST}:{port}/"


def _http_client(context: ssl.SSLContext, port: int) -> None:
    import http.client

    connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=_PATIENCE)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()


def _urllib_request(context: ssl.SSLContext, port: int) -> None:
    import urllib.request

    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
    )
    opener.open(_url(port), timeout=_PATIENCE).close()


def _smtplib(context: ssl.SSLContext, port: int) -> None:
    import smtplib

    client = smtplib.SMTP(HOST, port, timeout=_PATIENCE)
    try:
        client.starttls(context=context)
        client.ehlo()
    finally:
        client.close()


def _imaplib(context: ssl.SSLContext, port: int) -> None:
    import imaplib

    imaplib.IMAP4_SSL(HOST, port, ssl_context=context, timeout=_PATIENCE).shutdown()


def _poplib(context: ssl.SSLContext, port: int) -> None:
    import poplib

    client = poplib.POP3_SSL(HOST, port, context=context, timeout=_PATIENCE)
    try:
        client.noop()
    finally:
        client.close()


def _ftplib(context: ssl.SSLContext, port: int) -> None:
    import ftplib

    client = ftplib.FTP_TLS(context=context, timeout=_PATIENCE)  # noqa: S321 - over TLS
    try:
        client.connect(HOST, port)
        client.login()
    finally:
        client.close()


async def _streams(context: ssl.SSLContext, port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    try:
        writer.write(b"hello\r\n")
        await writer.drain()
        await reader.read(1)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _asyncio(context: ssl.SSLContext, port: int) -> None:
    asyncio.run(_streams(context, port))


def _uvloop(context: ssl.SSLContext, port: int) -> None:
    import_module("uvloop").run(_streams(context, port))


def _trio(context: ssl.SSLContext, port: int) -> None:
    trio = import_module("trio")

    async def run() -> None:
        plain = await trio.open_tcp_stream(HOST, port)
        tls = trio.SSLStream(plain, context, server_hostname=HOST)
        try:
            await tls.send_all(b"hello\r\n")
            await tls.receive_some(1)
        finally:
            await trio.aclose_forcefully(tls)

    trio.run(run)


def _anyio(context: ssl.SSLContext, port: int) -> None:
    anyio = import_module("anyio")

    async def run() -> None:
        stream = await anyio.connect_tcp(
            HOST, port, tls=True, ssl_context=context, tls_standard_compatible=False
        )
        async with stream:
            await stream.send(b"hello\r\n")
            await stream.receive(1)

    anyio.run(run)


def _urllib3(context: ssl.SSLContext, port: int) -> None:
    with import_module("urllib3").PoolManager(ssl_context=context) as pool:
        pool.request("GET", _url(port), timeout=_PATIENCE, retries=False)


def _requests(context: ssl.SSLContext, port: int) -> None:
    with import_module("pinwarden.clients.requests").PinnedSession(context) as session:
        session.trust_env = False
        session.get(_url(port), timeout=_PATIENCE)


def _httpx(context: ssl.SSLContext, port: int) -> None:
    with import_module("httpx").Client(verify=context, trust_env=False) as client:
        client.get(_url(port), timeout=_PATIENCE)


def _httpcore(context: ssl.SSLContext, port: int) -> None:
    with import_module("httpcore").ConnectionPool(ssl_context=context) as pool:
        pool.request("GET", _url(port))


def _aiohttp(context: ssl.SSLContext, port: int) -> None:
    aiohttp = import_module("aiohttp")

    async def run() -> None:
        connector = aiohttp.TCPConnector(ssl=context)
        timeout = aiohttp.ClientTimeout(_PATIENCE)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(_url(port)) as answer,
        ):
            await answer.read()

    asyncio.run(run())


def _websockets(context: ssl.SSLContext, port: int) -> None:
    connect = import_module("websockets.sync.client").connect
    connect(_url(port, "wss"), ssl=context, proxy=None, open_timeout=_PATIENCE).close()


def _websocket_client(context: ssl.SSLContext, port: int) -> None:
    import_module("websocket").create_connection(
        _url(port, "wss"), timeout=_PATIENCE, sslopt={"context": context}, http_no_proxy=["*"]
    ).close()


def _redis(context: ssl.SSLContext, port: int) -> None:
    redis = import_module("redis")
    pinned = import_module("pinwarden.clients.redis").pinned_connection(context)
    pool = redis.ConnectionPool(
        connection_class=pinned, host=HOST, port=port, socket_timeout=_PATIENCE, retry=None
    )
    try:
        redis.Redis(connection_pool=pool).ping()
    finally:
        pool.disconnect()


def _botocore(context: ssl.SSLContext, port: int) -> None:
    session = import_module("botocore.session").get_session()
    client = session.create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=_url(port),
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",  # noqa: S106 - it is no secret
        config=import_module("botocore.config").Config(
            connect_timeout=_PATIENCE,
            read_timeout=_PATIENCE,
            retries={"total_max_attempts": 1},
            proxies={},
        ),
    )
    import_module("pinwarden.clients.botocore").hold(client, context)
    try:
        client.list_buckets()
    finally:
        client.close()


ATTEMPTS = (
    Attempt("http.client", _http_client),
    Attempt("urllib.request", _urllib_request),
    Attempt("asyncio", _asyncio),
    Attempt(
        "smtplib",
        _smtplib,
        plainly=(b"220 here\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go on\r\n"),
    ),
    Attempt("imaplib", _imaplib, greeting=b"* OK here\r\n"),
    Attempt("poplib", _poplib, greeting=b"+OK here\r\n"),
    Attempt("ftplib", _ftplib, plainly=(b"220 here\r\n", b"234 go on\r\n")),
    Attempt("aiohttp", _aiohttp, ("aiohttp",)),
    Attempt("anyio", _anyio, ("anyio",)),
    Attempt("botocore", _botocore, ("botocore",)),
    Attempt("httpcore", _httpcore, ("httpcore",)),
    Attempt("httpx", _httpx, ("httpx",)),
    Attempt("redis", _redis, ("redis",)),
    Attempt("requests", _requests, ("requests",)),
    Attempt("trio", _trio, ("trio",)),
    Attempt("urllib3", _urllib3, ("urllib3",)),
    Attempt("uvloop", _uvloop, ("uvloop",)),
    Attempt("websocket-client", _websocket_client, ("websocket",)),
    Attempt("websockets", _websockets, ("websockets",)),
)

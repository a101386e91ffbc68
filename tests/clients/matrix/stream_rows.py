"""Rows: streams of asyncio (and uvloop), trio and anyio."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import trio

from clients.matrix.harness import Target, Wiring
from clients.matrix.kept_row import (
    PATIENCE,
    Again,
    AsyncAgain,
    AsyncRow,
    KeptRow,
    own_context,
)
from support.origin import Speak
from support.talk import echo_lines, plainly

_WORDS = b"hello\r\n"
_UVLOOP = {"use_uvloop": True}


@contextmanager
def _socket(wiring: Wiring, target: Target) -> Iterator[Again]:
    context = own_context(wiring)
    with (
        socket.create_connection((target.host, target.port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=target.host) as tls,
    ):

        def again() -> bytes:
            tls.sendall(_WORDS)
            return tls.recv(100)

        yield again


@asynccontextmanager
async def _open_connection(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    streams = await asyncio.open_connection(target.host, target.port, ssl=own_context(wiring))
    async with _conversing(*streams) as again:
        yield again


@asynccontextmanager
async def _start_tls(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    try:
        await reader.readline()
        writer.write(b"STARTTLS\r\n")
        await reader.readline()
        await writer.start_tls(own_context(wiring), server_hostname=target.host)
    except BaseException:
        await _closed(writer)
        raise
    async with _conversing(reader, writer) as again:
        yield again


@asynccontextmanager
async def _conversing(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[AsyncAgain]:
    async def again() -> bytes:
        writer.write(_WORDS)
        await writer.drain()
        answer = await reader.readline()
        if not answer:
            raise ConnectionError("the connection ended")
        return answer

    try:
        yield again
    finally:
        await _closed(writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def _trio(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    context = own_context(wiring)
    plain = await trio.open_tcp_stream(target.host, target.port)
    tls = trio.SSLStream(plain, context, server_hostname=target.host)

    async def again() -> bytes:
        await tls.send_all(_WORDS)
        return bytes(await tls.receive_some(100))

    try:
        yield again
    finally:
        await trio.aclose_forcefully(tls)


@asynccontextmanager
async def _anyio(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    tls = await anyio.connect_tcp(
        target.host,
        target.port,
        tls=True,
        ssl_context=own_context(wiring),
        tls_standard_compatible=False,
    )

    async def again() -> bytes:
        await tls.send(_WORDS)
        return await tls.receive(100)

    async with tls:
        yield again


def _echo(_: str | None) -> Speak:
    return echo_lines


_STARTTLS = plainly(b"hello\r\n", b"go on\r\n")

STREAM_ROWS = (
    KeptRow("ssl socket", _socket, _echo),
    AsyncRow("asyncio.open_connection", _open_connection, _echo),
    AsyncRow("asyncio, StreamWriter.start_tls", _start_tls, _echo, _STARTTLS),
    AsyncRow("uvloop", _open_connection, _echo, backend_options=_UVLOOP),
    AsyncRow(
        "uvloop, StreamWriter.start_tls", _start_tls, _echo, _STARTTLS, backend_options=_UVLOOP
    ),
    AsyncRow("trio.SSLStream", _trio, _echo, backend="trio"),
    AsyncRow("anyio on asyncio", _anyio, _echo),
    AsyncRow("anyio on trio", _anyio, _echo, backend="trio"),
)

"""How a lab log answers when it does not answer properly, on a real connection."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import struct
import zlib
from datetime import datetime
from email.utils import format_datetime

from aiohttp import web

from pinwarden.lab.exchange import Answer
from pinwarden.lab.faults import Faults

_PAGE = b"<!DOCTYPE html><html><body><h1>Welcome!</h1><p>This log has moved.</p></body></html>\n"
_DRIP_SECONDS = 0.02
_FLOOD = b" " * 65536


async def misbehave(
    request: web.BaseRequest, faults: Faults, honest: Answer
) -> web.StreamResponse | None:
    """The faulty answer that was asked for, or None if this one is to be honest."""
    if faults.slow:
        await asyncio.sleep(faults.slow)
    if faults.silent:
        await asyncio.Event().wait()
    if faults.reset:
        return _reset(request)
    if faults.status is not None:
        return web.Response(status=faults.status, headers=_retry_after(faults.retry_after))
    if faults.redirect is not None:
        return web.Response(status=302, headers={"Location": faults.redirect})
    if faults.garbage is not None:
        return _garbage(faults.garbage)
    if faults.bomb is not None:
        return web.Response(body=_bomb(faults.bomb), headers={"Content-Encoding": "gzip"})
    if faults.endless is not None:
        return await _endless(request, honest, drip=faults.endless == "drip")
    if faults.cut_body:
        return await _cut(request, honest)
    return None


def _reset(request: web.BaseRequest) -> web.Response:
    transport = request.transport
    if transport is not None:
        # Without lingering, closing sends RST instead of FIN.
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def _retry_after(value: int | datetime | str | None) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, datetime):
        value = format_datetime(value, usegmt=True)
    return {"Retry-After": str(value)}


def _garbage(kind: str) -> web.Response:
    if kind == "html":
        return web.Response(body=_PAGE, content_type="text/html")
    headers = {"Content-Encoding": "gzip"} if kind == "gzip" else {}
    return web.Response(body=b"\xff" + os.urandom(2000), headers=headers)


def _bomb(size: int) -> bytes:
    """A valid gzip body of `size` zeros, about a thousandth as large."""
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join((*packed, packer.compress(bytes(size % (1 << 20))), packer.flush()))


async def _endless(request: web.BaseRequest, honest: Answer, *, drip: bool) -> web.StreamResponse:
    """Half of an honest body, and then white space for ever, which JSON allows."""
    response = web.StreamResponse()
    await response.prepare(request)
    body = gzip.decompress(honest.body) if honest.gzipped else honest.body
    await response.write(body[: len(body) // 2])
    while True:
        await response.write(b" " if drip else _FLOOD)
        if drip:
            await asyncio.sleep(_DRIP_SECONDS)


async def _cut(request: web.BaseRequest, honest: Answer) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(honest.body)
    if honest.gzipped:
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    await response.write(honest.body[: len(honest.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response

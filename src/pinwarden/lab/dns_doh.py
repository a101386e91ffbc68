"""DNS over HTTPS in front of the lab's DNS server (RFC 8484), with its own ways to go wrong."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import ssl
from collections.abc import Callable
from typing import Literal

from aiohttp import web

from pinwarden.lab.dns_answers import Reply, Transport

_MEDIA_TYPE = "application/dns-message"
_SHORTEST = 12
_TOO_LONG = 2**20

Manner = Literal["honest", "wrong-type", "too-long", "endless", "empty", "silent", "redirect"]


class DoH:
    """One port that takes GET and POST at `/dns-query`.

    A test may set `status` to answer with another code, and `manner` for other
    trouble; `methods` are those of the requests that came.
    """

    def __init__(self, reply: Callable[[bytes, Transport, int], Reply]) -> None:
        self.port = 0
        self.status = 200
        self.manner: Manner = "honest"
        self.methods: list[str] = []
        self._reply = reply
        self._protocols: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def start(self, host: str, context: ssl.SSLContext) -> None:
        """Begin to listen on a free port."""
        # A visitor who leaves cancels the answer: silence ends.
        self._protocols = web.Server(
            self._answer, handler_cancellation=True, access_log=None, lingering_time=0
        )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocols, host, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None and self._protocols is not None:
            self._server.close()
            await self._protocols.shutdown(0.1)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.methods.append(request.method)
        wire = await _question(request)
        if wire is None or len(wire) < _SHORTEST:
            return web.Response(status=400)
        if self.status != 200:
            return web.Response(status=self.status)
        if self.manner == "redirect":
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        peer = request.transport.get_extra_info("peername") if request.transport else None
        reply = self._reply(wire, "https", peer[1] if peer else 0)
        await asyncio.sleep(reply.delay)
        if reply.wire is None or self.manner == "silent":
            await asyncio.Event().wait()
        if self.manner == "endless":
            return await _endless(request)
        body = {"too-long": bytes(_TOO_LONG), "empty": b""}.get(self.manner, reply.wire)
        kind = "text/html" if self.manner == "wrong-type" else _MEDIA_TYPE
        return web.Response(body=body, content_type=kind)


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    """Octets until the visitor leaves."""
    response = web.StreamResponse()
    response.content_type = _MEDIA_TYPE
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while request.transport is not None and not request.transport.is_closing():
            await response.write(bytes(_SHORTEST))
            await asyncio.sleep(0)
    return response


async def _question(request: web.BaseRequest) -> bytes | None:
    """RFC 8484 section 4.1: the body of a POST, or what GET has in `dns`."""
    if request.path != "/dns-query":
        return None
    if request.method == "POST":
        return await request.read() if request.content_type == _MEDIA_TYPE else None
    text = request.query.get("dns", "")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None

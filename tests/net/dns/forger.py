"""DNS servers over UDP and TCP that do with each question what the test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import dns.flags
import dns.message
import dns.rrset

# From the question as it came to the datagrams that go back, in order.
Answering = Callable[[bytes], list[bytes]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def forging(answering: Answering) -> AsyncIterator[tuple[str, asyncio.DatagramTransport]]:
    """Where it listens, over UDP only, and what it sends with."""

    class Server(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
            for each in answering(data):
                transport.sendto(each, addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}", transport
    finally:
        transport.close()


def answer_to(
    query: bytes, *answer: str, authority: tuple[str, ...] = (), flags: str = "QR AA RD"
) -> bytes:
    """An answer with records in the form `owner TTL type rdata`."""
    message = dns.message.make_response(dns.message.from_wire(query))
    message.flags = dns.flags.from_text(flags)
    for section, lines in ((message.answer, answer), (message.authority, authority)):
        for line in lines:
            owner, ttl, kind, rdata = line.split(" ", 3)
            section.append(dns.rrset.from_text(owner + ".", int(ttl), "IN", kind, rdata))
    return message.to_wire()


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """A TCP server that does with each visitor what the test says."""
    visits: set[asyncio.Task[None] | None] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*[each for each in visits if each])


async def message(reader: asyncio.StreamReader) -> bytes:
    """The next message of a stream."""
    size = int.from_bytes(await reader.readexactly(2), "big")
    return await reader.readexactly(size)

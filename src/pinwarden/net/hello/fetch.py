"""Asks a server for its first flight."""

from __future__ import annotations

import asyncio
import contextlib

from pinwarden.net.hello.flight import FirstFlight
from pinwarden.net.hello.offer import Offer
from pinwarden.net.served import HandedOver

__all__ = ["fetch_handed"]

_READ = 65536
_MOST_OCTETS = 1 << 20


async def fetch_handed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, offer: Offer
) -> HandedOver:
    """What a server hands over beside its certificates, over a connection where TLS begins.

    The connection is of no use afterwards, and whose server it is stays unproven. Raises
    `MalformedError` for an answer that is none, and OSError. How long this may take is for
    the caller to say.
    """
    flight = FirstFlight(host, offer)
    writer.write(flight.begin())
    received = 0
    while flight.found is None:
        await writer.drain()
        data = await reader.read(_READ)
        received += len(data)
        if not data:
            raise ConnectionError("closed the connection during the handshake")
        if received > _MOST_OCTETS:
            raise ConnectionError("sent a handshake of more than 1 MiB")
        writer.write(flight.receive(data))
    with contextlib.suppress(OSError):
        writer.write(flight.farewell())
        await writer.drain()
    return flight.found

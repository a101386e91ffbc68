"""asyncio, with STARTTLS: python asyncio_start_tls.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import asyncio
import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        await reader.readline()
        writer.write(b"STARTTLS\r\n")
        await reader.readline()
        # The name is what the pins are found by.
        await writer.start_tls(context, server_hostname=host)
        writer.write(b"hello\r\n")
        await writer.drain()
        print((await reader.readline()).decode().strip())
    finally:
        writer.close()
    await writer.wait_closed()


def main(*arguments: str) -> None:
    asyncio.run(talk(*arguments))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

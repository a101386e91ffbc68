"""asyncio streams on uvloop: python uvloop_streams.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        writer.write(b"hello\r\n")
        await writer.drain()
        print((await reader.readline()).decode().strip())
    finally:
        writer.close()
    await writer.wait_closed()


def main(*arguments: str) -> None:
    uvloop.run(talk(*arguments))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

"""websockets on asyncio: python websockets_asyncio.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.client import connect

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    async with connect(f"wss://{host}:{port}/", ssl=context) as connection:
        await connection.send("hello")
        print(await connection.recv())


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

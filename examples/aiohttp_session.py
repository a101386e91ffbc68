"""aiohttp: python aiohttp_session.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import asyncio
import sys

import aiohttp

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.aiohttp import PinnedConnector
from pinwarden.pinning import PinSet


async def get(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # aiohttp.TCPConnector(ssl=context) keeps the pins too, but any single request can leave
    # it with ssl=False.
    async with (
        aiohttp.ClientSession(connector=PinnedConnector(context)) as session,
        session.get(f"https://{host}:{port}/") as answer,
    ):
        print(await answer.text())


def main(*arguments: str) -> None:
    asyncio.run(get(*arguments))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

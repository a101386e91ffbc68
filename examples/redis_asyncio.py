"""redis-py on asyncio: python redis_asyncio.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import asyncio
import sys

from redis import asyncio as redis

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.redis import pinned_async_pool
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    pool = pinned_async_pool(context, f"rediss://{host}:{port}/0")
    async with redis.Redis.from_pool(pool) as client:
        await client.set("key", "value")
        print((await client.get("key")).decode())


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

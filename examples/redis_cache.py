"""redis-py: python redis_cache.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import redis

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.redis import pinned_pool
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    pool = pinned_pool(context, f"rediss://{host}:{port}/0")
    with redis.Redis.from_pool(pool) as client:
        client.set("key", "value")
        print(client.get("key").decode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

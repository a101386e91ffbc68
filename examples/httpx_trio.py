"""HTTPX on trio: python httpx_trio.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import httpx
import trio

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def get(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    async with httpx.AsyncClient(verify=context) as client:
        answer = await client.get(f"https://{host}:{port}/")
        print(answer.text)


def main(*arguments: str) -> None:
    trio.run(get, *arguments)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

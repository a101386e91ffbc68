"""anyio: python anyio_stream.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import anyio

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    async with await anyio.connect_tcp(
        host, int(port), tls=True, ssl_context=context, tls_standard_compatible=False
    ) as stream:
        await stream.send(b"hello\r\n")
        print((await stream.receive()).decode().strip())


def main(*arguments: str) -> None:
    anyio.run(talk, *arguments)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

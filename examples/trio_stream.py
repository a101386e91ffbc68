"""trio: python trio_stream.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import trio

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


async def talk(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # trio's own open_ssl_over_tcp_stream(host, port, ssl_context=context) is the same.
    plain = await trio.open_tcp_stream(host, int(port))
    async with trio.SSLStream(
        plain, context, server_hostname=host, https_compatible=True
    ) as stream:
        await stream.send_all(b"hello\r\n")
        print((await stream.receive_some()).decode().strip())


def main(*arguments: str) -> None:
    trio.run(talk, *arguments)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

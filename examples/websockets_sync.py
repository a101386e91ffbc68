"""websockets without an event loop: python websockets_sync.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

from websockets.sync.client import connect

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    with connect(f"wss://{host}:{port}/", ssl=context) as connection:
        connection.send("hello")
        print(connection.recv())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

"""websocket-client: python websocket_client.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import websocket

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # For an application: WebSocketApp(url).run_forever(sslopt={"context": context}).
    connection = websocket.create_connection(
        f"wss://{host}:{port}/", timeout=30, sslopt={"context": context}
    )
    try:
        connection.send("hello")
        print(connection.recv())
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

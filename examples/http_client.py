"""http.client of the standard library: python http_client.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import http.client
import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=30)
    try:
        connection.request("GET", "/")
        print(connection.getresponse().read().decode())
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

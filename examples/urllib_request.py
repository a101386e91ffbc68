"""urllib.request of the standard library: python urllib_request.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys
import urllib.request

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    url = f"https://{host}:{port}/"
    with urllib.request.urlopen(url, context=context, timeout=30) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

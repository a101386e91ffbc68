"""HTTPX: python httpx_sync.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import httpx

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # With `http2=True` it is HTTP/2. Through a proxy: proxy=httpx.Proxy(url), and where that is
    # spoken to over TLS, httpx.Proxy(url, ssl_context=...).
    with httpx.Client(verify=context) as client:
        print(client.get(f"https://{host}:{port}/").text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

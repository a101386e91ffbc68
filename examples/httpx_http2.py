"""HTTPX with HTTP/2: python httpx_http2.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import httpx

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    with httpx.Client(verify=context, http2=True) as client:
        answer = client.get(f"https://{host}:{port}/")
        print(answer.http_version, answer.text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

"""A whole process, libraries and all: python whole_process.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import ssl
import sys
import urllib.request

from pinwarden.clients import find_mismatch, install
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    with install(PinSet.load(pins)):
        some_library(f"https://{host}:{port}/", ssl.create_default_context(cafile=cafile))


def some_library(url: str, its_own: ssl.SSLContext) -> None:
    """Knows nothing of pins."""
    with urllib.request.urlopen(url, context=its_own, timeout=30) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

"""Requests: python requests_session.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.requests import PinnedSession
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    with PinnedSession(context) as session:
        print(session.get(f"https://{host}:{port}/", timeout=30).text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

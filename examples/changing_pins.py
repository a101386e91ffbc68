"""A new pin set while connections are open: python changing_pins.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import httpx

from pinwarden.clients import LivePins, PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    live = LivePins(PinSet.load(pins))
    context = PinnedContext(live, cafile=cafile)
    with httpx.Client(verify=context) as client:
        print(client.get(f"https://{host}:{port}/").text)
        # Somewhere else, the file has changed. A kept connection is looked at again before
        # the next request leaves on it, and is cut if it does not meet the new set.
        live.replace(PinSet.load(pins))
        print(client.get(f"https://{host}:{port}/").text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

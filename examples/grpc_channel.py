"""gRPC, as far as it goes: python grpc_channel.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import grpc

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.grpc import pinned_credentials
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    target = f"{host}:{port}"
    # Connects once under pins. What met them is all that the channel trusts from then on.
    credentials = pinned_credentials(context, target)
    with grpc.secure_channel(target, credentials) as channel:
        ask = channel.unary_unary("/shop.Shop/Ask")
        print(ask(b"hello", timeout=30).decode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))

"""Fuzzes what the relay reads of a PostgreSQL server before it lets bytes through.

`fuzz/target.py` says how it runs.
"""

import random
import struct

from target import damaged, run

from pinwarden.clients.postgres import WithoutChannelBinding

_OFFER = struct.pack("!i", 10) + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
_SEED = b"v" + struct.pack("!iii", 12, 3, 0) + b"R" + struct.pack("!i", len(_OFFER) + 4) + _OFFER


def check(data: bytes) -> None:
    whole = WithoutChannelBinding().feed(data)
    pieces, filtering = b"", WithoutChannelBinding()
    for at in range(len(data)):
        pieces += filtering.feed(data[at : at + 1])
    assert pieces == whole, "what is handed on depends on how it arrived"
    assert len(whole) <= len(data)
    assert data.startswith(whole) or b"-PLUS\0" in data


def make(number: random.Random) -> bytes:
    return damaged(_SEED, number) if number.random() < 0.8 else number.randbytes(40)


if __name__ == "__main__":
    run(check, make)

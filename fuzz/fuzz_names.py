"""Fuzzes the reading of names: any value has readings, and none of them escapes matching.

`fuzz/target.py` says how it runs.
"""

import random

from target import run

from pinwarden.errors import MalformedError
from pinwarden.names import (
    UNREADABLE_LABEL,
    display,
    ip_reading,
    is_plain_name,
    name_touches,
    normalise_name,
    readings,
)

PIECES = (
    *(b"example", b"com", b"www", b"xn--bcher-kva", b"192.0.2.1", b"[2001:db8::1]", b"http://"),
    *(b".", b"..", b"*", b"?", b"\0", b"/", b":", b" ", b",", b"\t", b"_", b"-", b"\x01", b"\x7f"),
    *("ü".encode(), "ü".encode("latin-1"), "。".encode(), "ｅ".encode(), "\u200b".encode()),
    *("\u202e".encode(), "\ue000".encode(), "ß".encode(), "İ".encode(), b"\xed\xa0\x80", b"\xff"),
)


def check(data: bytes) -> None:
    for value in (data, data.decode("utf-8", "surrogateescape"), data.decode("utf-16", "replace")):
        check_value(value)


def check_value(value: bytes | str) -> None:
    ip_reading(value)
    for name in readings(value):
        assert name
        assert name.replace(UNREADABLE_LABEL, "").isascii()
        assert all(name.split("."))
        assert name_touches(name, name.replace("*", "a"), False)
        assert name_touches("left." + name, name.replace("*", "a"), True)
        assert display(name).isprintable()
    text = value if isinstance(value, str) else value.decode("latin-1")
    try:
        name = normalise_name(text)
    except MalformedError:
        return
    assert is_plain_name(name.encode("ascii"))
    assert readings(name) == {name}
    assert name in readings(text)


def made_up(number: random.Random) -> bytes:
    """Pieces put together."""
    pieces = number.choices(PIECES, k=number.randint(0, 12))
    return b"".join(pieces) + number.randbytes(number.choice((0, 0, 0, 3)))


if __name__ == "__main__":
    run(check, made_up)

"""Fuzzes retired headers and saved answers: a report, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from target import damaged, run

from pinwarden.errors import MalformedError
from pinwarden.headers.expect_ct import parse_expect_ct
from pinwarden.headers.hpkp import parse_public_key_pins
from pinwarden.headers.judge import judge_headers
from pinwarden.headers.meta import find_meta
from pinwarden.headers.response import parse_response_head

_A = "7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y="
_B = "fwza0LRMXouZHRC8Ei+4PyuldPDcf3UKgO/04cDM1oE="
_PINS = f'pin-sha256="{_A}"; max-age="1\\0"; pin-sha256="{_B}"; includeSubDomains; report-uri="x:y"'
SEEDS = tuple(
    each.encode()
    for each in (
        f"HTTP/1.1 200 OK\r\nPublic-Key-Pins: {_PINS}\r\nExpect-CT: max-age=1, enforce\r\n\r\n",
        f"HTTP/2 301\nlocation: /\n\nHTTP/2 200\nPublic-Key-Pins-Report-Only: {_PINS}\n\n<html>",
        '> HEAD /\n< HTTP/1.1 200\n< expect-ct: max-age=0,\n<  report-uri="https://x/"\n< \n',
        '<!doctype html><!-- <meta http-equiv="Expect-CT"> -->\n<meta name=x>',
        "<META http-equiv='Public-Key-Pins' content='max-age&equals;1'>",
        _PINS,
        'enforce,, max-age="86400", report-uri="https://foo.example/r?a,b"',
    )
)
_T = TypeVar("_T")


def check(data: bytes) -> None:
    text = data.decode("latin-1")
    one_line(lambda: parse_public_key_pins(text))
    one_line(lambda: parse_expect_ct([text, text[::-1]]))
    fields = [("Public-Key-Pins", text), ("Expect-CT", text)]
    fields += [(each.name, each.content) for each in find_meta(text)]
    saved = one_line(lambda: parse_response_head(data))
    if saved is not None:
        assert all(each.isprintable() for each in saved.problems), saved.problems
        fields += [field for head in saved.heads for field in head.fields]
    for chain in (None, [_A], [_A, _B]):
        report = judge_headers(
            fields, scheme="https", host="a.example", chain_pins=chain, ct_qualified=True, html=text
        )
        assert all(each.message.isprintable() for each in report.findings), report.findings


def one_line(read: Callable[[], _T]) -> _T | None:
    """What a reader gives, or None if it says in one line why it gives nothing."""
    try:
        return read()
    except MalformedError as error:
        words = str(error)
    assert words.isprintable(), words
    return None


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)

"""The one thing that the relay changes: the offer of channel binding."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from pinwarden.clients.postgres import WithoutChannelBinding, refusal


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def sasl(*mechanisms: bytes) -> bytes:
    listed = b"".join(each + b"\0" for each in mechanisms) + b"\0"
    return message(b"R", struct.pack("!i", 10) + listed)


_OFFER = sasl(b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256")
_LESS = sasl(b"SCRAM-SHA-256")
_OTHER = st.sampled_from([message(b"N", b"SNOTICE\0\0"), message(b"v", bytes(8))])


def fed(data: bytes, cuts: list[int]) -> bytes:
    filtering, got, start = WithoutChannelBinding(), b"", 0
    for cut in [*sorted(cuts), len(data)]:
        got += filtering.feed(data[start:cut])
        start = cut
    return got


@given(st.lists(_OTHER, max_size=3), st.binary(max_size=50), st.lists(st.integers(0, 150)))
def test_the_offer_is_taken_out_however_it_arrives(
    before: list[bytes], after: bytes, cuts: list[int]
) -> None:
    head = b"".join(before)
    cuts = [min(each, len(head + _OFFER + after)) for each in cuts]
    assert fed(head + _OFFER + after, cuts) == head + _LESS + after


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_the_rest_is_left_as_it_is(parts: list[bytes]) -> None:
    """Behind any other message about authentication, and behind any error."""
    for first in (_LESS, message(b"R", bytes(4)), message(b"E", b"SFATAL\0\0"), b"X"):
        filtering = WithoutChannelBinding()
        data = first + b"".join(parts)
        got = filtering.feed(first) + b"".join(map(filtering.feed, parts))
        assert got == data or (first == b"X" and data.startswith(got))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_are_read(data: bytes, cuts: list[int]) -> None:
    """Never raises, invents nothing, and the pieces do not matter."""
    cuts = [min(each, len(data)) for each in cuts]
    got = fed(data, cuts)
    assert len(got) <= len(data)
    assert got == WithoutChannelBinding().feed(data)


def test_a_message_of_any_length_is_not_waited_for() -> None:
    endless = b"R" + struct.pack("!i", 1 << 30)
    assert WithoutChannelBinding().feed(endless) == endless


def test_a_refusal_is_one_message_whatever_it_says() -> None:
    said = refusal("no\0pin \x1b[31m" + "x" * 5000)
    kind, length = said[:1], int.from_bytes(said[1:5])
    assert (kind, length) == (b"E", len(said) - 1)
    fields = said[5:].split(b"\0")
    assert [each[:1] for each in fields] == [b"S", b"V", b"C", b"M", b"", b""]
    assert b"\x1b" not in said

"""The plain encodings: what is read is exactly what was written, and nothing is left."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.wire import (
    Reader,
    decode_base64,
    encode_base64,
    parse_timestamp,
    uint,
    vector,
)
from pinwarden.errors import MalformedError


def test_reader_takes_each_number_in_its_width() -> None:
    """A reader must take 1, 2, 3, 5 and 8 byte numbers, most significant byte first."""
    reader = Reader(bytes(range(1, 20)), "numbers")
    assert [reader.u8(), reader.u16(), reader.u24(), reader.u40(), reader.u64()] == [
        0x01,
        0x0203,
        0x040506,
        0x0708090A0B,
        0x0C0D0E0F10111213,
    ]
    reader.finish()


def test_reader_refuses_what_is_left() -> None:
    """Bytes after the end must be an error that names the structure."""
    reader = Reader(b"\x00\x01", "thing")
    reader.u8()
    with pytest.raises(MalformedError, match="thing has 1 bytes after its end"):
        reader.finish()


@pytest.mark.parametrize("count", [-1, 3, 1 << 70])
def test_reader_refuses_to_run_over_the_end(count: int) -> None:
    """Asking for more than there is, or for less than nothing, must be our error."""
    with pytest.raises(MalformedError, match="thing ends too early"):
        Reader(b"ab", "thing").take(count)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.binary(max_size=255)), max_size=8))
def test_vectors_round_trip(fields: list[tuple[int, bytes]]) -> None:
    """Vectors of any prefix size must come back as they were written."""
    reader = Reader(b"".join(vector(data, size) for size, data in fields), "vectors")
    assert [data for _, data in fields] == [reader.vector(size) for size, _ in fields]
    reader.finish()


@given(st.binary(max_size=40), st.integers(1, 8))
def test_reader_never_leaves_the_data(data: bytes, size: int) -> None:
    """Any bytes must give a value from within the data or our error."""
    reader = Reader(data, "anything")
    try:
        value = reader.vector(size)
    except MalformedError:
        return
    assert data[size : size + len(value)] == value


@pytest.mark.parametrize(("value", "size"), [(256, 1), (1 << 64, 8), (-1, 4)])
def test_numbers_that_do_not_fit_are_refused(value: int, size: int) -> None:
    """A number must never be cut to its field."""
    with pytest.raises(MalformedError):
        uint(value, size)


def test_vectors_that_do_not_fit_are_refused() -> None:
    """A vector must never be longer than its length can say."""
    with pytest.raises(MalformedError):
        vector(bytes(256), 1)


@given(st.binary(max_size=64))
def test_base64_round_trips(data: bytes) -> None:
    """Every value must have one text, and that text its value."""
    assert data == decode_base64(encode_base64(data), "value")


@pytest.mark.parametrize(
    "text",
    [
        "QQ",
        "QQ=",
        "QR==",
        "QQ==\n",
        " QQ==",
        "QQ==QQ==",
        "Q-==",
        "QQ===",
        "=",
        "\u00e9A==",
        "Q\x00==",
    ],
)
def test_base64_has_no_second_spelling(text: str) -> None:
    """White space, missing padding, other alphabets and loose bits must all be refused."""
    with pytest.raises(MalformedError, match="value is not"):
        decode_base64(text, "value")


@given(st.text(max_size=16))
def test_only_canonical_base64_is_accepted(text: str) -> None:
    """Any text must be the encoding of its value, or an error of ours."""
    try:
        data = decode_base64(text, "value")
    except MalformedError:
        return
    assert text == encode_base64(data)


def test_timestamps_keep_their_milliseconds() -> None:
    """A time on the wire must come out exact and aware."""
    expected = datetime(2025, 3, 14, 15, 9, 26, 535000, tzinfo=UTC)
    assert expected == parse_timestamp(1_741_964_966_535, "time")


@given(st.integers(-(1 << 70), 1 << 70))
def test_every_number_is_a_time_or_refused(milliseconds: int) -> None:
    """A time that no calendar has must be our error."""
    try:
        parsed = parse_timestamp(milliseconds, "time")
    except MalformedError:
        return
    assert parsed.tzinfo is UTC

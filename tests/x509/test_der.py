"""Elements are read within their bounds, tolerantly where that hides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.x509 import der
from x509.der_writer import indefinite, oid, seq, tlv


def read(data: bytes) -> der.TLV:
    return der.read_tlv(data, 0, len(data))


@given(st.binary(max_size=300), st.sampled_from([0x02, 0x04, 0x30, 0x82, 0xA3]), st.integers(0, 9))
def test_reads_what_was_written(content: bytes, tag: int, padding: int) -> None:
    """An element is read with any number of needless zero octets in its length."""
    data = tlv(tag, content, padding=padding)
    found = read(data)
    assert (found.tag, data[found.start : found.end]) == (tag, content)
    assert (found.header_start, found.end) == (0, len(data))


@given(st.binary(max_size=70_000))
def test_writes_the_shortest_length(content: bytes) -> None:
    """What is written is DER, and reads as what was put in."""
    data = der.encode_tlv(0x30, content)
    assert data == tlv(0x30, content)
    assert read(data).end == len(data)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "cut off"),
        (b"\x30", "cut off"),
        (b"\x30\x01", "runs past"),
        (b"\x30\x82\x01", "runs past"),
        (b"\x30\x84\xff\xff\xff\xff", "runs past"),
        (b"\x30\xfe" + b"\xff" * 200, "runs past"),
        (indefinite(0x30, b"\x05\x00"), "indefinite"),
        (b"\x1f\xff\xff\xff\xff\x7f\x00", "tag of more than"),
        (b"\x1f\xff", "cut off"),
    ],
)
def test_refuses_what_it_cannot_bound(data: bytes, wrong: str) -> None:
    """An element without a definite end inside its parent is an error."""
    with pytest.raises(MalformedError, match=wrong):
        read(data)


def test_a_small_tag_number_in_long_form_is_that_tag() -> None:
    """A dNSName whose tag is in the long form, which OpenSSL takes, is not hidden by it."""
    assert read(b"\x9f\x02\x01a").tag == 0x82
    assert read(b"\x9f\x80\x02\x01a").tag == 0x82
    assert read(b"\x3f\x10\x00").tag == 0x30
    assert read(b"\x9f\x1f\x00").tag != read(b"\x9f\x20\x00").tag


@given(st.binary(max_size=200))
def test_children_tile_what_they_read(data: bytes) -> None:
    """Elements follow each other without gap or overlap until the end or an error."""
    position = 0
    try:
        for child in der.children(data, 0, len(data)):
            assert child.header_start == position
            assert child.header_start < child.start <= child.end <= len(data)
            position = child.end
    except MalformedError:
        return
    assert position == len(data)


def test_puts_strings_together() -> None:
    """A string in nested pieces is the pieces joined."""
    data = tlv(
        0x24, tlv(0x04, b"exam"), tlv(0x24, tlv(0x04, b"ple"), tlv(0x04)), tlv(0x04, b".com")
    )
    assert der.octets(data, read(data)) == b"example.com"
    assert der.octets(b"\x04\x01a", read(b"\x04\x01a")) == b"a"
    overrun = tlv(0x24, tlv(0x24, b"\x04\x02a"), tlv(0x04, b"b"))
    with pytest.raises(MalformedError):
        der.octets(overrun, read(overrun))


def test_depth_costs_no_stack() -> None:
    """A string nested deeper than any call stack is read."""
    nested = b"\x24\x84\x00\x00\x00\x00" * 1000
    assert der.octets(nested, der.TLV(0x24, 0, len(nested), 0)) == b""
    deep = b""
    for _ in range(5_000):
        deep = b"\x24\x83" + len(deep).to_bytes(3, "big") + deep
    assert der.octets(deep, read(deep)) == b""


@given(st.lists(st.integers(0, 2**40), max_size=6))
def test_object_identifiers(arcs: list[int]) -> None:
    """An object identifier reads as it was written, and padding of an arc does not change it."""
    text = ".".join(map(str, (2, 5, *arcs)))
    content = oid(text)[2:]
    assert der.oid_text(content) == text
    assert der.oid_text(b"\x80" + content) == text


@pytest.mark.parametrize("content", [b"", b"\x55\x9d", b"\x55" * 129])
def test_refuses_broken_object_identifiers(content: bytes) -> None:
    """An empty, cut-off or endless object identifier is an error."""
    with pytest.raises(MalformedError):
        der.oid_text(content)


def test_errors_say_what_was_read() -> None:
    """An error from inside a field carries the name of the field."""
    with (
        pytest.raises(MalformedError, match=r"^subject: element at offset 0"),
        der.reading("subject"),
    ):
        read(seq(b"")[:1])

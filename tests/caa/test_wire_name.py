"""Names on the wire and as text, against dnspython."""

from __future__ import annotations

import dns.exception
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.wire_name import encode_name, prefix_below, read_name, skip_name
from pinwarden.errors import MalformedError

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=6)


def wire_of(labels: list[bytes]) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


@given(LABELS)
def test_text_is_that_of_dnspython(labels: list[bytes]) -> None:
    """Any octets make the same text as there, and the text makes the same octets again."""
    wire = wire_of(labels)
    if len(wire) > 255:
        with pytest.raises(MalformedError, match="longer than 255"):
            read_name(wire, 0, {})
        return
    text = read_name(wire, 0, {})
    theirs = dns.name.from_wire(wire, 0)[0].canonicalize()
    assert text == (theirs.to_text(omit_final_dot=True) if labels else ".")
    assert skip_name(wire, 0) == len(wire)
    assert encode_name(text) == theirs.to_wire()
    assert text.isascii()
    assert text.isprintable()


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """Nothing but MalformedError, and what is accepted is what dnspython makes of it."""
    try:
        wire = encode_name(text)
    except MalformedError:
        return
    # Without a backslash it stands for the zone itself there, as in zone files.
    theirs = dns.name.from_text("\\@" if text == "@" else text).canonicalize()
    assert wire == theirs.to_wire()


@given(st.binary(max_size=60), st.integers(0, 59))
def test_any_octets_are_a_name_or_refused(wire: bytes, at: int) -> None:
    """Pointers to anywhere: our error or the end of the octets, and never a circle."""
    try:
        text = read_name(wire, at, {})
    except (MalformedError, IndexError):
        return
    try:
        theirs = dns.name.from_wire(wire, at)[0].canonicalize()
    except dns.exception.DNSException:
        pytest.fail(f"{wire!r} is no name, and was read as {text}")
    assert text == (theirs.to_text(omit_final_dot=True) if theirs != dns.name.root else ".")


@pytest.mark.parametrize(
    "text", ["", "..", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 4), "ä", "a\\", "a\\999"]
)
def test_text_that_is_no_name(text: str) -> None:
    with pytest.raises(MalformedError, match="name "):
        encode_name(text)


def test_the_longest_name() -> None:
    """253 characters are the most that fit into 255 octets."""
    name = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert len(name) == 253
    assert len(encode_name(name)) == 255


def test_a_name_known_before_is_not_read_again() -> None:
    """Pointers may lead into names that were read, whose octets count all the same."""
    wire = wire_of([b"example", b"com"]) + b"\x03www\xc0\x00" + b"\x01a\xc0\x0d"
    known: dict[int, tuple[str, int]] = {}
    assert read_name(wire, 0, known) == "example.com"
    assert read_name(wire, 13, known) == "www.example.com"
    assert read_name(wire, 19, known) == "a.www.example.com"
    assert known[19][1] == 19


def test_pointers_to_pointers_end() -> None:
    """A ladder of pointers without labels must not make one name cost thousands of steps."""
    ladder = b"\0\0" + b"".join((0xC000 | 2 * step).to_bytes(2, "big") for step in range(8000))
    with pytest.raises(MalformedError, match="does not lead to an earlier name"):
        read_name(ladder, len(ladder) - 2, {})


@pytest.mark.parametrize(
    ("name", "ancestor", "prefix"),
    [
        ("www.example.com", "example.com", "www."),
        ("example.com", "example.com", None),
        ("notexample.com", "example.com", None),
        (r"a\.example.com", "example.com", None),
        (r"a\\.example.com", "example.com", "a\\\\."),
        ("com", ".", "com."),
        (".", ".", None),
    ],
)
def test_what_stands_before_an_ancestor(name: str, ancestor: str, prefix: str | None) -> None:
    assert prefix_below(name, ancestor) == prefix

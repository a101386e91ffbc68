"""One spelling for each name, so that equal names are equal strings."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.labels import (
    domain_text,
    is_at_or_below,
    parent,
    parse_domain,
    parse_wire_domain,
    shown_name,
    wire_length,
)
from pinwarden.caa.wire_name import encode_name
from pinwarden.errors import MalformedError

NAMES = st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "origin", "name"),
    [
        ("WWW.Example.COM.", None, "www.example.com"),
        ("www", "example.com", "www.example.com"),
        ("www.", "example.com", "www"),
        ("@", "example.com", "example.com"),
        ("www", "", "www"),
        (".", "example.com", ""),
        ("\\087ww", "example.com", "www.example.com"),
        ("a\\.b.c.", None, "a\\046b.c"),
        ("a\\.", "c", "a\\046.c"),
        ("\\@", "c", "\\064.c"),
        ("a b.", None, "a\\032b"),
        ("É.", None, "\\195\\137"),
        ("*.x.", None, "*.x"),
        ("x" * 63, None, "x" * 63),
    ],
)
def test_names_get_one_spelling(text: str, origin: str | None, name: str) -> None:
    assert parse_domain(text, origin) == name


@pytest.mark.parametrize(
    "text", ["", "..", ".a", "a..b", "x" * 64, "\\1", "\\999", "a\\", "a." * 128]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="name"):
        parse_domain(text, "example.com")


@given(NAMES)
def test_the_spelling_is_that_of_dnspython_and_of_messages(labels: list[bytes]) -> None:
    name = domain_text(labels)
    oracle = dns.name.Name([*labels, b""]).canonicalize()
    wire = oracle.to_wire()
    assert parse_domain(name + ".") == name
    assert parse_domain(shown_name(name) + ".") == name
    assert parse_domain(oracle.to_text()) == name
    assert parse_wire_domain(wire) == name
    assert encode_name(shown_name(name)) == wire
    assert wire_length(name) == len(wire)
    assert name.count(".") == len(labels) - 1
    assert parent(name) == domain_text(labels[1:])
    assert is_at_or_below(name, parent(name))
    assert name.isprintable()


@given(st.text(alphabet="aA.\\019@é*\n\x00 \ud800", max_size=20), st.none() | st.just("ex"))
def test_any_text_is_a_name_or_malformed(text: str, origin: str | None) -> None:
    try:
        name = parse_domain(text, origin)
    except MalformedError:
        return
    assert parse_domain(name + ".") == name


@pytest.mark.parametrize(
    ("name", "ancestor", "below"),
    [
        ("a.example", "example", True),
        ("example", "example", True),
        ("example", "", True),
        ("notexample", "example", False),
        ("example", "a.example", False),
    ],
)
def test_below_is_by_whole_labels(name: str, ancestor: str, below: bool) -> None:
    assert is_at_or_below(name, ancestor) is below


@pytest.mark.parametrize("wire", [b"", b"\x01a", b"\x01a\x00\x00", b"\xc0\x00", b"\x02a\x00"])
def test_wire_that_is_no_name(wire: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_wire_domain(wire)

"""The user's names are checked strictly; names in certificates are read generously."""

from __future__ import annotations

import gzip
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.names import (
    UNREADABLE_LABEL,
    VALUE_LIMIT,
    display,
    ip_reading,
    is_plain_name,
    label_matches,
    name_touches,
    normalise_name,
    readings,
)

U = UNREADABLE_LABEL

LDH = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
plain_names = st.builds(
    lambda wildcard, labels, dot: ("*." if wildcard else "") + ".".join(labels) + dot,
    st.booleans(),
    st.lists(st.text(LDH, min_size=1, max_size=12), min_size=1, max_size=6),
    st.sampled_from(["", "."]),
)
values = st.one_of(st.binary(max_size=200), st.text(max_size=100), plain_names)
watched_labels = st.text("abcxyz019-", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("given_text", "name"),
    [
        ("EXAMPLE.com.", "example.com"),
        ("  example.com\n", "example.com"),
        ("_dmarc.Example.com", "_dmarc.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("ｅｘａｍｐｌｅ。com．", "example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("xn--i-7iq.ws", "xn--i-7iq.ws"),
        ("localhost", "localhost"),
    ],
)
def test_normalises_names(given_text: str, name: str) -> None:
    """A name in any usual spelling becomes lower-case A-labels without a final dot."""
    assert normalise_name(given_text) == name


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is empty"),
        (".", "is empty"),
        ("a..b", "empty label"),
        (".example.com", "empty label"),
        ("exam ple.com", "'exam ple' is not a host label"),
        ("ex\0ample.com", r"'ex\x00ample' is not a host label"),
        ("*.example.com", "'*' is not a host label"),
        ("example.com/path", "'com/path' is not a host label"),
        ("-a.example", "'-a' is not a host label"),
        ("a" * 64 + ".example", "more than 63"),
        (".".join(["a" * 60] * 5), "longer than 253"),
        ("é" * 70 + ".example", "not a valid internationalised label"),
        ("a" * 2000, "longer than 253"),
        ("192.0.2.1", "is an IP address"),
        ("2001:db8::1", "is an IP address"),
        ("i❤.ws", "not a valid internationalised label"),
        ("a\u200db.example", "not a valid internationalised label"),
        ("xn--zzzzzzzz99999999", "is not Punycode"),
        ("\ud800.example", "no DNS name may hold"),
    ],
)
def test_says_what_is_wrong_with_a_name(text: str, wrong: str) -> None:
    """What is no DNS name is refused in one printable line that names the fault."""
    with pytest.raises(MalformedError) as caught:
        normalise_name(text)
    assert wrong in str(caught.value)
    assert str(caught.value).isprintable()


def test_hints_at_the_a_label() -> None:
    """An emoji domain can be watched after all, and the error says how."""
    with pytest.raises(MalformedError) as caught:
        normalise_name("i❤.ws")
    assert caught.value.hint is not None
    assert "xn--i-7iq" in caught.value.hint


@given(st.text(max_size=80))
def test_normalising_gives_a_name_or_our_error(text: str) -> None:
    """Any text is normalised to a fixed point of bounded length, or refused by our error."""
    try:
        name = normalise_name(text)
    except MalformedError:
        return
    assert len(name) <= 253
    assert normalise_name(name) == name
    assert is_plain_name(name.encode())


def test_agrees_with_the_idna_vectors(corpus: Path) -> None:
    """Every name of the UTS #46 vectors that has an A-label form gets it, and is read so."""
    compared = 0
    with gzip.open(corpus / "idn" / "idna_uts46_vectors.jsonl.gz", "rt") as lines:
        for vector in map(json.loads, lines):
            if vector["op"] != "encode":
                continue
            found = readings(vector["input"].encode("utf-8", "surrogatepass"))
            if not vector["expect"]:
                continue
            name = vector["expect"].removesuffix(".")
            assert normalise_name(vector["input"]) == name
            assert name in found
            compared += 1
    assert compared == 190


@given(plain_names)
def test_a_plain_name_has_one_reading(name: str) -> None:
    """A value of letters, digits, hyphens and underscores is read as nothing but itself."""
    expected = frozenset({name.lower().removesuffix(".")})
    assert readings(name) == expected
    assert readings(name.encode()) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"http://www.Example.com", {"www.example.com"}),
        (b"HTTPS://www.example.com/", {"www.example.com", "www.example.com/"}),
        (b"example.com/evil.org", {"example.com", "example.com/evil.org", "evil.org"}),
        (b"example.com\0.evil.org", {"example.com", f"example.{U}.evil.org", "evil.org"}),
        (b"localhost\0.evil.org", {"localhost", f"{U}.evil.org", "evil.org"}),
        (b"\0example.com\0\0", {"example.com"}),
        (b"example.com:8443", {"example.com", "example.com:8443"}),
        (b" \t example.com. \n", {"example.com"}),
        (b"example.com\xa0".decode("latin-1"), {"example.com"}),
        (b".example.com", {"example.com"}),
        (b"www..example.com", {"www.example.com"}),
        (
            b"a.example.com, b.example.com",
            {"a.example.com, b.example.com", "a.example.com", "b.example.com"},
        ),
        (b"DNS:example.com", {"dns:example.com", "dns", "example.com"}),
        (b"w*w.example.com", {"w*w.example.com"}),
        (b"*.*.example.com", {"*.*.example.com"}),
        (b"?.example.com", {"?.example.com"}),
        (b"exam\x01ple.com", {f"{U}.com"}),
        (b"\x01", {U}),
        ("b\xfccher.example", {"xn--bcher-kva.example"}),
        (b"b\xfccher.example", {"xn--bcher-kva.example", "bcher.example"}),
        (b"exam\xadple.com", {"example.com", "xn--example-oka.com"}),
        (b"2001:DB8:0::1", {"2001:db8::1"}),
        (b"ex\xef\xbf\xbdmple.com".decode(), {f"{U}.com"}),
        ("exa\ud800mple.com", {f"{U}.com"}),
        ("é" * 64 + ".example.com", {f"{U}.example.com"}),
        (b"", set()),
        (b" . ", set()),
    ],
)
def test_reads_every_way(value: bytes | str, expected: set[str]) -> None:
    """Each way in which a careless or hostile value can be read is among its readings."""
    assert readings(value) == expected


def test_reads_utf8_and_latin1() -> None:
    """Octets beyond ASCII are read in both encodings that CAs put into IA5Strings."""
    assert "xn--bcher-kva.example" in readings("BÜCHER.example".encode())
    assert "xn--bcher-kva.example" in readings("BÜCHER.example".encode("latin-1"))


def test_full_width_forms_are_an_extra_reading() -> None:
    """Full-width letters and ideographic dots are read as the ASCII they map to."""
    assert "www.example.com" in readings("ｗｗｗ。ｅｘａｍｐｌｅ．com")
    assert "example.com" in readings("example．com／evil.org".encode())


def test_a_disallowed_character_does_not_hide_a_full_width_dot() -> None:
    """The mapping of the rest survives a character that UTS #46 refuses."""
    assert "www.example.com" in {
        name.partition(".")[2] for name in readings("\ue000．www．example．com")
    }


def test_a_value_too_long_to_read_touches_everybody() -> None:
    """A value that is no plain name and longer than any name is one unreadable name."""
    assert readings(b"example.com " * 100) == {U}
    assert readings("。" * 16_000_000) == {U}
    assert readings(b"a." * 8_000_000 + b"example.com") == {"a." * 8_000_000 + "example.com"}
    assert name_touches(U, "example.com", False)


@given(values)
def test_readings_are_bounded_and_regular(value: bytes | str) -> None:
    """Readings never raise; they are ASCII or unreadable labels, trimmed, none of them empty."""
    found = readings(value)
    assert len(found) <= 6 * VALUE_LIMIT
    for name in found:
        assert name.replace(U, "").isascii()
        assert all(name.split("."))
        assert name
        assert not any(ord(c) < 0x20 for c in name)


@given(watched_labels, watched_labels, st.binary(max_size=40), st.sampled_from(b"\0/:, \t"))
def test_nothing_after_a_separator_hides_a_name(
    one: str, other: str, rest: bytes, separator: int
) -> None:
    """A name stays readable whatever follows its NUL, slash, port, comma or space."""
    name = f"{one}.{other}.example"
    assert name in readings(name.encode() + bytes((separator,)) + rest)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"192.0.2.1", IPv4Address("192.0.2.1")),
        (" 192.0.2.1. ", IPv4Address("192.0.2.1")),
        (b"https://192.0.2.1/x", IPv4Address("192.0.2.1")),
        (b"192.0.2.1:443", IPv4Address("192.0.2.1")),
        (b"2001:DB8::1", IPv6Address("2001:db8::1")),
        (b"[2001:db8::1]:443", IPv6Address("2001:db8::1")),
        (b"fe80::1%eth0", IPv6Address("fe80::1")),
        (b"192.0.2.1\0.example.com", IPv4Address("192.0.2.1")),
        (b"192.0.2", None),
        (b"192.0.2.1.example", None),
        (b"", None),
        (b"example1", None),
        ("１９２.0.2.1", None),
        (b"1" * 5000, None),
    ],
)
def test_reads_address_literals(
    value: bytes | str, address: IPv4Address | IPv6Address | None
) -> None:
    """An address literal is recognised also in a URL, in brackets and with a port."""
    assert ip_reading(value) == address


@given(values)
def test_ip_reading_never_raises(value: bytes | str) -> None:
    """Any value is an address or is none."""
    address = ip_reading(value)
    assert address is None or str(address)


def test_display_shows_what_hides() -> None:
    """Controls, bidirectional overrides and invisible characters are shown as escapes."""
    assert display("a\x1b[31m\u202eb\u200bc\ud800\u3164\n") == (
        r"a\x1b[31m\u202eb\u200bc\ud800\u3164\n"
    )
    assert display("xn--bcher-kva.example") == "xn--bcher-kva.example"
    assert display("Bücher 書") == "Bücher 書"


@given(st.text(max_size=300), st.integers(0, 100))
def test_display_is_bounded_and_printable(text: str, limit: int) -> None:
    """Whatever comes in, one bounded printable line goes out."""
    shown = display(text, limit)
    assert shown.isprintable()
    assert len(shown) <= 10 * limit + 1


@pytest.mark.parametrize(
    ("cert_label", "watched_label", "matches"),
    [
        ("www", "www", True),
        ("www", "mail", False),
        ("*", "www", True),
        ("?", "www", True),
        (U, "www", True),
        ("w*w", "www", True),
        ("w*w", "ww", True),
        ("w*w", "w", False),
        ("w*", "www", True),
        ("*w", "wwx", False),
        ("a*b*c", "aXXbYYc", True),
        ("a*b*c", "aXXcYYb", False),
        ("ab*bc", "abc", False),
        ("**", "www", True),
        ("w?w", "www", False),
    ],
)
def test_labels_match(cert_label: str, watched_label: str, matches: bool) -> None:
    """Wildcards, also inside a label, and unreadable labels stand for watched labels."""
    assert label_matches(cert_label, watched_label) is matches


@given(st.lists(st.text("ab", max_size=3), min_size=2, max_size=5), st.data())
def test_a_glob_matches_what_it_was_made_of(parts: list[str], data: st.DataObject) -> None:
    """Text put where the stars are always matches."""
    text = parts[0]
    for part in parts[1:]:
        text += data.draw(st.text("abc", max_size=3)) + part
    assert label_matches("*".join(parts), text)


def test_a_hostile_glob_does_not_backtrack() -> None:
    """A pattern made to explode a backtracking matcher is answered at once."""
    assert not label_matches("*a" * 500 + "*b*", "a" * 1000)


@pytest.mark.parametrize(
    ("cert_name", "watched_name", "below", "touches"),
    [
        ("example.com", "example.com", False, True),
        ("example.com", "example.com", True, True),
        ("www.example.com", "example.com", False, False),
        ("www.example.com", "example.com", True, True),
        ("a.b.example.com", "example.com", True, True),
        ("notexample.com", "example.com", True, False),
        ("*.example.com", "sub.example.com", False, True),
        ("*.example.com", "sub.example.com", True, True),
        ("*.example.com", "example.com", False, False),
        ("*.example.com", "example.com", True, True),
        ("*.com", "example.com", False, True),
        ("*.com", ".example.com", True, True),
        ("*.com", "sub.example.com", True, False),
        ("com", "example.com", True, False),
        (f"{U}.com", "example.com", False, True),
        (f"www.{U}.com", "example.com", True, True),
        (f"{U}.{U}", "example.com", False, True),
        (U, "example.com", False, True),
        ("ex*le.com", "example.com", False, True),
        ("?.example.com", "secret.example.com", False, True),
    ],
)
def test_names_touch(cert_name: str, watched_name: str, below: bool, touches: bool) -> None:
    """Labels are compared from the right, and when in doubt the name is ours."""
    assert name_touches(cert_name, watched_name, below) is touches


@given(st.lists(watched_labels, min_size=1, max_size=4), st.lists(watched_labels, max_size=3))
def test_a_name_touches_all_above_it(labels: list[str], left: list[str]) -> None:
    """Every name touches itself, and with `below` each of its parents."""
    watched = ".".join(labels)
    name = ".".join([*left, *labels])
    assert name_touches(name, watched, True)
    assert name_touches(name, watched, False) is (not left)


@given(st.from_regex(r"[a-z0-9_.x-]{1,80}", fullmatch=True))
def test_a_normal_name_is_what_the_long_way_makes_of_it(text: str) -> None:
    """The short way for names that need no change gives no other answer than the long one."""
    upper = text.upper()
    try:
        expected = normalise_name(upper)
    except MalformedError:
        with pytest.raises(MalformedError):
            normalise_name(text)
    else:
        assert normalise_name(text) == expected

"""The watch list: what is on it, and what it meets."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.names import UNREADABLE_LABEL, name_touches
from pinwarden.watch.watchlist import WatchItem, Watchlist, parse_watch_item, parse_watchlist
from pinwarden.x509.identifiers import Identifiers


def watch(*texts: str) -> Watchlist:
    return Watchlist(parse_watch_item(text) for text in texts)


def matched(items: tuple[WatchItem, ...]) -> list[str]:
    return [item.text for item in items]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", [".example.com", "example.com"]),
        ("www.example.com", [".example.com", "www.example.com"]),
        ("a.b.example.com", [".example.com"]),
        ("*.example.com", [".example.com", "www.example.com"]),
        ("*.com", [".example.com", "example.com"]),
        ("w*w.example.com", [".example.com", "www.example.com"]),
        ("?.example.com", [".example.com", "www.example.com"]),
        ("ex*le.com", [".example.com", "example.com"]),
        (f"{UNREADABLE_LABEL}.com", [".example.com", "example.com"]),
        ("notexample.com", []),
        ("example.com.evil.net", []),
        ("com", []),
        ("*", []),
        ("", []),
    ],
)
def test_a_name_meets_the_items_it_touches(name: str, expected: list[str]) -> None:
    """Exact names, names below, wildcards, globs and unreadable labels, label by label."""
    watchlist = watch(".example.com", "example.com", "www.example.com", "other.net")
    assert matched(watchlist.match_name(name)) == expected


_LABEL = st.sampled_from(["a", "b", "com", "*", "?", "a*", UNREADABLE_LABEL])
_NAME = st.lists(_LABEL, min_size=1, max_size=4).map(".".join)
_WATCHED = st.lists(st.sampled_from(["a", "b", "ab", "com"]), min_size=1, max_size=3)


@given(
    names=st.lists(_NAME, max_size=4),
    watched=st.lists(st.tuples(st.booleans(), _WATCHED.map(".".join)), max_size=6),
)
def test_the_tree_says_what_comparing_each_pair_says(
    names: list[str], watched: list[tuple[bool, str]]
) -> None:
    """The label tree is only a faster form of comparing every name with every item."""
    # A name of which nothing can be read concerns everybody: that is for the
    # caller to say, not a match of every item.
    names = [name for name in names if name != UNREADABLE_LABEL]
    watchlist = watch(*("." * below + name for below, name in watched))
    expected = {
        "." * below + item
        for below, item in watched
        if any(name_touches(name, item, below) for name in names)
    }
    identifiers = Identifiers(dns=tuple(names), ips=(), emails=(), uris=(), unreadable=())
    assert set(matched(watchlist.match(identifiers))) == expected


def test_a_lone_dot_watches_everything() -> None:
    """`.` meets any name at all."""
    watchlist = watch(".")
    assert watchlist.watches_everything
    assert matched(watchlist.match_name("anything.example")) == ["."]


def test_a_lone_dot_watches_what_has_no_name() -> None:
    """Whoever watches everything is shown a certificate without any name, too."""
    nothing = Identifiers(dns=(), ips=(), emails=(), uris=(), unreadable=())
    assert matched(watch(".", "example.com").match(nothing)) == ["."]


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("before", [b"", b"\x82", b"a", b"\x0f0", b"pay."])
@pytest.mark.parametrize("behind", [b"", b"\x00", b"0", b"a0b", b".evil", b"\xff"])
def test_a_name_in_unreadable_bytes_is_mentioned(
    before: bytes, behind: bytes, encoding: str
) -> None:
    """In whatever stands around it, a watched name is recognised; another is not."""
    watchlist = watch(".shop.example", "other.example", "example")
    data = before + "SHOP.example".encode(encoding) + behind
    assert matched(watchlist.mentioned(data)) == [".shop.example"]


@given(st.binary(max_size=200))
def test_any_bytes_mention_no_more_than_is_there(data: bytes) -> None:
    """What is mentioned stands in the bytes."""
    for item in watch("a.b", ".b.a", "aa.b").mentioned(data):
        assert item.text.strip(".").encode() in data.lower().replace(b"\x00", b"")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", ["192.0.2.0/24", "192.0.2.7"]),
        ("192.0.2.8", ["192.0.2.0/24"]),
        ("192.0.3.7", []),
        ("2001:db8::1", ["2001:db8::/32"]),
        ("::ffff:192.0.2.7", []),
    ],
)
def test_an_address_meets_its_ranges(address: str, expected: list[str]) -> None:
    """Addresses are compared by network, and versions are never mixed."""
    watchlist = watch("192.0.2.0/24", "192.0.2.7", "2001:db8::/32")
    found = watchlist.match(
        Identifiers(dns=(), ips=(ip_address(address),), emails=(), uris=(), unreadable=())
    )
    assert matched(found) == expected


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Example.COM.", "example.com"),
        (".Example.com", ".example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        (" example.com ", "example.com"),
    ],
)
def test_an_item_has_one_spelling(text: str, canonical: str) -> None:
    """However a person writes it, an item is kept in one form."""
    assert parse_watch_item(text).text == canonical


@pytest.mark.parametrize(
    "text",
    ["", "  ", "..", "*.example.com", "exa mple.com", "192.0.2.1/24", "192.0.2.300", "a..b", "-"],
)
def test_a_bad_item_is_refused_in_one_line(text: str) -> None:
    """What cannot be watched is said, and not skipped."""
    with pytest.raises(MalformedError) as caught:
        parse_watch_item(text)
    assert "\n" not in str(caught.value)


def test_a_watch_list_file_has_comments_and_names_its_bad_line() -> None:
    """One item a line; a bad one is named by its number."""
    items = parse_watchlist("# ours\nexample.com\n\n.example.net  # and below\n")
    assert matched(items) == ["example.com", ".example.net"]
    with pytest.raises(MalformedError, match="line 2"):
        parse_watchlist("example.com\nexa mple.com\n")


@given(st.text(max_size=40))
def test_any_text_is_an_item_or_our_error(text: str) -> None:
    """No text a person may type breaks the reader of items."""
    try:
        item = parse_watch_item(text)
    except MalformedError:
        return
    assert parse_watch_item(item.text) == item

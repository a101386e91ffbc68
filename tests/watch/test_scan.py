"""The bulk scan never puts aside what the full reader would match."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.ct.leaf import EntryType, parse_leaf
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificates
from pinwarden.watch.scan import Scanner, ordinary_names
from pinwarden.watch.watchlist import Watchlist, parse_watch_item
from pinwarden.x509.certificate import view_certificate, view_tbs
from pinwarden.x509.identifiers import Identifiers
from support.leaves import (
    certificate_leaf,
    precert_leaf,
    real_certificates,
    real_tile_leaves,
    rejected_certificates,
)


def full_reading(leaf: bytes) -> Identifiers:
    """What the full reader finds; raises what it raises."""
    parsed = parse_leaf(leaf)
    view = view_certificate if parsed.type is EntryType.X509 else view_tbs
    return view(parsed.signed).identifiers()


def assert_claim_holds(leaf: bytes) -> bool:
    """If the scan gives names, they are all that the full reader finds; whether it gave any."""
    names = ordinary_names(leaf)
    if names is None:
        return False
    found = full_reading(leaf)
    assert found.unreadable == ()
    assert found.ips == ()
    # The scan takes an empty label for one that may be anything, the reader skips it.
    shown = (name.decode("ascii").split(".") for name in names)
    assert set(found.dns) == {".".join(filter(None, labels)) for labels in shown}
    return True


def ordinary_share(leaves: Iterable[bytes]) -> tuple[int, int]:
    claims = [assert_claim_holds(leaf) for leaf in leaves]
    return sum(claims), len(claims)


def test_real_tiles_are_read_as_the_full_reader_reads_them(corpus: Path) -> None:
    """Of 512 real log entries the scan reads nearly all, and each of them rightly."""
    ordinary, total = ordinary_share(real_tile_leaves(corpus))
    assert total == 512
    assert ordinary > 480


def test_real_certificates_are_read_as_the_full_reader_reads_them(corpus: Path) -> None:
    """Whatever real certificate the scan calls ordinary, its names are exactly those."""
    ordinary, total = ordinary_share(map(certificate_leaf, real_certificates(corpus)))
    assert total > 500
    assert ordinary > total // 2


def test_certificates_that_strict_parsers_reject_keep_their_names(corpus: Path) -> None:
    """The certificates most likely to slip through are read rightly or left to the full reader."""
    _, total = ordinary_share(map(certificate_leaf, rejected_certificates(corpus)))
    assert total > 500


NAME = "www.victim.example"


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Scan Lab")


@pytest.mark.parametrize("item", ["." + NAME, ".victim.example", ".example"])
def test_every_hostile_encoding_is_a_candidate(ca: CA, item: str) -> None:
    """No way of hiding a name in a certificate gets it past the scan."""
    scanner = Scanner(Watchlist([parse_watch_item(item)]))
    for case in hostile_certificates(ca, NAME):
        for leaf in (certificate_leaf(case.issued.certificate), precert_leaf(case.issued.tbs)):
            assert scanner.candidates([leaf]) == [0], case.slug


def test_ordinary_certificates_are_put_aside_and_watched_ones_are_not(ca: CA) -> None:
    """The scan is of use: it leaves out strangers and only strangers."""
    leaves = []
    for names in (["stranger.example.net"], ["shop.victim.example", "a.b"], ["*.example.org"]):
        issued = ca.issue(names)
        leaves += [certificate_leaf(issued.certificate), precert_leaf(issued.tbs)]
    scanner = Scanner(Watchlist([parse_watch_item(".victim.example")]))
    assert scanner.candidates(leaves) == [2, 3]


def test_everything_is_a_candidate_for_the_dot(ca: CA) -> None:
    """Who watches everything is shown everything."""
    leaf = certificate_leaf(ca.issue(["stranger.example.net"]).certificate)
    assert Scanner(Watchlist([parse_watch_item(".")])).candidates([leaf]) == [0]


_LABEL = st.sampled_from(["a", "b", "ab", "com", "A", "", "*", "a*", "xn--p1ai", "a-b", "_a"])
_CERT_NAME = st.lists(_LABEL, min_size=1, max_size=4).map(".".join)
_WATCHED = st.tuples(
    st.sampled_from(["", "."]),
    st.lists(st.sampled_from(["a", "b", "ab", "com", "xn--p1ai"]), min_size=1, max_size=3),
).map(lambda pair: pair[0] + ".".join(pair[1]))


@settings(max_examples=150)
@given(
    names=st.lists(_CERT_NAME, min_size=1, max_size=3),
    watched=st.lists(_WATCHED, min_size=1, max_size=4),
    cn=st.one_of(st.none(), _CERT_NAME),
)
def test_whatever_matches_is_a_candidate(
    ca: CA, names: list[str], watched: list[str], cn: str | None
) -> None:
    """For any names and any watch list, a match of the full reader was a candidate."""
    watchlist = Watchlist(parse_watch_item(text) for text in watched)
    leaf = precert_leaf(ca.tbs(names, ca.key, cn=cn))
    assert_claim_holds(leaf)
    if watchlist.match(full_reading(leaf)):
        assert Scanner(watchlist).candidates([leaf]) == [0]


@pytest.fixture(scope="module")
def specimens(ca: CA) -> list[bytes]:
    issued = [ca.issue(["a.example.com", "*.b.example"], cn="a.example.com"), ca.issue(["x.y"])]
    leaves = [certificate_leaf(each.certificate) for each in issued]
    leaves += [precert_leaf(each.tbs) for each in issued]
    return leaves


@settings(max_examples=400)
@given(
    which=st.integers(0, 3),
    at=st.floats(0, 1, exclude_max=True),
    cut=st.integers(0, 3),
    put=st.binary(max_size=3),
)
def test_damage_anywhere_never_makes_the_scan_lie(
    specimens: list[bytes], which: int, at: float, cut: int, put: bytes
) -> None:
    """Bytes changed, taken away or put in: the scan reads it rightly or not at all."""
    leaf = specimens[which]
    position = int(at * len(leaf))
    assert_claim_holds(leaf[:position] + put + leaf[position + cut :])


def test_every_byte_changed_never_makes_the_scan_lie(specimens: list[bytes]) -> None:
    """Each byte of a certificate in turn, turned over in three ways."""
    for leaf in (specimens[0], specimens[2]):
        for position in range(len(leaf)):
            for mask in (0x01, 0x80, 0xFF):
                damaged = bytearray(leaf)
                damaged[position] ^= mask
                assert_claim_holds(bytes(damaged))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_candidate(data: bytes) -> None:
    """What is no log entry at all is left to the full reader, which reports it."""
    scanner = Scanner(Watchlist([parse_watch_item("example.com")]))
    assert scanner.candidates([data]) == [0]

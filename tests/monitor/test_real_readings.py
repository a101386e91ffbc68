"""The scan costs no sighting: the pipeline against a full reading of real certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinwarden.ct.entry import RawBatch
from pinwarden.ct.leaf import EntryType, parse_leaf
from pinwarden.errors import MalformedError
from pinwarden.lab.log import LabLog
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.names import UNREADABLE_LABEL
from pinwarden.watch.scan import Scanner
from pinwarden.watch.watchlist import WatchItem, Watchlist, parse_watch_item
from pinwarden.x509.certificate import view_certificate, view_tbs
from pinwarden.x509.identifiers import Identifiers
from pinwarden.x509.precert import logged_tbs
from support.leaves import (
    certificate_leaf,
    in_batch,
    precert_leaf,
    real_certificates,
    real_tile_leaves,
    rejected_certificates,
)

LOG = LabLog("real").description()
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Read:
    """What is to be known of one sighting: how it was read, for whom, and with which names."""

    kind: str
    matched: tuple[str, ...]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Real entries, and for each of them what the full reader finds; None if it cannot read."""

    batch: RawBatch
    found: list[Identifiers | None]


@pytest.fixture(scope="module")
def crowd(corpus: Path) -> Crowd:
    leaves = list(_leaves(corpus))
    return Crowd(in_batch(leaves), [_identifiers(leaf) for leaf in leaves])


def _leaves(corpus: Path) -> Iterator[bytes]:
    """Real entries of a log, and real certificates both as final ones and as precertificates."""
    yield from real_tile_leaves(corpus)
    for der in real_certificates(corpus):
        yield certificate_leaf(der)
        yield precert_leaf(logged_tbs(view_certificate(der).tbs))
    yield from map(certificate_leaf, rejected_certificates(corpus))


def _identifiers(leaf: bytes) -> Identifiers | None:
    parsed = parse_leaf(leaf)
    view = view_certificate if parsed.type is EntryType.X509 else view_tbs
    try:
        return view(parsed.signed).identifiers()
    except MalformedError:
        return None


def by_full_reader(crowd: Crowd, watchlist: Watchlist) -> dict[int, Read]:
    """What there is to see if nothing is put aside unread."""
    reads = {}
    for index, found in enumerate(crowd.found):
        if found is None:
            reads[index] = Read("unreadable", (), frozenset())
            continue
        matched = tuple(item.text for item in watchlist.match(found))
        names = frozenset({*found.dns, *map(str, found.ips)})
        if matched:
            reads[index] = Read("certificate", matched, names)
        elif found.unreadable or UNREADABLE_LABEL in found.dns:
            reads[index] = Read("unreadable", (), names)
    return reads


def by_pipeline(crowd: Crowd, watchlist: Watchlist) -> dict[int, Read]:
    """What the pipeline sees; names that an unreadable entry mentions are not matches."""
    return {
        each.seen.index: Read(
            each.kind, each.matched if each.kind == "certificate" else (), frozenset(each.names)
        )
        for each in Pipeline(watchlist).examine(crowd.batch, LOG, AT)
    }


def _watchable(texts: set[str]) -> dict[str, WatchItem]:
    """The items among the texts, in a stable order."""
    items = {}
    for text in sorted(texts):
        try:
            items[text] = parse_watch_item(text)
        except MalformedError:
            continue
    return items


def items_named(kind: str, crowd: Crowd) -> list[WatchItem]:
    """A watch list of one kind, made of what is in the crowd."""
    read = [found for found in crowd.found if found is not None]
    dns = sorted({name for found in read for name in found.dns})
    ips = {str(ip) for found in read for ip in found.ips}
    texts = {
        "exact": {name for name in dns[::5] if "*" not in name},
        "parent": {"." + name.partition(".")[2] for name in dns[::11] if name.count(".") > 1},
        "under a wildcard": {name.replace("*", "host", 1) for name in dns if name[:2] == "*."},
        "top level .tg": {".tg"},
        "top level": {".com", ".de", ".jp", ".page"},
        "addresses": ips,
        "all addresses": {"0.0.0.0/0", "::/0"},
        "everything": {"."},
        "long": {*dns, *(f"host{n}.unrelated.example" for n in range(10_000))},
    }[kind]
    return list(_watchable(texts).values())


@pytest.mark.parametrize(
    ("kind", "matched"),
    [
        ("exact", 700),
        ("parent", 600),
        ("under a wildcard", 500),
        ("top level .tg", 0),
        ("top level", 1400),
        ("addresses", 30),
        ("all addresses", 30),
        ("everything", 2300),
        ("long", 2200),
    ],
)
def test_the_scan_costs_no_sighting(crowd: Crowd, kind: str, matched: int) -> None:
    """Whatever is watched, with and without the scan the sightings are the same."""
    watchlist = Watchlist(items_named(kind, crowd))
    expected = by_full_reader(crowd, watchlist)
    assert by_pipeline(crowd, watchlist) == expected
    assert sum(each.kind == "certificate" for each in expected.values()) >= matched


def test_there_is_a_scan(crowd: Crowd) -> None:
    """Most entries are put aside unread, or the comparison above would compare nothing."""
    watchlist = Watchlist(items_named("top level .tg", crowd))
    assert len(crowd.batch) > 2400
    assert len(Scanner(watchlist).candidates(crowd.batch.leaves)) < len(crowd.batch) // 2

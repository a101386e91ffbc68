"""No certificate that parsers stumble over is lost to a watch list, or to a long one."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinwarden.ct.entry import RawBatch
from pinwarden.ct.log import LogKind
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.watch.sighting import Sighting, SightingKind
from pinwarden.watch.watchlist import WatchItem, Watchlist, parse_watch_item
from support.leaves import certificate_leaf, in_batch
from support.odd_certificates import Odd, items_for, odd_certificates
from support.program import Program, entries_of

LOG = LabLog("odd").description()
AT = datetime(2026, 1, 1, tzinfo=UTC)
UNRELATED = [f"host{number}.unrelated.example" for number in range(10_000)]


@pytest.fixture(scope="module")
def odd(corpus: Path) -> list[Odd]:
    return odd_certificates(corpus)


@pytest.fixture(scope="module")
def items(odd: list[Odd]) -> list[dict[str, WatchItem]]:
    """For each certificate the watch items that it must not get past."""
    return [
        {text: item for name in each.names for text, item in items_for(name).items()}
        for each in odd
    ]


@pytest.fixture(scope="module")
def batch(odd: list[Odd]) -> RawBatch:
    return in_batch([certificate_leaf(each.der) for each in odd])


def examined(pipeline: Pipeline, batch: RawBatch) -> dict[int, Sighting]:
    return {each.seen.index: each for each in pipeline.examine(batch, LOG, AT)}


def is_kept(sighting: Sighting | None, wanted: dict[str, WatchItem]) -> bool:
    """Whether the entry is matched by every item wanted of it, or alerts as unreadable."""
    if sighting is None:
        return not wanted
    return sighting.kind is SightingKind.UNREADABLE or wanted.keys() <= set(sighting.matched)


def test_other_readers_find_enough_to_lose(
    odd: list[Odd], items: list[dict[str, WatchItem]]
) -> None:
    """Nearly every name that others find can be watched, and there are many."""
    names = {name for each in odd for name in each.names}
    assert len(odd) == 1498
    assert len(names) > 700
    assert sum(map(len, items)) > 5000
    # Spaces, other characters that no host has, an address with leading zeros.
    assert {name for name in names if not items_for(name)} <= {
        "",
        " ",
        "Not a dns",
        "\u00c0\u00a8",
        "192.168.001.001",
    }


def test_each_name_by_itself(batch: RawBatch, items: list[dict[str, WatchItem]]) -> None:
    """Who watches one name of a certificate, and nothing else, hears of the certificate."""
    pipelines: dict[str, Pipeline] = {}
    lost = []
    for index, wanted in enumerate(items):
        for text, item in wanted.items():
            if text not in pipelines:
                pipelines[text] = Pipeline(Watchlist([item]))
            found = examined(pipelines[text], batch.between(index, index + 1))
            if not is_kept(found.get(index), {text: item}):
                lost.append((index, text))
    assert lost == []


def test_all_names_of_a_certificate(batch: RawBatch, items: list[dict[str, WatchItem]]) -> None:
    """A watch list of all the names of one certificate is matched by it with every item."""
    for index, wanted in enumerate(items):
        pipeline = Pipeline(Watchlist(wanted.values()))
        found = examined(pipeline, batch.between(index, index + 1))
        assert is_kept(found.get(index), wanted), wanted


def test_everything_is_everything(batch: RawBatch) -> None:
    """For `.` there is a sighting of each certificate, also of one without any name."""
    found = examined(Pipeline(Watchlist([parse_watch_item(".")])), batch)
    assert found.keys() == set(range(len(batch)))


def test_who_watches_others_hears_of_the_unreadable_only(batch: RawBatch) -> None:
    """No stranger is matched; what alerts cannot be read, and for the reasons listed here."""
    found = examined(Pipeline(Watchlist(map(parse_watch_item, UNRELATED))), batch)
    assert {each.kind for each in found.values()} == {SightingKind.UNREADABLE}
    assert {each.matched for each in found.values()} == {()}
    reasons = Counter(re.sub(r"\d+", "N", each.problems[0]) for each in found.values())
    assert reasons == {
        # OCSP responses, CMS messages, a bare TBSCertificate, a key.
        "certificate: element at offset N: is not a SEQUENCE": 30,
        # Certificate signing requests and a time stamp.
        "TBSCertificate: has N fields, fewer than six": 7,
        # Cut off in a packet capture.
        "certificate: element at offset N: runs past the end of what holds it": 2,
        "TBSCertificate: element at offset N: runs past the end of what holds it": 1,
        "certificate: element at offset N: has an indefinite length": 1,
        # The value of the SAN is a bare name instead of a SEQUENCE of names.
        "subjectAltName: element at offset N: runs past the end of what holds it": 27,
        # A DNS name of five octets, most of them control characters.
        r"subjectAltName: holds a name that cannot be read: '\xNc\xN\xN\xN\t'": 1,
        # Revocation lists.
        "subject: is not a SEQUENCE": 2,
    }


# -- the same through the program ----------------------------------------------------------


@pytest.fixture(scope="module")
def watched(items: list[dict[str, WatchItem]]) -> list[str]:
    return sorted({text for wanted in items for text in wanted})


def test_a_log_of_odd_certificates_is_followed_without_loss(
    odd: list[Odd], items: list[dict[str, WatchItem]], watched: list[str], tmp_path: Path
) -> None:
    """Through the program all of them are kept; 10,000 other names change nothing."""
    log = LabLog("odd", kinds=(LogKind.RFC6962, LogKind.STATIC))
    for each in odd:
        log.add_certificate([each.der])
    seen = []
    for name, names in (("short", watched), ("long", [*watched, *UNRELATED])):
        program = Program(tmp_path / name)
        program.folder.mkdir()
        listed = program.folder / "watched.txt"
        listed.write_text("\n".join(names))
        with LabServer([log]) as server:
            run = program.watch_once(server.log_list_json(), (), "--watchlist", str(listed))
        assert run.report["entries"] == 2 * len(odd)
        for face in log.faces:
            assert run.log(face.log_id)["verified_size"] == len(odd)
            assert run.log(face.log_id)["error"] is None
        sightings = program.sightings()
        seen += [
            {
                index: (each["kind"], each["matched"], each["names"], each["problems"])
                for index, each in entries_of(sightings, face.log_id).items()
            }
            for face in log.faces
        ]
    for found in seen:
        assert found == seen[0]
    for index, wanted in enumerate(items):
        kind, matched, *_ = seen[0].get(index, (None, []))
        assert kind == "unreadable" or wanted.keys() <= set(matched)
    assert Counter(kind for kind, *_ in seen[0].values())["unreadable"] == 43

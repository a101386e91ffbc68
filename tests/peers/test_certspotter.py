"""SSLMate's monitor and ours read one RFC 6962 log and must see the same in it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from peers.cli import Run, indexes_seen, watch_once
from peers.programs import eventually, program, running
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificates
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

pytestmark = pytest.mark.peer

WATCHED = ".watched.example"
OURS = (
    ("watched.example",),
    ("login.watched.example", "bystander.example.org"),
    ("*.watched.example",),
    ("deep.below.login.watched.example",),
    ("LOGIN.Watched.EXAMPLE",),
)
NEAR_MISSES = (
    ("notwatched.example",),
    ("watched.example.org",),
    ("watched-example.org", "www.example.org"),
)


@dataclass(frozen=True, slots=True)
class Spotted:
    """What certspotter made of a log: hits, entries it could not read, its verified state."""

    issuances: frozenset[str]
    indexes: frozenset[int]
    malformed: frozenset[int]
    state: dict[str, Any]


def _spot(server: LabServer, size: int, folder: Path) -> Spotted:
    """Run certspotter until it has verified all entries of the only log."""
    (folder / "logs.json").write_bytes(server.log_list_json())
    (folder / "watched").write_text(f"{WATCHED}\n")
    kept = folder / "kept"
    options = ["-logs", "logs.json", "-watchlist", "watched", "-state_dir", "kept", "-stdout"]

    def state() -> dict[str, Any]:
        with suppress(StopIteration, ValueError):
            read: dict[str, Any] = json.loads(next(kept.glob("logs/*/state.json")).read_text())
            return read
        return {"verified_position": {"size": 0}}

    with running([program("certspotter"), *options], folder):
        assert eventually(lambda: state()["verified_position"]["size"] == size)
    said = (folder / "certspotter.words").read_text()
    return Spotted(
        issuances=frozenset(
            json.loads(each.read_text())["tbs_sha256"] for each in kept.glob("certs/*/*.v1.json")
        ),
        indexes=frozenset(int(each) for each in re.findall(r"Log Entry = (\d+) @", said)),
        malformed=frozenset(
            int(each.stem) for each in kept.glob("logs/*/malformed_entries/*.json")
        ),
        state=state(),
    )


@pytest.fixture
def log(ca: CA) -> Iterator[tuple[LabLog, LabServer]]:
    """A served log with a crowd in it."""
    log = LabLog("shared")
    for number in range(120):
        log.add_issued(ca.issue([f"host{number}.example.org"]))
    for names in (*NEAR_MISSES, *OURS):
        log.add_issued(ca.issue(names))
    with LabServer([log]) as server:
        yield log, server


def test_both_find_the_same_certificates(log: tuple[LabLog, LabServer], tmp_path: Path) -> None:
    """Of well formed certificates both monitors report exactly those of the watched names."""
    lab, server = log
    theirs = _spot(server, lab.size, tmp_path)
    ours = watch_once(tmp_path, server.log_list_json(), WATCHED)
    assert {each["tbs_sha256"] for each in ours.sightings} == theirs.issuances
    assert indexes_seen(tmp_path) == theirs.indexes
    assert len(theirs.indexes) == 2 * len(OURS)
    _same_tree(ours, theirs)


def _same_tree(ours: Run, theirs: Spotted) -> None:
    (report,) = ours.report["logs"]
    assert report["verified_size"] == theirs.state["verified_position"]["size"]
    assert base64.b64decode(report["root"]) == base64.b64decode(
        theirs.state["verified_sth"]["sha256_root_hash"]
    )


def test_nothing_hostile_is_lost_to_us_that_they_see(
    log: tuple[LabLog, LabServer], ca: CA, tmp_path: Path
) -> None:
    """Whatever certspotter reports or cannot read, of every trick we know, we report too."""
    lab, server = log
    for hostile in hostile_certificates(ca, "bank.watched.example"):
        lab.add_issued(hostile.issued)
    theirs = _spot(server, lab.size, tmp_path)
    ours = watch_once(tmp_path, server.log_list_json(), WATCHED)
    assert (theirs.indexes | theirs.malformed) - indexes_seen(tmp_path) == set()
    _same_tree(ours, theirs)

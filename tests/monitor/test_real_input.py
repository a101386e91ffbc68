"""What real logs served goes through the real program: everything is examined, nothing lost."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from urllib.request import urlopen

import pytest

from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.ct.log import LogKind
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from support.oracle import tree_hash
from support.program import Program, Run, entries_of
from support.real_logs import (
    GROWING,
    NAVIGLI,
    GrowingLog,
    NavigliEntry,
    concerns,
    navigli_entries,
    rfc6962_entries,
)

BOTH = (LogKind.RFC6962, LogKind.STATIC)

# At which sizes the real log is met again while it grows to its fifteen entries.
SIZES = (0, 1, 2, 3, 5, 8, 13, 13, 15)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def assert_read_to_the_end(run: Run, log: LabLog) -> None:
    """Every protocol of the log was followed to its head, whose root came out."""
    for face in log.faces:
        report = run.log(face.log_id)
        assert report["error"] is None
        assert report["findings"] == []
        assert report["start"] == 0
        assert report["verified_size"] == log.published.size
        assert base64.b64decode(report["root"]) == log.published.root


# -- Let's Encrypt Navigli 2025h2, real tiles under a lab head -----------------------------


@pytest.fixture(scope="module")
def navigli(corpus: Path) -> list[NavigliEntry]:
    return navigli_entries(corpus)


def navigli_log(entries: Iterable[NavigliEntry]) -> LabLog:
    """The real entries, byte for byte, in a log of both protocols."""
    log = LabLog("navigli", kinds=BOTH, gzip_tiles=False)
    tiles = [each.tile_entry for each in entries]
    extras = [Extra(each.precertificate, (), tuple(each.fingerprints)) for each in tiles]
    log.add_leaves([each.leaf for each in tiles], extras)
    return log


def navigli_items(entries: list[NavigliEntry]) -> list[str]:
    """Watch items of every sort: such as match, and such as only nearly do."""
    hosts = [name for each in entries for name in sorted(each.names) if "*" not in name]
    wildcards = sorted({name for each in entries for name in each.names if "*" in name})
    exact = hosts[::12]
    parents = ["." + host.partition(".")[2] for host in hosts[5::25]]
    whole = ["." + host for host in hosts[7::50]]
    covered = [name.replace("*", "covered") for name in wildcards]
    near = [name.replace("*.", "too.deep.") for name in wildcards]
    near += [name.removeprefix("*.") for name in wildcards]
    near += [f"x{host}" for host in hosts[3::100]] + [f".{host}.org" for host in hosts[4::100]]
    near += [host[1:] for host in hosts[6::100]]
    return list(dict.fromkeys((*exact, *parents, *whole, *covered, *near, ".page")))


def test_the_lab_serves_the_real_tiles(navigli: list[NavigliEntry], corpus: Path) -> None:
    """Data and hash tiles of the replayed log are the real files to the byte."""
    log = navigli_log(navigli)
    with LabServer([log]):
        for name in ("tile/data/000", "tile/data/001", "tile/0/000", "tile/0/001"):
            with urlopen(log.url(LogKind.STATIC) + name) as answer:
                assert answer.read() == (corpus / NAVIGLI).parent.joinpath(name).read_bytes()


def test_real_tiles_alert_for_exactly_the_watched_names(
    navigli: list[NavigliEntry], program: Program
) -> None:
    """Over both protocols each entry is seen for just the items that its names tile concerns."""
    items = navigli_items(navigli)
    expected = {
        index: matched
        for index, entry in enumerate(navigli)
        if (matched := {i for i in items if any(concerns(name, i) for name in entry.names)})
    }
    assert len(items) >= 60
    assert len(set().union(*expected.values())) >= 60
    assert 60 <= len(expected) < len(navigli) // 2
    log = navigli_log(navigli)
    with LabServer([log]) as server:
        run = program.watch_once(server.log_list_json(), items)
        again = program.watch_once(server.log_list_json(), items)
    listed = program.sightings()

    assert_read_to_the_end(run, log)
    assert log.published.root == tree_hash([each.tile_entry.leaf for each in navigli])
    assert (run.exit_code, again.exit_code) == (1, 0)
    assert (run.report["entries"], again.report["entries"]) == (1024, 0)
    for face in log.faces:
        seen = entries_of(listed, face.log_id)
        assert {index: set(each["matched"]) for index, each in seen.items()} == expected
        assert all(set(each["names"]) == navigli[index].names for index, each in seen.items())
    # Two logs have each issuance, and it is one: seen twice, alerted once, proven.
    assert {len(each["logs"]) for each in listed} == {2}
    assert all(place["verified"] for each in listed for place in each["logs"])
    assert len(listed) == len(expected) == len(run.alerts)
    assert again.alerts == ()


# -- transparency.dev tesseract and tessera, growing ---------------------------------------


def grow(log: LabLog, entries: list[bytes], size: int) -> None:
    """Add entries until there are `size`: as leaves, or where there are tiles as certificates."""
    new = range(log.size, size)
    leaves = [entries[index] for index in new]
    if log.faces[0].kind is LogKind.STATIC:
        leaves = [
            encode_leaf(log.now_ms(), EntryType.X509, entries[index], None, log.extensions(index))
            for index in new
        ]
    log.add_leaves(leaves, [Extra()] * len(leaves))


def test_a_real_log_of_unreadable_entries_grows(corpus: Path, program: Program) -> None:
    """Entries that are no certificates each alert, and the roots are those of the real log."""
    real = GrowingLog(corpus / GROWING[0])
    plain, tiled = LabLog("plain"), LabLog("tiled", kinds=[LogKind.STATIC])
    with LabServer([plain, tiled]) as server:
        for size in SIZES:
            before = plain.size
            for log in (plain, tiled):
                grow(log, real.entries, size)
            run = program.watch_once(server.log_list_json(), ["watched.example"])
            for log in (plain, tiled):
                assert_read_to_the_end(run, log)
                assert run.log(log.faces[0].log_id)["entries"] == size - before
            assert plain.published.root == real.heads[size].root
            assert len(run.alerts) == 2 * (size - before)
    listed = program.sightings()
    assert {each["kind"] for each in listed} == {"unreadable"}
    for log in (plain, tiled):
        assert set(entries_of(listed, log.faces[0].log_id)) == set(range(15))
    assert len(listed) == 30


# -- answers of RFC 6962 logs --------------------------------------------------------------


def test_recorded_answers_of_rfc_6962_logs_are_read_in_full(corpus: Path, program: Program) -> None:
    """Each real entry of 2013 to 2018 is found by its names and by nothing else."""
    entries = rfc6962_entries(corpus)
    hosts = sorted({name for each in entries for name in each.names})
    below = ["." + host.partition(".")[2] for host in hosts]
    items = [*hosts, *below, "google.com", "stranger.example"]
    log = LabLog("recorded", most_entries=3)
    log.add_leaves([each.leaf for each in entries], [each.extra for each in entries])
    with LabServer([log]) as server:
        run = program.watch_once(server.log_list_json(), items)
    assert_read_to_the_end(run, log)
    assert log.published.root == tree_hash([each.leaf for each in entries])
    assert run.report["entries"] == len(entries) == 7
    assert {"mail.google.com", "www.netkeiba.com", "sdfedsf.trust"} <= set(hosts)
    seen = entries_of(program.sightings(), log.faces[0].log_id)
    assert {index: set(each["matched"]) for index, each in seen.items()} == {
        index: {item for item in items if any(concerns(name, item) for name in entry.names)}
        for index, entry in enumerate(entries)
    }
    for index, entry in enumerate(entries):
        assert set(seen[index]["names"]) == entry.names
    # Beside one of them stands the word "Extra" instead of a chain.
    assert [len(seen[index]["problems"]) for index in range(7)] == [0, 0, 0, 0, 1, 0, 0]

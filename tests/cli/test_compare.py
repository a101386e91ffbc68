"""`pinwarden sightings compare`, over what a real run of `watch` left, and what others know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.watching import Home, Run
from pinwarden.cli.history_sources import HistoryOptions, load_history
from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from support.history_services import Answer, HistoryServices, crtsh_row, spotter_issuance

NOW = datetime.now(UTC)
NAME = "shop.example"


@dataclass(frozen=True, slots=True)
class World:
    """A monitor that saw two certificates, and services that know of others."""

    home: Home
    ca: CA
    logged: tuple[Issued, ...]
    services: HistoryServices

    def compare(self, *options: str, source: str = "certspotter") -> Run:
        """One comparison with a service."""
        config = ("-c", str(self.home.config))
        source = f"{source}={self.services.url}"
        return self.home.run_here("sightings", "compare", NAME, "--with", source, *config, *options)

    def know(self, *issued: Issued) -> None:
        """What Cert Spotter knows of."""
        self.services.issuances = [
            spotter_issuance(number, each, self.ca) for number, each in enumerate(issued)
        ]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, CA, tuple[Issued, ...]]:
    """One certificate that is valid and one that has ended, as `watch` saw them."""
    home, log, ca = Home(tmp_path_factory.mktemp("home")), LabLog("log"), CA("Some CA")
    logged = (
        ca.issue([NAME], not_before=NOW - timedelta(days=3), days=90),
        ca.issue([f"www.{NAME}"], not_before=NOW - timedelta(days=90), days=30),
    )
    with LabServer([log]):
        for each in logged:
            log.add_certificate(each.certificate_chain)
        home.configure(watch=[f".{NAME}"], start="beginning")
        home.list_logs(log)
        home.configured_once().checked(1)
    return home, ca, logged


@pytest.fixture
def world(watched: tuple[Home, CA, tuple[Issued, ...]]) -> Iterator[World]:
    home, ca, logged = watched
    with HistoryServices() as services:
        yield World(home, ca, logged, services)


def test_nothing_is_missing(world: World) -> None:
    """What both know is counted, and what has ended is not held against the service."""
    world.know(world.logged[0])
    ran = world.compare("--below").checked(0)
    assert ran.out.startswith("the store lacks nothing of what others know: 1 issuance since ")
    assert "1 in both" in ran.out
    assert "1 in the store alone, and ended" in ran.out


def test_one_is_missing(world: World) -> None:
    """Issued while we watched, known to others, and not in the store."""
    row = crtsh_row(9, world.ca.issue([NAME]), NOW + timedelta(minutes=10))
    world.services.rows = [row, crtsh_row(8, world.logged[0], NOW)]
    ran = world.compare(source="crtsh").checked(0)
    assert "1 of the last 24 hours, not seen yet" in ran.out
    home = _began_earlier(world.home, days=10)
    row["entry_timestamp"] = (NOW - timedelta(days=2)).replace(tzinfo=None).isoformat()
    ran = world.compare("--store", home, source="crtsh").checked(1)
    assert ran.out.startswith("the store lacks 1 of 2 issuances that others know of since ")
    assert "missing from the store:" in ran.out
    assert "hint: are all of these names watched" in ran.err
    lines = world.compare("--store", home, "--json", source="crtsh").checked(1).lines
    assert sorted(line["standing"] for line in lines) == ["both", "missing"]


def test_what_was_issued_before_is_told_apart(world: World) -> None:
    """A monitor that began today did not miss what was issued last month."""
    world.know(world.ca.issue([NAME], not_before=NOW - timedelta(days=40)), world.logged[0])
    ran = world.compare().checked(0)
    assert "1 from before watching began" in ran.out


def test_what_the_service_lacks_is_listed(world: World) -> None:
    """It is no fault of ours, and perhaps one of theirs."""
    world.know()
    ran = world.compare().checked(0)
    assert ran.out.startswith("others know of nothing since ")
    assert "in the store alone:" in ran.out
    assert f"{NAME}  (" in ran.out


def test_a_service_that_fails_proves_nothing(world: World) -> None:
    """Exit code 3, and no word of having all."""
    world.services.faults = [Answer(404)]
    ran = world.compare().checked(3)
    assert "the store lacks nothing" not in ran.out
    assert "which is not everything" in ran.out
    assert "404" in ran.err


def test_with_a_folder(world: World, tmp_path: Path) -> None:
    """What an ACME client keeps is a source too."""
    (tmp_path / "cert.pem").write_bytes(pem([world.logged[0].certificate]))
    ran = world.home.run_here(
        *("sightings", "compare", NAME, "--with", f"folder={tmp_path}"),
        *("-c", str(world.home.config)),
    )
    assert "1 in both" in ran.checked(0).out


def test_the_store_is_a_source_of_history(world: World) -> None:
    """With the names, keys and octets that the monitor kept, and the time of the log."""
    asked = ("ct", "search", NAME, "--source", "store", "-c", str(world.home.config), "--json")
    [line] = world.home.run_here(*asked).checked(0).lines
    assert line["certificate_sha256"] == world.logged[0].fingerprint.hex()
    [told] = line["sources"]
    assert told["source"] == "store"
    shown = world.home.run_here("sightings", "show", told["reference"], "-c", asked[6], "--json")
    assert shown.checked(0).lines[0]["tbs_sha256"] == line["tbs_sha256"]
    assert line["seen"] is not None
    assert len(world.home.run_here(*asked, "--below").checked(0).lines) == 1
    other = world.home.run_here("ct", "search", "other.example", *asked[3:]).checked(0)
    assert "note: store: has nothing for 'other.example'" in other.err
    assert len(world.home.run_here(*asked, "--below", "--expired").checked(0).lines) == 2


def test_issued_and_still_valid_are_two_questions(world: World) -> None:
    """A backtest of CAA counts what was issued since then, one of pins what was valid then."""
    at = NOW
    for still_valid, count in ((False, 1), (True, 2)):
        options = HistoryOptions(
            sources=("store",),
            since=at - timedelta(days=70),
            at=at,
            below=True,
            still_valid=still_valid,
            store=f"sqlite:///{world.home.store}",
        )
        history = load_history([NAME], options)
        assert (len(history.issuances), history.failures) == (count, [])
        assert [each.der for each in history.issuances] == [
            each.certificate for each in world.logged[:count]
        ]


def test_the_store_is_not_compared_with_itself(world: World) -> None:
    """That would always agree."""
    ran = world.home.run_here("sightings", "compare", NAME, "--with", "store")
    assert ran.checked(2).out == ""


def _began_earlier(home: Home, days: int) -> str:
    """The URL of a copy of the store that began to watch so many days ago."""
    import shutil
    import sqlite3

    copy = home.folder / f"earlier-{days}.db"
    shutil.copy(home.store, copy)
    with sqlite3.connect(copy) as database:
        database.execute(
            "UPDATE meta SET value = ? WHERE key = 'baseline-at'",
            ((NOW - timedelta(days=days)).isoformat(),),
        )
    database.close()
    return f"sqlite:///{copy}"

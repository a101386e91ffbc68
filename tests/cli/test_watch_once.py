"""`pinwarden watch --once` against logs of both protocols on real sockets."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from cli.watching import (
    BOTH,
    PATIENCE,
    WATCHED,
    Home,
    issue,
    log_id,
    names_of,
    new_log,
    verify_tidy,
)
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.serve import LabServer

both = pytest.mark.parametrize("kind", BOTH, ids=str)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def served() -> Iterator[LabServer]:
    with LabServer() as server:
        yield server


# The report, and what it is a report of.


@both
def test_report_and_alerts(home: Home, served: LabServer, ca: CA, kind: LogKind) -> None:
    """Alerts come first, one a line; the last object says what was read and proven."""
    log = new_log(served, "log", kind, entries=300)
    issue(log, ca, "www.shop.example")
    fill(log, 20)
    ran = home.once(log, start="beginning").checked(1)
    assert [each["type"] for each in ran.alerts] == ["alert"]
    sighting = ran.alerts[0]["sighting"]
    assert (sighting["names"], sighting["matched"]) == (["www.shop.example"], [WATCHED])
    assert [(each["log_id"], each["index"]) for each in sighting["logs"]] == [(log_id(log), 300)]
    report = ran.report
    assert (report["entries"], report["matched"], report["alerts"]) == (321, 1, 1)
    [of_log] = report["logs"]
    expected = {
        "log_id": log_id(log),
        "url": log.url(),
        "entries": 321,
        "verified_size": 321,
        "root": b64encode(log.published.root).decode(),
    }
    assert expected.items() <= of_log.items()
    assert (of_log["error"], of_log["findings"]) == (None, [])


@both
def test_a_second_run_resumes(home: Home, served: LabServer, ca: CA, kind: LogKind) -> None:
    """Nothing is read twice and nothing alerted twice; what came in between is read."""
    log = new_log(served, "log", kind, entries=300)
    issue(log, ca, "one.shop.example")
    home.once(log, start="beginning").checked(1)
    log.visits.clear()
    again = home.once(log).checked(0)
    assert (again.alerts, again.report["entries"], again.report["alerts"]) == ([], 0, 0)
    assert again.of(log)["verified_size"] == 301
    assert again.of(log)["root"] == b64encode(log.published.root).decode()
    assert log.visits.count("get-entries") + log.visits.count("tile/") == 0
    issue(log, ca, "two.shop.example")
    last = home.once(log).checked(1)
    assert names_of(last.alerts) == ["two.shop.example"]
    assert (last.of(log)["entries"], last.of(log)["verified_size"]) == (1, 302)
    if kind is LogKind.RFC6962:
        assert log.visits.ranges() == [(301, 301)]
    else:
        assert [each.path for each in log.visits.to("tile/")] == ["tiles/tile/data/001.p/46"]


@both
def test_growing_over_the_edges_of_tiles(
    home: Home, served: LabServer, ca: CA, kind: LogKind
) -> None:
    """Every size on the way is verified, and each watched certificate alerts in its run."""
    log = new_log(served, "log", kind)
    for run, size in enumerate((1, 256, 257, 700)):
        fill(log, size - log.size - 1)
        issue(log, ca, f"n{run}.shop.example")
        ran = home.once(log, start="beginning").checked(1)
        assert names_of(ran.alerts) == [f"n{run}.shop.example"]
        assert ran.of(log)["verified_size"] == size
        assert ran.of(log)["root"] == b64encode(log.published.root).decode()


def test_an_empty_log(home: Home, served: LabServer) -> None:
    """A log without entries is followed from either end, and its empty tree verified."""
    logs = [new_log(served, f"log{kind}", kind) for kind in BOTH]
    ran = home.once(*logs, start="now").checked(0)
    assert [ran.of(log)["verified_size"] for log in logs] == [0, 0]
    other = Home(home.folder / "other")
    other.folder.mkdir()
    ran = other.once(*logs, start="beginning").checked(0)
    assert [ran.of(log)["root"] for log in logs] == [
        b64encode(log.published.root).decode() for log in logs
    ]


def test_exit_codes(home: Home, served: LabServer, ca: CA) -> None:
    """0 without anything to say, 1 with an alert, 3 when a log could not be read."""
    quiet = new_log(served, "quiet", entries=10)
    loud = new_log(served, "loud", LogKind.STATIC, entries=10)
    home.once(quiet, loud, start="beginning").checked(0)
    issue(loud, ca, "www.shop.example")
    home.once(quiet, loud).checked(1)
    issue(loud, ca, "other.shop.example")
    served.refuse(quiet)
    ran = home.once(quiet, loud).checked(3)
    assert names_of(ran.alerts) == ["other.shop.example"]
    assert ran.of(loud)["error"] is None
    assert "Connect" in ran.of(quiet)["error"] or "connect" in ran.of(quiet)["error"]
    assert [each["id"] for each in ran.findings] == ["PW-LOG-UNREACHABLE"]
    served.accept(quiet)
    home.once(quiet, loud).checked(0)


def test_a_log_list_that_is_old(home: Home, served: LabServer) -> None:
    """What is wrong with the list is alerted as other findings are, and shows in the exit code."""
    log = new_log(served, "log", entries=10)
    home.list_logs(log)
    old = datetime.now(UTC) - timedelta(days=100)
    home.lists.write_bytes(log_list_json([log], at=old))
    arguments = ("watch", WATCHED, "--once", "--json", "--log-list", "logs.json")
    first = home.run(*arguments).checked(1)
    assert [each["id"] for each in first.findings] == ["PW-LOG-LIST-STALE"]
    assert first.report["alerts"] == 1
    again = home.run(*arguments).checked(1)
    assert (again.findings, again.report["alerts"]) == ([], 0)
    home.list_logs(log)
    home.run(*arguments).checked(0)
    home.lists.write_bytes(log_list_json([log], at=old))
    assert home.run(*arguments).checked(1).report["alerts"] == 1, "it is news again"


# Where a log begins.


@both
def test_start_now_skips_what_is_there(
    home: Home, served: LabServer, ca: CA, kind: LogKind
) -> None:
    """The present head is proven from its right edge alone; what comes later alerts."""
    log = new_log(served, "log", kind, entries=300)
    issue(log, ca, "old.shop.example")
    first = home.once(log, start="now").checked(0)
    assert (first.of(log)["entries"], first.of(log)["verified_size"]) == (0, 301)
    assert first.of(log)["root"] == b64encode(log.published.root).decode()
    assert log.visits.count("tile/data") + log.visits.count("get-entries") == 0
    issue(log, ca, "new.shop.example")
    assert names_of(home.once(log, start="now").checked(1).alerts) == ["new.shop.example"]


@both
def test_a_shard_that_appears_later(home: Home, served: LabServer, ca: CA, kind: LogKind) -> None:
    """It is read from its first entry, whatever `--start` says."""
    old = new_log(served, "old", kind, entries=10)
    home.once(old, start="now").checked(0)
    shard = new_log(served, "shard", kind)
    issue(shard, ca, "first.shop.example")
    fill(shard, 270)
    ran = home.once(old, shard, start="now").checked(1)
    assert names_of(ran.alerts) == ["first.shop.example"]
    assert (ran.of(shard)["entries"], ran.of(shard)["start"]) == (271, 0)
    assert ran.of(shard)["verified_size"] == 271


# One issuance is one alert.


def test_precertificate_and_certificate_in_two_logs(home: Home, served: LabServer, ca: CA) -> None:
    """One alert in one run, and both places in the list of sightings."""
    first, second = new_log(served, "first"), new_log(served, "second", LogKind.STATIC)
    issued = ca.issue(["www.shop.example"], logs=[first])
    second.add_certificate(issued.certificate_chain)
    ran = home.once(first, second, start="beginning").checked(1)
    assert len(ran.alerts) == 1
    assert (ran.report["matched"], ran.report["alerts"]) == (2, 1)
    [sighting] = home.sightings()
    assert sorted((each["log_id"], each["index"]) for each in sighting["logs"]) == sorted(
        [(log_id(first), 0), (log_id(second), 0)]
    )
    assert {each["entry_type"] for each in sighting["logs"]} == {"precert", "x509"}
    assert all(each["verified"] for each in sighting["logs"])
    assert sighting["certificate_sha256"] == issued.fingerprint.hex()


def test_the_certificate_first_and_its_precertificate_days_later(
    home: Home, served: LabServer, ca: CA
) -> None:
    """The order does not matter, and neither does the run."""
    first, second = new_log(served, "first", LogKind.STATIC), new_log(served, "second")
    issued = ca.issue(["www.shop.example"], logs=[LabLog("elsewhere")])
    first.add_certificate(issued.certificate_chain)
    assert len(home.once(first, second, start="beginning").checked(1).alerts) == 1
    second.add_precertificate(issued.precertificate_chain)
    assert home.once(first, second).checked(0).alerts == []
    [sighting] = home.sightings()
    assert len(sighting["logs"]) == 2


def test_both_faces_of_one_log(home: Home, served: LabServer, ca: CA) -> None:
    """The same tree under two keys is two logs, and still one alert."""
    log = new_log(served, "log", *BOTH, entries=20)
    issue(log, ca, "www.shop.example")
    ran = home.once(log, start="beginning").checked(1)
    assert len(ran.alerts) == 1
    assert [ran.of(log, kind)["verified_size"] for kind in BOTH] == [21, 21]
    [sighting] = home.sightings()
    assert {each["log_id"] for each in sighting["logs"]} == {log_id(log, kind) for kind in BOTH}


def test_a_precertificate_signing_certificate(home: Home, served: LabServer, ca: CA) -> None:
    """A precertificate by another issuer (RFC 6962 section 3.1) is the same issuance."""
    log = new_log(served, "log")
    issued = ca.issue(["www.shop.example"], by_precert_signer=True, logs=[log])
    log.add_certificate(issued.certificate_chain)
    assert len(home.once(log, start="beginning").checked(1).alerts) == 1
    [sighting] = home.sightings()
    assert [each["index"] for each in sighting["logs"]] == [0, 1]
    assert sighting["problems"] == []


# Other ways to say what to watch and where.


def test_addresses_and_a_watch_list_file(home: Home, served: LabServer, ca: CA) -> None:
    """Ranges, exact names and whole domains, from the command line and from a file."""
    log = new_log(served, "log")
    for names, ips in (
        (["a.invalid"], [ip_address("192.0.2.7")]),
        (["b.invalid"], [ip_address("2001:db8::1")]),
        (["c.invalid"], [ip_address("192.0.3.7")]),
        (["www.exact.example"], []),
        (["exact.example"], []),
        (["deep.below.whole.example"], []),
    ):
        issued = ca.issue(names, ips=[str(each) for each in ips])
        log.add_precertificate(issued.precertificate_chain)
    (home.folder / "names.txt").write_text(
        "# ours\nexact.example\n\n.whole.example # all of it\n2001:db8::/32\n"
    )
    home.list_logs(log)
    ran = home.run(
        *("watch", "192.0.2.0/24", "--watchlist", "names.txt", "--log-list", "logs.json"),
        *("--once", "--json", "--start", "beginning"),
    ).checked(1)
    indexes = {place["index"] for each in ran.alerts for place in each["sighting"]["logs"]}
    assert indexes == {0, 1, 4, 5}
    assert list((home.folder / "state").rglob("pinwarden.db")), "the default store"


def test_text_for_people(home: Home, served: LabServer, ca: CA) -> None:
    """Without --json an alert is readable text on stdout, and the summary is on stderr."""
    log = new_log(served, "log", entries=10)
    issue(log, ca, "www.shop.example")
    home.list_logs(log)
    arguments = ("watch", WATCHED, "--once", "--start", "beginning", "--log-list", "logs.json")
    ran = home.run(*arguments).checked(1)
    assert "www.shop.example" in ran.out
    assert "Some CA" in ran.out
    assert ran.err.splitlines()[-1].startswith("pinwarden: 1 log (1 up to date), 11 entries read")
    again = home.run(*arguments, "--quiet").checked(0)
    assert (again.out, again.err) == ("", "")


def test_a_list_from_an_address(home: Home, served: LabServer, ca: CA) -> None:
    """A list may be fetched, and the copy kept of it serves when its server is gone."""
    log = new_log(served, "log")
    issue(log, ca, "www.shop.example")
    arguments = ("watch", WATCHED, "--once", "--json", "--start", "beginning", "--log-list")
    home.run(*arguments, served.log_list_url).checked(1)
    issue(log, ca, "more.shop.example")
    with LabServer() as gone:
        dead = gone.log_list_url
    ran = home.run(*arguments, dead).checked(3)
    assert ran.out == ""
    assert ran.err.startswith("pinwarden: error: ")
    ran = home.run(*arguments, served.log_list_url).checked(1)
    assert names_of(ran.alerts) == ["more.shop.example"]


# Two at once.


def test_two_runs_at_once_share_a_store(home: Home, served: LabServer, ca: CA) -> None:
    """A cron job that overlaps the one before loses nothing, repeats nothing and stays tidy."""
    logs = [new_log(served, f"log{kind}", kind, entries=600) for kind in BOTH]
    for number in range(20):
        issue(logs[number % 2], ca, f"n{number:02}.shop.example")
        fill(logs[number % 2], 30, seed=number)
    home.list_logs(*logs)
    home.configure(start="beginning")
    for log in logs:
        log.most_entries = 64
    command = ("watch", "-c", str(home.config), "--once", "--json")
    with home.started(*command) as one, home.started(*command) as other:
        for daemon in (one, other):
            daemon.ended().checked(0, 1, 3)
    last = home.configured_once().checked(0, 1)
    assert [last.of(log)["verified_size"] for log in logs] == [log.size for log in logs]
    assert names_of(home.alerts()) == [f"n{number:02}.shop.example" for number in range(20)]


def test_nothing_is_left_open(home: Home, served: LabServer, ca: CA) -> None:
    """With every warning of the interpreter turned on, it has nothing to complain of."""
    logs = [new_log(served, f"log{kind}", kind, entries=30) for kind in BOTH]
    issue(logs[0], ca, "www.shop.example")
    home.list_logs(*logs)
    command = [sys.executable, "-W", "always", "-m", "pinwarden", "watch", WATCHED, "--once"]
    ran = subprocess.run(
        [*command, "--start", "beginning", "--log-list", "logs.json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=home.folder,
        env=home.environment,
    )
    verify_tidy(ran.stderr)
    assert ran.returncode == 1

"""`pinwarden watch` as a service: a life between a start and a signal."""

from __future__ import annotations

import signal

import pytest

from cli.watching import (
    BOTH,
    ENTRIES,
    WATCHED,
    Home,
    await_alert,
    await_follows,
    issue,
    names_of,
)
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

both = pytest.mark.parametrize("kind", BOTH, ids=str)


# Following, and its end.


def test_new_certificates_and_a_clean_end(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """What is logged while it runs alerts; SIGTERM ends it with exit code 0 and nothing undone."""
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        issue(logs[0], ca, "one.shop.example")
        await_alert(daemon, home, "one.shop.example")
        issue(logs[1], ca, "two.shop.example")
        await_alert(daemon, home, "one.shop.example", "two.shop.example")
        ended = daemon.stop().checked(0)
    assert ended.out == ""
    assert ended.err.splitlines() == [
        "pinwarden: watching 1 item; alerts to file",
        "pinwarden: stopped",
    ]
    for log in logs:
        position = home.position(log)
        assert position
        assert (position.size, position.verified_size) == (31, 31)
        log.visits.clear()
    assert home.configured_once().checked(0).report["entries"] == 0


def test_interrupted_by_the_keyboard(home: Home, served: LabServer, logs: list[LabLog]) -> None:
    """SIGINT ends it as cleanly as SIGTERM."""
    home.list_logs(*logs)
    with home.watching("--quiet") as daemon:
        await_follows(daemon, *logs)
        daemon.stop(signal.SIGINT).checked(0)


def test_one_run_is_interrupted(home: Home, ca: CA) -> None:
    """`--once` ends on SIGINT as programs do, and the next run goes on from there."""
    log = LabLog("long", kinds=(LogKind.STATIC,))
    fill(log, 5000, plant=["www.shop.example"])
    log.faults.slow, log.faults.on = 0.3, "tile/data"
    home.configure(start="beginning", logs={"parallel": 1})
    with LabServer([log]):
        home.list_logs(log)
        with home.watching("--once") as daemon:
            daemon.await_(lambda: log.visits.count("tile/data") > 3, "it reads")
            ended = daemon.stop(signal.SIGINT).checked(130)
        assert ended.err.strip() == "pinwarden: interrupted"
        position = home.position(log)
        assert position
        assert 0 < position.size < 5000
        log.faults.clear()
        last = home.configured_once().checked(1)
    assert last.of(log)["entries"] == 5000 - position.size
    assert names_of(home.alerts()) == ["www.shop.example"]


@both
def test_stopped_in_the_middle_of_catching_up(home: Home, ca: CA, kind: LogKind) -> None:
    """What was examined is kept, alerted, and not read again."""
    log = LabLog("long", kinds=(kind,), most_entries=1000)
    plant = [f"n{number:02}{WATCHED}" for number in range(20)]
    fill(log, 12_000 if kind is LogKind.RFC6962 else 5000, plant=plant)
    log.faults.slow, log.faults.on = 0.3, ENTRIES[kind]
    home.configure(start="beginning", logs={"parallel": 1})
    with LabServer([log]):
        home.list_logs(log)
        with home.watching() as daemon:
            daemon.await_(home.alerts, "a first alert")
            daemon.stop().checked(0)
        position = home.position(log)
        assert position
        assert 0 < position.size < log.size
        assert position.verified_size == 0
        log.visits.clear()
        log.faults.clear()
        last = home.configured_once().checked(1)
    assert last.of(log)["entries"] == log.size - position.size
    assert last.of(log)["verified_size"] == log.size
    if kind is LogKind.RFC6962:
        assert min(start for start, _ in log.visits.ranges()) == position.size
    assert names_of(home.alerts()) == plant


@both
@pytest.mark.parametrize(
    "fault", [{"endless": "drip"}, {"silent": True}, {"status": 429, "retry_after": 3600}], ids=str
)
def test_stopped_while_it_waits_for_a_log(
    home: Home, kind: LogKind, fault: dict[str, object]
) -> None:
    """A log that keeps us waiting does not delay the end."""
    log = LabLog("slow", kinds=(kind,))
    fill(log, 300)
    for name, value in fault.items():
        setattr(log.faults, name, value)
    log.faults.on = ENTRIES[kind]
    home.configure(start="beginning", logs={"timeout_seconds": 600})
    with LabServer([log]):
        home.list_logs(log)
        with home.watching() as daemon:
            daemon.await_(lambda: log.visits.count(ENTRIES[kind]), "entries are asked for")
            daemon.stop(within=20).checked(0)
    assert not home.findings()


def test_stopped_while_a_channel_hangs(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """An alert that a channel did not take in time is owed, and comes with the next run."""
    script = home.folder / "hang"
    script.write_text(f"#!/bin/sh\necho begun >> {home.folder}/begun\nexec sleep 600\n")
    script.chmod(0o755)
    hanging = {"type": "command", "command": [str(script)], "timeout": 500}
    home.configure(channels=[hanging])
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        issue(logs[0], ca, "www.shop.example")
        daemon.await_((home.folder / "begun").exists, "the channel has begun")
        daemon.stop(within=40).checked(0)
    script.write_text(f"#!/bin/sh\ncat >> {home.folder}/told\n")
    assert home.configured_once().checked(0).report["entries"] == 0
    assert "www.shop.example" in (home.folder / "told").read_text()


# Faults, as a service meets them.


def test_an_outage_is_survived(home: Home, served: LabServer, logs: list[LabLog], ca: CA) -> None:
    """A log that is away for a while loses nothing, and its neighbour is read meanwhile."""
    away, there = logs
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        served.refuse(away)
        issue(away, ca, "away.shop.example")
        issue(there, ca, "there.shop.example")
        await_alert(daemon, home, "there.shop.example")
        served.accept(away)
        await_alert(daemon, home, "away.shop.example", "there.shop.example")
        daemon.stop().checked(0)


def test_a_lie_is_told_once(home: Home, served: LabServer, logs: list[LabLog], ca: CA) -> None:
    """A log that forks is reported with both heads, once, however often it is asked again."""
    liar, honest = logs
    home.configure(channels=[{"type": "file", "path": str(home.alerts_file)}, {"type": "stdout"}])
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        liar.faults.fork = 10
        daemon.await_(home.alerts, "the lie is told")
        await_follows(daemon, *logs)
        issue(honest, ca, "www.shop.example")
        daemon.await_(lambda: len(home.alerts()) > 1, "the other log goes on")
        ended = daemon.stop().checked(0)
    lie, certificate = home.alerts()
    assert lie["finding"]["id"] == "PW-LOG-FORK"
    assert len(lie["finding"]["evidence"]) == 2
    assert certificate["sighting"]["names"] == ["www.shop.example"]
    assert "contradict each other" in ended.out
    assert home.findings()[0].count > 1


def test_a_broken_store_is_the_end(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """Without its memory it must not go on as if nothing were: one line, and exit code 3."""
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        for file in home.folder.glob("pinwarden.db*"):
            with file.open("r+b") as opened:
                opened.write(b"\xff" * file.stat().st_size)
        issue(logs[0], ca, "www.shop.example")
        ended = daemon.ended().checked(3)
    errors = [line for line in ended.err.splitlines() if "error: " in line]
    assert len(errors) == 1
    assert errors[0].startswith("pinwarden: error: store ")


def test_another_process_on_the_same_store(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """A run from the command line beside the service takes nothing from it but a little time."""
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        expected = []
        for number in range(8):
            name = f"n{number}.shop.example"
            issue(logs[number % 2], ca, name)
            expected.append(name)
            home.configured_once().checked(0, 1, 3)
            assert daemon.process.poll() is None, daemon.said
        daemon.await_(lambda: len(home.alerts()) >= len(expected), "all is told")
        daemon.stop().checked(0)
    assert names_of(home.alerts()) == expected

"""`pinwarden watch` as a service while its files and its log list change."""

from __future__ import annotations

import signal

import pytest

from cli.watching import (
    BOTH,
    Daemon,
    Home,
    await_alert,
    await_follows,
    eventually,
    issue,
    names_of,
    read_alerts,
)
from pinwarden.ct.log import LogKind, LogState
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

both = pytest.mark.parametrize("kind", BOTH, ids=str)


# Changes while it runs.


def test_the_watch_list_is_read_again(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """A changed file is noticed, and SIGHUP does it at once; nobody has to restart anything."""
    names = home.folder / "names.txt"
    names.write_text("first.example\n")
    home.configure(watch=[], watchlist="names.txt")
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        issue(logs[0], ca, "second.example")
        names.write_text("first.example\nsecond.example\n")
        daemon.await_said("reloaded: watching 2 items")
        issue(logs[1], ca, "second.example")
        await_alert(daemon, home, "second.example")
        names.write_text("first.example\nsecond.example\nthird.example\n")
        daemon.send(signal.SIGHUP)
        daemon.await_said("reloaded: watching 3 items")
        issue(logs[0], ca, "third.example")
        await_alert(daemon, home, "second.example", "third.example")
        daemon.stop().checked(0)


def test_channels_are_changed(home: Home, served: LabServer, logs: list[LabLog], ca: CA) -> None:
    """Alerts from then on go where the new configuration says, and nowhere else."""
    home.list_logs(*logs)
    other = home.folder / "other.jsonl"
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        issue(logs[0], ca, "one.shop.example")
        await_alert(daemon, home, "one.shop.example")
        home.configure(channels=[{"type": "file", "name": "other", "path": str(other)}])
        daemon.await_said("reloaded")
        issue(logs[0], ca, "two.shop.example")
        daemon.await_(lambda: read_alerts(other), "the new channel is told")
        daemon.stop().checked(0)
    assert names_of(home.alerts()) == ["one.shop.example"]
    assert names_of(read_alerts(other)) == ["two.shop.example"]


@pytest.mark.parametrize(
    "text",
    ["watch = [", 'wacth = ["x.example"]', 'watch = ["no name at all"]', 'watch = ["x.example"]'],
    ids=["no TOML", "unknown key", "bad name", "no channel"],
)
def test_a_broken_configuration_changes_nothing(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA, text: str
) -> None:
    """One line says what is wrong, and the watch goes on as before."""
    home.list_logs(*logs)
    good = home.config.read_text()
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        before = len(daemon.said.splitlines())
        home.config.write_text(text)
        daemon.await_said("not reloaded")
        issue(logs[0], ca, "www.shop.example")
        await_alert(daemon, home, "www.shop.example")
        line, *hint = daemon.said.splitlines()[before:]
        assert "configuration" in line
        assert all(each.startswith("pinwarden: hint: ") for each in hint)
        home.config.write_text(good + "\n")
        daemon.await_said("reloaded: watching")
        daemon.stop().checked(0)


# The log list while it runs.


def test_a_new_shard_is_read_from_its_first_entry(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """A log that joins the list is followed without a restart, and nothing in it is skipped."""
    home.configure(logs={"refresh_minutes": 0.01})
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        shard = LabLog("shard", kinds=(LogKind.STATIC,))
        issue(shard, ca, "first.shop.example")
        fill(shard, 300)
        served.add_log(shard)
        home.list_logs(*logs, shard)
        await_alert(daemon, home, "first.shop.example")
        daemon.stop().checked(0)


def test_the_list_is_read_again_on_demand(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """SIGHUP looks at the log list, too, though it would not be due for an hour."""
    home.list_logs(logs[0])
    with home.watching() as daemon:
        await_follows(daemon, logs[0])
        issue(logs[1], ca, "www.shop.example")
        home.list_logs(*logs)
        daemon.send(signal.SIGHUP)
        await_alert(daemon, home, "www.shop.example")
        daemon.stop().checked(0)


def test_a_log_that_leaves_is_drained(
    home: Home, served: LabServer, logs: list[LabLog], ca: CA
) -> None:
    """It is read once more to its end, and then left alone."""
    home.configure(logs={"refresh_minutes": 0.01, "poll_seconds": 2})
    home.list_logs(*logs)
    leaving = logs[1]
    with home.watching() as daemon:
        daemon.await_(lambda: home.position(leaving) is not None, "the log is followed")
        issue(leaving, ca, "last.shop.example")
        home.list_logs(logs[0])
        await_alert(daemon, home, "last.shop.example")
        _await_left(daemon, leaving, logs[0])
        daemon.stop().checked(0)
    position = home.position(leaving)
    assert position
    assert position.verified_size == 31
    assert home.findings() == ()


@both
def test_a_closed_log_is_read_to_its_last_head(home: Home, ca: CA, kind: LogKind) -> None:
    """A read-only log is followed to the final tree head of the list, and then left alone."""
    closed = LabLog("closed", kinds=(kind,), state=LogState.READONLY)
    live = LabLog("live", kinds=(kind,))
    for log in (closed, live):
        fill(log, 300)
    issue(closed, ca, "last.shop.example")
    home.configure(start="beginning", logs={"refresh_minutes": 0.01})
    with LabServer([closed, live]):
        home.list_logs(closed, live)
        with home.watching() as daemon:
            await_alert(daemon, home, "last.shop.example")
            _await_left(daemon, closed, live)
            daemon.stop().checked(0)
        position = home.position(closed)
        assert position
        assert position.verified_size == 301
        assert position.verified_root == closed.published.root


def test_a_list_that_is_spoiled(home: Home, served: LabServer, logs: list[LabLog], ca: CA) -> None:
    """While the list cannot be read the known logs are followed, and somebody hears of it."""
    home.configure(logs={"refresh_minutes": 0.01})
    home.list_logs(*logs)
    with home.watching() as daemon:
        await_follows(daemon, *logs)
        home.lists.write_text("{")
        daemon.await_said("log list")
        issue(logs[0], ca, "one.shop.example")
        daemon.await_(lambda: "one.shop.example" in names_of(home.alerts()), "an alert")
        home.lists.unlink()
        issue(logs[1], ca, "two.shop.example")
        daemon.await_(lambda: "two.shop.example" in names_of(home.alerts()), "an alert")
        daemon.stop().checked(0)


def test_a_list_that_is_bad_from_the_start(home: Home) -> None:
    """There is nothing to go on with: one line, exit code 2, and no store."""
    home.lists.write_text("{")
    with home.watching() as daemon:
        ended = daemon.ended().checked(2)
    assert ended.err.startswith("pinwarden: error: log list ")
    assert len(ended.err.splitlines()) == 1
    assert not home.store.exists()


def _await_left(daemon: Daemon, left: LabLog, other: LabLog) -> None:
    """Wait until a log is asked no more, while another one still is."""

    def quiet() -> bool:
        before = len(left.visits)
        await_follows(daemon, other)
        await_follows(daemon, other)
        return len(left.visits) == before

    eventually(quiet, lambda: daemon.said)

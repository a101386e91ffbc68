"""One worker, in this process, against a lab log over real sockets and a real store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinwarden.ct.log import Log, LogKind, LogState
from pinwarden.errors import OutsideError, PinwardenError
from pinwarden.findings import Finding
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.monitor import daemon
from pinwarden.monitor.daemon import Monitor, MonitorSettings
from pinwarden.monitor.memory import pending_head, read_head
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.monitor.status import Activity
from pinwarden.monitor.worker import LogWorker
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.store.contract import StalePositionError, Store
from pinwarden.store.store import open_store
from pinwarden.watch.watchlist import Watchlist, parse_watch_item

BOTH = (LogKind.RFC6962, LogKind.STATIC)
both = pytest.mark.parametrize("kind", BOTH, ids=str)
PIPELINE = Pipeline(Watchlist([parse_watch_item(".shop.example")]))
ENTRIES = {LogKind.RFC6962: "get-entries", LogKind.STATIC: "tile/data"}
LIMITS = Limits(timeout=5, attempts=2, backoff_first=0.01)


@dataclass(slots=True)
class Room:
    """What a worker needs."""

    store: Store
    http: HTTPClient
    file: Path

    def worker(self, log: LabLog | Log, *, start: bool = True) -> LogWorker:
        """A new worker, as after a restart."""
        described = log.description() if isinstance(log, LabLog) else log
        client = open_log(described, self.http)
        return LogWorker(client, self.store, PIPELINE, channels=("out",), from_start=start)

    async def position(self, log: LabLog) -> tuple[int, int]:
        """Size and verified size in the store."""
        position = await self.store.load_position(log.face().log_id)
        assert position
        return position.size, position.verified_size


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    file = tmp_path / "store.db"
    async with (
        await open_store(f"sqlite:///{file}") as store,
        HTTPClient(limits=LIMITS) as http,
    ):
        yield Room(store, http, file)


@asynccontextmanager
async def serving(*logs: LabLog) -> AsyncIterator[LabServer]:
    """The logs on sockets, in another thread: what blocks here does not block them."""
    server = LabServer(logs)
    await asyncio.to_thread(server.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


def planted(kind: LogKind, entries: int, *names: str) -> LabLog:
    log = LabLog("log", kinds=(kind,), most_entries=1000)
    fill(log, entries, plant=names)
    return log


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.id for finding in findings]


async def until(happened: Callable[[], object] | Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while True:
            result = happened()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            await asyncio.sleep(0.01)


# Order, whatever the network does.


@both
async def test_ranges_are_taken_in_order(room: Room, kind: LogKind) -> None:
    """Answers that come back out of order are examined in the order of the log."""
    log = planted(kind, 5000 if kind is LogKind.RFC6962 else 2000, "a.shop.example")
    log.faults.slow, log.faults.every, log.faults.on = 0.2, 2, ENTRIES[kind]
    async with serving(log):
        worker = room.worker(log)
        assert await worker.catch_up() == ()
        assert await room.position(log) == (log.size, log.size)
        assert worker.status.verified_root == log.published.root
        assert (worker.status.entries, worker.status.matched) == (log.size, 1)
        assert worker.status.activity is Activity.UP_TO_DATE
        assert await worker.catch_up() == ()
        assert worker.status.entries == log.size


@both
async def test_nothing_runs_on_after_a_failure(room: Room, kind: LogKind) -> None:
    """When one range fails, or a root does, what was fetched ahead is called back."""
    log = planted(kind, 9000 if kind is LogKind.RFC6962 else 3000)
    async with serving(log):
        before = asyncio.all_tasks()
        log.faults.status, log.faults.on, log.faults.every = 404, ENTRIES[kind], 3
        with pytest.raises(OutsideError):
            await room.worker(log).catch_up()
        assert asyncio.all_tasks() == before
        log.faults.clear()
        fill(log, 100)
        log.faults.wrong_root = True
        assert ids(await room.worker(log).catch_up()) == ["PW-LOG-FORK"]
        assert asyncio.all_tasks() == before


# Two positions.


@both
async def test_a_sighting_is_proven_when_its_entry_is(room: Room, kind: LogKind) -> None:
    """It alerts at once, unproven while the root is wrong, and is proven when that comes out."""
    log = planted(kind, 300)
    async with serving(log):
        worker = room.worker(log)
        await worker.catch_up()
        issued = CA().issue(["www.shop.example"])
        log.add_precertificate(issued.precertificate_chain)
        log.faults.wrong_root = True
        assert ids(await worker.catch_up()) == ["PW-LOG-FORK"]
        assert worker.status.activity is Activity.MISBEHAVING
        assert await room.position(log) == (300, 300)
        assert (worker.status.size, worker.status.verified_size) == (300, 300)
        [seen] = await room.store.sightings()
        assert [place.verified for place in seen.references] == [False]
        log.faults.clear()
        assert await worker.catch_up() == ()
        [seen] = await room.store.sightings()
        assert [place.verified for place in seen.references] == [True]
        assert len(await room.store.due("out", datetime.now(UTC))) == 2


@both
async def test_what_was_read_before_a_failure_is_kept(room: Room, kind: LogKind) -> None:
    """An outage in the midst costs only what comes after it."""
    log = planted(kind, 4000, *(f"n{each}.shop.example" for each in range(8)))
    log.faults.on = ENTRIES[kind]
    log.faults.status, log.faults.every = 404, 3 if kind is LogKind.RFC6962 else 9
    async with serving(log):
        worker = room.worker(log)
        with pytest.raises(OutsideError):
            await worker.catch_up()
        size, verified = await room.position(log)
        assert 0 < size < log.size
        assert verified == 0
        log.faults.clear()
        after = room.worker(log)
        assert await after.catch_up() == ()
        assert after.status.entries == log.size - size
        assert len(await room.store.sightings()) == 8


# Heads as evidence.


@both
async def test_a_head_seen_before_a_crash_still_counts(room: Room, kind: LogKind) -> None:
    """A head that was only saved, and nothing read yet, convicts a log that changes its story."""
    log = planted(kind, 300)
    async with serving(log):
        described = log.description()
        old = read_head(described, log.head())
        await room.store.save_head(pending_head(described, old, datetime.now(UTC)))
        log.faults.fork = 10
        findings = await room.worker(log).catch_up()
        assert ids(findings)[0] == "PW-LOG-FORK"
        assert old.raw in dict(findings[0].evidence).values()


@both
async def test_an_old_head_behind_an_unproven_position(room: Room, kind: LogKind) -> None:
    """Its size is passed, so a proof is asked for; a log that has none is convicted."""
    log = planted(kind, 3000)
    log.faults.status, log.faults.on = 404, ENTRIES[kind]
    log.faults.every = 3 if kind is LogKind.RFC6962 else 9
    async with serving(log):
        worker = room.worker(log)
        with pytest.raises(OutsideError):
            await worker.catch_up()
        size, verified = await room.position(log)
        assert (size > 256, verified) == (True, 0)
        log.faults.clear()
        log.faults.shrink = 200
        log.faults.skew = -(datetime.now(UTC) - datetime(2026, 1, 1, tzinfo=UTC))
        assert "PW-LOG-FORK" not in ids(await worker.catch_up())
        log.faults.shrink, log.faults.fork = 201, 100
        findings = await worker.catch_up()
        assert "PW-LOG-FORK" in ids(findings)
        log.faults.clear()
        assert await room.worker(log).catch_up() == ()
        assert await room.position(log) == (3000, 3000)


class _Moved(LabLog):
    """A log at another address that goes on signing with its old name."""

    signs_as = ""

    @property
    def origin(self) -> str:
        return self.signs_as or super().origin


@both
async def test_a_log_that_lost_what_it_had_signed(room: Room, kind: LogKind) -> None:
    """Restored from a copy, it must not blind us: its loss is found, and it is read on."""
    log = planted(kind, 290)
    async with serving(log):
        assert await room.worker(log).catch_up() == ()
        fill(log, 20, seed=5)
        log.faults.status, log.faults.on = 500, ENTRIES[kind]
        with pytest.raises(OutsideError):
            await room.worker(log).catch_up()
    restored = _Moved("log", kinds=(kind,), keys=[log.face().key])
    restored.signs_as = log.origin if kind is LogKind.STATIC else ""
    restored.add_leaves(log.history.leaves[:290], log.history.extras[:290])
    issued = CA().issue(["www.shop.example"])
    restored.add_precertificate(issued.precertificate_chain)
    async with serving(restored):
        described = restored.description()
        worker = room.worker(described)
        assert "PW-LOG-SHRUNK" in ids(await worker.catch_up())
        assert await room.position(restored) == (291, 291)
        assert len(await room.store.sightings()) == 1
        fill(restored, 50, seed=6)
        assert await worker.catch_up() == ()
        assert await room.position(restored) == (341, 341)


# Cancellation and company.


@both
async def test_cancelled_in_the_middle_of_a_commit(room: Room, kind: LogKind) -> None:
    """The commit is finished, memory and store agree, and the worker can go on."""
    log = planted(kind, 300, "www.shop.example")
    log.faults.slow, log.faults.on, log.faults.times = 0.3, ENTRIES[kind], 2
    async with serving(log):
        worker = room.worker(log)
        blocker = sqlite3.connect(room.file, isolation_level=None, check_same_thread=False)
        task = asyncio.create_task(worker.catch_up())
        await until(lambda: log.visits.count(ENTRIES[kind]))
        await asyncio.to_thread(blocker.execute, "BEGIN IMMEDIATE")
        await until(lambda: worker.status.size == 300)
        # The commit waits for the blocker, whoever else may do what it likes.
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0.1)
        await asyncio.to_thread(blocker.execute, "ROLLBACK")
        blocker.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        size, verified = await room.position(log)
        assert size == verified == 300
        fill(log, 10)
        assert await worker.catch_up() == ()
        assert await room.position(log) == (310, 310)
        assert len(await room.store.sightings()) == 1


@both
async def test_overtaken_by_another_process(room: Room, kind: LogKind) -> None:
    """Whoever comes second says so, and goes on from where the first one is."""
    log = planted(kind, 300)
    async with serving(log):
        one, other = room.worker(log), room.worker(log)
        assert await one.catch_up() == ()
        assert await other.catch_up() == ()
        log.add_precertificate(CA().issue(["www.shop.example"]).precertificate_chain)
        assert await other.catch_up() == ()
        with pytest.raises(StalePositionError):
            await one.catch_up()
        assert await one.catch_up() == ()
        fill(log, 10)
        assert await one.catch_up() == ()
        assert await room.position(log) == (311, 311)
        assert len(await room.store.due("out", datetime.now(UTC))) == 1


# Logs that come and go.


def monitor(room: Room, poll: float = 0.05) -> Monitor:
    return Monitor(
        store=room.store,
        pipeline=PIPELINE,
        open_client=lambda log: open_log(log, room.http),
        settings=MonitorSettings(poll_seconds=poll, list_seconds=0.05, from_beginning=True),
        channels=("out",),
    )


async def test_a_log_that_leaves_before_it_is_read(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last entries cannot be had, somebody hears of it, and the log is given up."""
    monkeypatch.setattr(daemon, "_RETRY_SECONDS", 0.01)
    gone, there = LabLog("gone"), LabLog("there")
    for log in (gone, there):
        fill(log, 30)
    listed = [gone, there]
    async with serving(gone, there) as server:
        following = monitor(room)
        stop = asyncio.Event()

        async def logs() -> tuple[Log, ...]:
            return tuple(log.description() for log in listed)

        running = asyncio.create_task(following.run(logs, stop))
        await until(lambda: [each.verified_size for each in following.statuses] == [30, 30])
        fill(gone, 10)
        server.refuse(gone)
        listed.remove(gone)
        await until(lambda: len(following.statuses) == 1)
        stop.set()
        await running
        [found] = await room.store.findings()
        assert found.finding.id == "PW-LOG-NOT-DRAINED"
        assert gone.url() in found.finding.subject
        assert await room.position(there) == (30, 30)


@both
async def test_a_log_that_closes_while_it_is_followed(room: Room, kind: LogKind) -> None:
    """When the list gives its final head it is read to that, and not asked again."""
    log = LabLog("log", kinds=(kind,))
    fill(log, 30)
    async with serving(log):
        following = monitor(room)
        stop = asyncio.Event()
        closed = False

        async def logs() -> tuple[Log, ...]:
            described = log.description()
            if not closed:
                return (described,)
            head = log.published
            return (
                replace(
                    described, state=LogState.READONLY, final_size=head.size, final_root=head.root
                ),
            )

        running = asyncio.create_task(following.run(logs, stop))
        await until(lambda: following.statuses and following.statuses[0].verified_size == 30)
        fill(log, 20)
        log.publish()
        closed = True
        await until(lambda: following.statuses[0].activity is Activity.DRAINED)
        assert following.statuses[0].verified_size == 50
        visits = len(log.visits)
        await asyncio.sleep(0.5)
        assert len(log.visits) <= visits + 1
        stop.set()
        await running


async def test_the_first_of_many_failures_comes_out(room: Room) -> None:
    """Whoever runs the monitor catches our errors by class, not in a bundle."""

    async def logs() -> tuple[Log, ...]:
        raise OutsideError("no list", target="nowhere")

    with pytest.raises(PinwardenError, match="no list"):
        await monitor(room).run(logs, asyncio.Event())

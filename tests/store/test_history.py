"""Property: whatever happens in whatever order, one cause is one alert to each channel."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pinwarden.errors import StoreError
from pinwarden.findings import LOG_FORK
from pinwarden.store.contract import LogPosition, StalePositionError, Step, Store
from pinwarden.store.store import open_store
from pinwarden.watch.sighting import Sighting
from store.values import ARGON, NOW, TUSCOLO, certificate, finding, later, sighting

_T = TypeVar("_T")
_LOGS = st.sampled_from([ARGON, TUSCOLO])
_ENTRIES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans()), max_size=4)
_CHANNELS = st.sets(st.sampled_from(["mail", "hook"])).map(sorted)
_SUBJECTS = st.sampled_from(["x", "y"])


class History(RuleBasedStateMachine):
    """A store, and a model of what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "pinwarden.db"
        self.loop = asyncio.Runner()
        self.positions: dict[bytes, LogPosition] = {}
        self.owed: dict[str, dict[str, str]] = {}
        self.seen: dict[bytes, set[tuple[bytes, int, bytes]]] = {}
        self.standing: dict[str, int] = {}
        self.episodes: dict[str, int] = {}
        self.ticks = 0

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run(work)

    @initialize()
    def open(self) -> None:
        self.store: Store = self.run(open_store(f"sqlite:///{self.path}"))

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    def step(self, log_id: bytes, entries: list[tuple[str, bool]], channels: list[str]) -> Step:
        before = self.positions.get(log_id)
        start = before.size if before else 0
        seen: list[Sighting] = []
        for offset, (name, whole) in enumerate(entries):
            make = certificate if whole else sighting
            seen.append(make(name, start + offset, log_id))
        self.ticks += 1
        at = later(seconds=self.ticks)
        frontier = repr((start, entries)).encode()
        after = LogPosition(
            log_id=log_id,
            description=log_id.hex(),
            url="https://log.example/",
            start_index=0,
            size=start + len(entries),
            frontier=frontier,
            updated=at,
        )
        return Step(
            position_before=before,
            position=after,
            sightings=tuple(seen),
            channels=tuple(channels),
            at=at,
        )

    def alerted(self, key: str, channels: list[str]) -> None:
        assert key not in self.owed
        self.owed[key] = dict.fromkeys(channels, "due")

    @rule(log_id=_LOGS, entries=_ENTRIES, channels=_CHANNELS)
    def commit(self, log_id: bytes, entries: list[tuple[str, bool]], channels: list[str]) -> None:
        step = self.step(log_id, entries, channels)
        committed = self.run(self.store.commit(step))
        self.positions[log_id] = step.position
        new = {one.key for one in step.sightings} - self.seen.keys()
        assert (committed.new_issuances, committed.new_alerts) == (len(new), len(new))
        for key in new:
            self.alerted(f"issuance:{key.hex()}", channels)
        for one in step.sightings:
            place = (log_id, one.seen.index, one.seen.leaf_hash)
            self.seen.setdefault(one.key, set()).add(place)

    @rule(log_id=_LOGS, entries=_ENTRIES, channels=_CHANNELS)
    def commit_stale(
        self, log_id: bytes, entries: list[tuple[str, bool]], channels: list[str]
    ) -> None:
        step = self.step(log_id, entries, channels)
        other = replace(step.position, frontier=b"from elsewhere")
        with pytest.raises(StalePositionError):
            self.run(self.store.commit(replace(step, position_before=other)))

    @rule(
        log_id=_LOGS,
        entries=_ENTRIES.filter(bool),
        channels=_CHANNELS,
        table=st.sampled_from(["entry", "position"]),
    )
    def commit_fails(
        self, log_id: bytes, entries: list[tuple[str, bool]], channels: list[str], table: str
    ) -> None:
        step = self.step(log_id, entries, channels)
        with closing(sqlite3.connect(self.path)) as other:
            for what in ("INSERT", "UPDATE"):
                other.execute(
                    f"CREATE TRIGGER fault_{what} BEFORE {what} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'fault'); END"
                )
        with pytest.raises(StoreError, match="fault"):
            self.run(self.store.commit(step))
        with closing(sqlite3.connect(self.path)) as other:
            other.executescript("DROP TRIGGER fault_INSERT; DROP TRIGGER fault_UPDATE")

    @rule(log_id=_LOGS, back=st.integers(1, 5))
    def step_back(self, log_id: bytes, back: int) -> None:
        step = self.step(log_id, [], [])
        if step.position_before is None:
            return
        size = max(0, step.position.size - back)
        after = replace(step.position, size=size, frontier=b"back")
        self.run(self.store.commit(replace(step, position=after)))
        self.positions[log_id] = after

    @rule(subject=_SUBJECTS, channels=_CHANNELS)
    def find(self, subject: str, channels: list[str]) -> None:
        new = self.run(self.store.record_findings([finding(subject)], at=NOW, channels=channels))
        assert new == (subject not in self.standing)
        if new:
            self.episodes[subject] = self.episodes.get(subject, 0) + 1
            again = "" if self.episodes[subject] == 1 else f"#{self.episodes[subject]}"
            self.alerted(f"finding:{LOG_FORK.id}:{subject}{again}", channels)
        self.standing[subject] = self.standing.get(subject, 0) + 1

    @rule(subject=_SUBJECTS)
    def resolve(self, subject: str) -> None:
        closed = self.run(self.store.resolve_findings([(LOG_FORK.id, subject)], at=NOW))
        assert closed == (self.standing.pop(subject, None) is not None)

    @rule(channel=st.sampled_from(["mail", "hook"]), ends=st.lists(st.sampled_from("sfdx")))
    def deliver(self, channel: str, ends: list[str]) -> None:
        owed = self.run(self.store.due(channel, later(days=1)))
        expected = {key for key, where in self.owed.items() if where.get(channel) == "due"}
        assert {one.alert.key for one in owed} == expected
        for one, end in zip(owed, ends, strict=False):
            assert self.run(self.store.begin([one.id], NOW)) == {one.id}
            if end == "s":
                self.run(self.store.sent([one.id], NOW))
            elif end == "f":
                self.run(self.store.failed([one.id], "no", later(hours=1)))
            elif end == "d":
                self.run(self.store.dead([one.id], "never", NOW))
            states = {"s": "sent", "f": "due", "d": "dead", "x": "sending"}
            self.owed[one.alert.key][channel] = states[end]

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.open()
        orphans = [
            (key, channel)
            for key, where in self.owed.items()
            for channel, state in where.items()
            if state == "sending"
        ]
        assert self.run(self.store.recover(NOW)) == len(orphans)
        for key, channel in orphans:
            self.owed[key][channel] = "due"

    @invariant()
    def everything_is_as_modelled(self) -> None:
        assert {at.log_id: at for at in self.run(self.store.load_positions())} == self.positions
        found = self.run(self.store.sightings(limit=1000))
        places = {
            one.sighting.key: [(at.log_id, at.index, at.leaf_hash) for at in one.references]
            for one in found
        }
        assert {key: set(those) for key, those in places.items()} == self.seen
        assert all(len(those) == len(set(those)) for those in places.values())
        alerts = self.run(self.store.alerts(limit=1000))
        stored = {
            one.alert.key: {status.channel: status.state.value for status in one.deliveries}
            for one in alerts
        }
        assert stored == self.owed
        assert len(alerts) == len(stored)


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)

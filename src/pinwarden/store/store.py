"""The store in SQL: one transaction a promise, one writer at a time."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pinwarden.caa.history.observation import LastObserved, Observation
from pinwarden.errors import StoreError, quoted
from pinwarden.findings import Finding
from pinwarden.store import alerts, caa, outbox, positions, reads, sightings
from pinwarden.store.contract import (
    Acknowledgement,
    Committed,
    Delivery,
    DeliveryState,
    LogPosition,
    PendingHead,
    SightingFilter,
    Step,
    Store,
    StoredAlert,
    StoredFinding,
    StoredSighting,
    Totals,
)
from pinwarden.store.findings import (
    any_open,
    list_findings,
    list_standing,
    resolve_findings,
    save_findings,
)
from pinwarden.store.lock import SendersLock
from pinwarden.store.sqlite import (
    BEGIN,
    DAMAGED,
    make_engine,
    prepare,
    sqlite_path,
    use_write_ahead_log,
)
from pinwarden.store.upgrade import is_current, upgrade

_T = TypeVar("_T")


async def open_store(url: str, *, create: bool = True) -> Store:
    """Open the store of a URL, bringing its tables up to date.

    `sqlite:///relative.db`, `sqlite:////absolute/path.db` or `sqlite:///:memory:`.
    A missing file is created with its folders unless `create` is False. Raises
    `ConfigError` for another URL, and `StoreError` for what is no store of ours,
    which is left as it was.
    """
    path = sqlite_path(url)
    name = f"store {quoted('memory' if path is None else str(path))}"
    if path is not None:
        prepare(path, create=create)
    engine = make_engine(path)
    try:
        with _our_errors(name):
            await _bring_up(engine, name)
    except BaseException:
        await engine.dispose()
        raise
    return SQLStore(engine, name, path)


class SQLStore:
    """A store behind one engine; see `contract.Store` for what each method promises."""

    def __init__(self, engine: AsyncEngine, name: str, path: Path | None) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        self._name = name
        self._writing = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._sender = secrets.token_hex(8)
        lock = None if path is None else path.with_name(path.name + ".senders")
        self._senders = SendersLock(lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        self._closed = True
        if self._under_way:
            await asyncio.wait(self._under_way)
        with _our_errors(self._name):
            await self._engine.dispose()
        self._senders.release()

    async def load_positions(self) -> tuple[LogPosition, ...]:
        """The position in every log ever followed, by description."""
        return await self._read(positions.load_positions)

    async def load_position(self, log_id: bytes) -> LogPosition | None:
        """The position in one log, None if it was never followed."""
        return await self._read(positions.load_position, log_id)

    async def commit(self, step: Step) -> Committed:
        """Make one step durable, whole or not at all."""
        return await self._write(_commit, step)

    async def save_head(self, head: PendingHead) -> None:
        """Keep a head that is not yet verified."""
        await self._write(positions.save_heads, (head,))

    async def load_heads(self, log_id: bytes) -> tuple[PendingHead, ...]:
        """The heads of a log not yet verified, smallest tree first."""
        return await self._read(positions.load_heads, log_id)

    async def drop_heads(self, heads: Collection[PendingHead]) -> None:
        """Forget pending heads, known by log, size and root."""
        if heads:
            await self._write(positions.drop_heads, heads)

    async def load_meta(self, key: str) -> str | None:
        """A value kept under a name, None if there is none."""
        return await self._read(positions.load_meta, key)

    async def save_meta(self, key: str, value: str) -> None:
        """Keep a value under a name."""
        await self._write(positions.save_meta, key, value)

    async def record_findings(
        self,
        findings: Collection[Finding],
        *,
        at: datetime,
        channels: Collection[str],
        log_id: bytes | None = None,
    ) -> int:
        """Keep findings and return how many are new, that is, alerted."""
        if not findings:
            return 0
        return await self._write(_record, findings, at, channels, log_id)

    async def resolve_findings(self, findings: Collection[tuple[str, str]], *, at: datetime) -> int:
        """Close the open findings of these (kind id, subject) and return how many were."""
        # Asked after every good answer of every log, and seldom with anything to do.
        if not findings or not await self._read(any_open, findings):
            return 0
        return await self._write(resolve_findings, findings, at)

    async def findings(
        self, *, resolved: bool | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[StoredFinding, ...]:
        """Findings, newest first: all, or only (not) `resolved`; pages follow from `after`."""
        return await self._read(list_findings, resolved, limit, after)

    async def standing(self, kinds: Collection[str]) -> frozenset[tuple[str, str]]:
        """The findings (kind id, subject) of these kinds that are not resolved."""
        return await self._read(list_standing, kinds)

    async def record_observations(
        self,
        observations: Collection[Observation],
        *,
        findings: Collection[Finding] = (),
        untold: Collection[Finding] = (),
        passed: Collection[tuple[str, str]] = (),
        at: datetime,
        channels: Collection[str] = (),
    ) -> int:
        """Keep looks at CAA with the findings of them, together; returns how many are new."""
        work = caa.record_observations
        return await self._write(work, observations, findings, untold, passed, at, channels)

    async def observations(
        self, name: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Observation, ...]:
        """What was seen of a name, oldest first, as far as it touches the time asked for."""
        return await self._read(caa.list_observations, name, since, until)

    async def last_observations(
        self, names: Collection[str], *, since: datetime | None = None
    ) -> tuple[LastObserved, ...]:
        """The newest of every name ever looked at, for each resolver; `recent` from `since` on."""
        return await self._read(caa.last_observations, names, since)

    async def due(self, channel: str, now: datetime, limit: int = 100) -> tuple[Delivery, ...]:
        """The oldest deliveries owed to one channel that may be tried now."""
        return await self._read(outbox.due, channel, now, limit)

    async def next_due(self, channels: Collection[str]) -> datetime | None:
        """When the next delivery to any of these channels may be tried; None if none is owed."""
        return await self._read(outbox.next_due, channels)

    async def begin(self, ids: Collection[int], at: datetime) -> frozenset[int]:
        """Mark deliveries as being sent; only those returned are the caller's to send."""
        if not ids:
            return frozenset()
        await self._senders.share()
        return await self._write(outbox.begin, ids, self._sender, at)

    async def sent(self, ids: Collection[int], at: datetime) -> None:
        """Mark deliveries as taken by their channel."""
        if ids:
            await self._write(outbox.sent, ids, at)

    async def failed(self, ids: Collection[int], error: str, next_at: datetime) -> None:
        """Make deliveries due again at `next_at`, because of `error`."""
        await self._not_sent(ids, DeliveryState.DUE, error, next_at)

    async def dead(self, ids: Collection[int], error: str, at: datetime) -> None:
        """Give deliveries up for good, because of `error`."""
        await self._not_sent(ids, DeliveryState.DEAD, error, at)

    async def recover(self, now: datetime) -> int:
        """Make due again what a dead process was sending, and return how many."""
        async with self._senders.alone() as alone:
            return await self._write(outbox.recover, self._sender, now, alone)

    async def sightings(
        self, chosen: SightingFilter | None = None, *, limit: int = 100
    ) -> tuple[StoredSighting, ...]:
        """One page of sightings, without `der`, in the order they were first seen."""
        return await self._read(reads.list_sightings, chosen or SightingFilter(), limit)

    async def sighting(self, which: int | bytes) -> StoredSighting | None:
        """One sighting with its `der`, by id or by issuance key."""
        return await self._read(reads.load_sighting, which)

    async def alerts(
        self,
        *,
        acknowledged: bool | None = None,
        limit: int = 100,
        after: int | None = None,
        newest_first: bool = False,
    ) -> tuple[StoredAlert, ...]:
        """One page of alerts, without `der`: all, or only those (not) `acknowledged`."""
        page = functools.partial(
            alerts.list_alerts,
            acknowledged=acknowledged,
            limit=limit,
            after=after,
            newest_first=newest_first,
        )
        return await self._read(page)

    async def alert(self, alert_id: int) -> StoredAlert | None:
        """One alert, None if there is none of that id."""
        return await self._read(alerts.load_alert, alert_id)

    async def ack(self, alert_id: int, *, who: str, why: str, at: datetime) -> bool:
        """Take note of an alert; False if somebody already had, whose word stands."""
        taken = Acknowledgement(who=who, why=why, at=at)
        return await self._write(alerts.acknowledge, alert_id, taken)

    async def totals(self) -> Totals:
        """How much the store holds."""
        return await self._read(reads.totals)

    async def _not_sent(
        self, ids: Collection[int], state: DeliveryState, error: str, at: datetime
    ) -> None:
        if ids:
            await self._write(outbox.not_sent, ids, self._sender, state, error, at)

    async def _read(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await self._whole(self._transaction(self._engine, work, arguments))

    async def _write(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await self._whole(self._turn(work, arguments))

    async def _turn(self, work: Callable[..., _T], arguments: tuple[object, ...]) -> _T:
        # SQLite takes one writer; those of this process need not wait by polling.
        async with self._writing:
            return await self._transaction(self._writer, work, arguments)

    async def _transaction(
        self, engine: AsyncEngine, work: Callable[..., _T], arguments: tuple[object, ...]
    ) -> _T:
        with _our_errors(self._name):
            async with engine.begin() as connection:
                return await connection.run_sync(work, *arguments)

    async def _whole(self, transaction: Coroutine[Any, Any, _T]) -> _T:
        """Run a transaction to its end even if who asked for it is cancelled meanwhile."""
        if self._closed:
            transaction.close()
            raise RuntimeError("the store is closed")
        task = asyncio.ensure_future(transaction)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        # Read, so that one whose asker was cancelled is not reported as unread.
        _ = task.cancelled() or task.exception()


async def _bring_up(engine: AsyncEngine, name: str) -> None:
    async with engine.begin() as connection:
        current = await connection.run_sync(is_current, name)
    await use_write_ahead_log(engine)
    if not current:
        await upgrade(engine, name)


def _commit(connection: Connection, step: Step) -> Committed:
    positions.move_position(connection, step.position_before, step.position)
    issuances = sightings.save_sightings(connection, step)
    found = save_findings(connection, step.findings, step.at, step.position.log_id)
    made = 0
    if issuances or found:
        made = alerts.make_alerts(
            connection, sightings=issuances, findings=found, at=step.at, channels=step.channels
        )
    positions.save_heads(connection, step.heads)
    positions.drop_heads(connection, step.drop_heads)
    return Committed(len(issuances), made)


def _record(
    connection: Connection,
    found: Collection[Finding],
    at: datetime,
    channels: Collection[str],
    log_id: bytes | None,
) -> int:
    new = save_findings(connection, found, at, log_id)
    return alerts.make_alerts(connection, findings=new, at=at, channels=channels) if new else 0


@contextmanager
def _our_errors(name: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{name}: {_reason(error.orig)}", hint=_hint(error.orig)) from error
    except SQLAlchemyError as error:
        raise StoreError(f"{name}: {_reason(error)}") from error
    except OverflowError as error:
        # A number from outside that fits no column, such as a tree size above 2**63.
        raise StoreError(f"{name}: cannot hold this value: {_reason(error)}") from error


def _reason(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]


def _hint(error: BaseException | None) -> str | None:
    message = str(error)
    if "malformed" in message or "not a database" in message:
        return DAMAGED
    if "locked" in message:
        return "another process holds it; try again when that is done"
    if "full" in message:
        return "free some disk space"
    return None

"""All logs at once: workers come and go with the log list, each on its own.

`once` catches up with the present heads and returns; `run` goes on until it is
told to stop. The log list, the watch list and the channels may be replaced while
it runs. A log that leaves the list is drained first: entries that it served
until then are the ones a removed shard would hide.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from pinwarden.ct.log import Log
from pinwarden.errors import PinwardenError, StoreError, quoted
from pinwarden.findings import LOG_NOT_DRAINED, Finding
from pinwarden.monitor.health import PASSING, Patience, finding_of
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.monitor.status import Activity, LogStatus
from pinwarden.monitor.worker import LogWorker, utc_now
from pinwarden.net.logs import LogClient
from pinwarden.store.contract import StalePositionError, Store

_log = logging.getLogger(__name__)

_BASELINE = "baseline-logs"
BASELINE_AT = "baseline-at"

# A log that failed is asked again after this, doubling up to the second value.
_RETRY_SECONDS = 15.0
_RETRY_LONGEST = 600.0

# Passes in a row that may fail for the store before the monitor gives up: each
# has already waited for a lock.
_STORE_ATTEMPTS = 5

# Attempts to reach the last head of a log that left the list.
_DRAIN_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How to follow: seconds between polls, and where unknown logs begin."""

    poll_seconds: float = 20.0
    list_seconds: float = 3600.0
    from_beginning: bool = False


@dataclass(frozen=True, slots=True)
class LogOutcome:
    """How one pass over one log ended; `error` is set if it could not be finished."""

    status: LogStatus
    findings: tuple[Finding, ...] = ()
    error: PinwardenError | None = None


@dataclass(slots=True)
class _Follower:
    """A worker with its task and its record."""

    worker: LogWorker
    patience: Patience = field(default_factory=Patience)
    task: asyncio.Task[None] | None = None
    leaving: bool = False
    store_failures: int = 0


class Monitor:
    """Follows every log of a list through clients that `open_client` makes."""

    def __init__(
        self,
        *,
        store: Store,
        pipeline: Pipeline,
        open_client: Callable[[Log], LogClient],
        settings: MonitorSettings,
        channels: tuple[str, ...],
        on_alert: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._open_client = open_client
        self._settings = settings
        self._channels = channels
        self._on_alert = on_alert
        self._followers: dict[bytes, _Follower] = {}
        self._list_again = asyncio.Event()

    @property
    def statuses(self) -> list[LogStatus]:
        """One line a log, in the order of the list."""
        return [follower.worker.status for follower in self._followers.values()]

    def replace(self, pipeline: Pipeline, channels: tuple[str, ...]) -> None:
        """Use another watch list and other channels from the next batch on."""
        self._pipeline = pipeline
        self._channels = channels
        for follower in self._followers.values():
            follower.worker.pipeline = pipeline
            follower.worker.channels = channels

    async def once(self, logs: tuple[Log, ...]) -> tuple[LogOutcome, ...]:
        """Catch up with every log's present head; a failing log does not stop the others."""
        await self._adopt(logs)
        with first_failure():
            async with asyncio.TaskGroup() as group:
                passes = [
                    group.create_task(self._pass(follower)) for follower in self._followers.values()
                ]
        return tuple(each.result() for each in passes)

    async def _pass(self, follower: _Follower) -> LogOutcome:
        worker = follower.worker
        try:
            findings = await worker.catch_up()
        except StalePositionError as error:
            _failing(worker, error)
            return LogOutcome(worker.status, (), error)
        except StoreError:
            raise
        except PinwardenError as error:
            _failing(worker, error)
            finding = finding_of(error, worker.subject)
            await self._report((finding,), worker)
            return LogOutcome(worker.status, (finding,), error)
        await self._recovered(worker, findings)
        return LogOutcome(worker.status, findings)

    async def run(
        self, load_logs: Callable[[], Awaitable[tuple[Log, ...]]], stop: asyncio.Event
    ) -> None:
        """Follow until `stop` is set. Raises StoreError: without a store there is no memory.

        `load_logs` is asked at the start, every `list_seconds` and after `relist`.
        """
        with first_failure():
            async with asyncio.TaskGroup() as group:
                stopping = group.create_task(stop.wait())
                listing = group.create_task(self._keep_listing(group, load_logs))
                await stopping
                listing.cancel()
                for follower in self._followers.values():
                    if follower.task is not None:
                        # A worker that is cancelled commits what it has examined.
                        follower.task.cancel()

    def relist(self) -> None:
        """Look at the log list again now."""
        self._list_again.set()

    async def _keep_listing(
        self, group: asyncio.TaskGroup, load_logs: Callable[[], Awaitable[tuple[Log, ...]]]
    ) -> None:
        while True:
            self._list_again.clear()
            await self._list(load_logs)
            for follower in self._followers.values():
                if follower.task is None or (follower.task.done() and not follower.worker.drained):
                    follower.task = group.create_task(self._follow(follower))
            await _wait(self._list_again, self._settings.list_seconds)

    async def _list(self, load_logs: Callable[[], Awaitable[tuple[Log, ...]]]) -> None:
        try:
            logs = await load_logs()
        except StoreError:
            raise
        except PinwardenError as error:
            if not self._followers:
                raise
            _log.warning("the logs are followed as before: %s", error)
        else:
            await self._adopt(logs)

    async def _adopt(self, logs: tuple[Log, ...]) -> None:
        """Workers for logs that are new, and an end for those that are gone."""
        baseline = await self._baseline(logs)
        began = await self._store.load_meta(BASELINE_AT)
        since = datetime.fromisoformat(began) if began is not None else None
        for log in logs:
            known = self._followers.get(log.log_id)
            if known is not None:
                if known.worker.log != log:
                    known.worker.use(self._open_client(log))
                continue
            # A shard that appears later is read from its first entry, whatever
            # `start` says: its first certificates are as good as any others.
            worker = LogWorker(
                self._open_client(log),
                self._store,
                self._pipeline,
                channels=self._channels,
                from_start=self._settings.from_beginning or log.log_id not in baseline,
                since=since,
                on_alert=self._on_alert,
            )
            self._followers[log.log_id] = _Follower(worker)
        listed = {log.log_id for log in logs}
        for log_id, follower in self._followers.items():
            follower.leaving = log_id not in listed

    async def _baseline(self, logs: tuple[Log, ...]) -> frozenset[bytes]:
        """The logs that were listed when this store was first used."""
        text = await self._store.load_meta(_BASELINE)
        if text is None:
            text = json.dumps(sorted(log.log_id.hex() for log in logs))
            await self._store.save_meta(BASELINE_AT, utc_now().isoformat())
            await self._store.save_meta(_BASELINE, text)
        return frozenset(bytes.fromhex(log_id) for log_id in json.loads(text))

    async def _follow(self, follower: _Follower) -> None:
        """The life of one worker."""
        worker = follower.worker
        failures = 0
        while True:
            # Only a pass that begins after the log has left has seen its last head.
            leaving = follower.leaving
            failures = 0 if await self._turn(follower) else failures + 1
            if leaving and (failures == 0 or failures >= _DRAIN_ATTEMPTS):
                await self._part(follower, drained=failures == 0)
                return
            if worker.drained:
                return
            pause = self._settings.poll_seconds
            if failures:
                pause = min(_RETRY_LONGEST, max(pause, _RETRY_SECONDS * 2 ** (failures - 1)))
            # Spread the polls, so that logs and their front ends see no bursts.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311

    async def _turn(self, follower: _Follower) -> bool:
        """One pass in a long life; whether the log was followed to its head."""
        worker = follower.worker
        try:
            findings = await worker.catch_up()
        except StalePositionError as error:
            _failing(worker, error)
            _log.warning("%s", error)
            return False
        except StoreError as error:
            # A backup may hold the database for a while. What was examined is kept
            # in the worker, and the next pass commits it.
            follower.store_failures += 1
            if follower.store_failures >= _STORE_ATTEMPTS:
                raise
            _failing(worker, error)
            _log.warning("%s", error)
            return False
        except PinwardenError as error:
            _failing(worker, error)
            _log.warning("log %s: %s", quoted(worker.status.description), error)
            if follower.patience.failed(error, utc_now()):
                await self._report((finding_of(error, worker.subject),), worker)
            return False
        follower.patience.succeeded()
        follower.store_failures = 0
        await self._recovered(worker, findings)
        return worker.status.activity is not Activity.MISBEHAVING

    async def _part(self, follower: _Follower, *, drained: bool) -> None:
        worker = follower.worker
        if not drained:
            status = worker.status
            finding = Finding(
                kind=LOG_NOT_DRAINED,
                subject=worker.subject,
                message=(
                    f"the log left the log list and could not be read to its end: verified up "
                    f"to {status.verified_size} of {status.target} entries"
                ),
            )
            await self._report((finding,), worker)
        del self._followers[worker.log.log_id]

    async def _recovered(self, worker: LogWorker, findings: tuple[Finding, ...]) -> None:
        """Close what has passed, and report what the pass itself noticed."""
        if worker.status.activity is not Activity.MISBEHAVING:
            worker.status.error = None
        still = {finding.id for finding in findings}
        passed = [(kind.id, worker.subject) for kind in PASSING if kind.id not in still]
        await self._store.resolve_findings(passed, at=utc_now())
        await self._report(tuple(f for f in findings if f.kind in PASSING), worker)

    async def _report(self, findings: tuple[Finding, ...], worker: LogWorker) -> None:
        if not findings:
            return
        new = await self._store.record_findings(
            findings, at=utc_now(), channels=self._channels, log_id=worker.log.log_id
        )
        worker.status.alerts += new
        if new:
            self._on_alert()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _failing(worker: LogWorker, error: PinwardenError) -> None:
    worker.status.activity = Activity.FAILING
    worker.status.error = str(error)


@contextmanager
def first_failure() -> Iterator[None]:
    """Let the first failure of a task group out as itself: callers catch ours by class."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _first(group) from group


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

"""Looks at CAA policies, round after round, and tells of what changed.

A look that shows another policy is followed by a second one, past every memory of the
first: what is different once and then as before is name servers that disagree. A failure
is told of when it has lasted. What was seen and what it amounts to is stored together.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pinwarden.caa.climb import climb_asking
from pinwarden.caa.history.observation import LastObserved, Observation, observation_of
from pinwarden.errors import StoreError
from pinwarden.findings import Finding
from pinwarden.monitor.caa_crowd import NameReport
from pinwarden.monitor.caa_judgement import STANDING_KINDS, Looked, is_suspect, judge
from pinwarden.monitor.caa_unrest import REMEMBERED
from pinwarden.monitor.health import UNREACHABLE_AFTER
from pinwarden.monitor.worker import utc_now
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.store.contract import Store

_log = logging.getLogger(__name__)

OpenResolvers = Callable[[], AbstractAsyncContextManager[Sequence[CAAResolver]]]
"""Opens resolvers that remember nothing yet; each round, and each second look, needs new ones."""

# Names whose looks are written in one transaction, so that nobody waits long for the store.
_AT_ONCE = 200

# Rounds in a row that may fail for the store before the observer gives up.
_STORE_ATTEMPTS = 5
_STORE_REST_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverSettings:
    """How often to look, how long to wait for the second look, and with failures."""

    interval: timedelta = timedelta(hours=1)
    confirm_after: timedelta = timedelta(seconds=20)
    patience: timedelta = UNREACHABLE_AFTER
    parallel: int = 50


@dataclass(frozen=True, slots=True)
class Round:
    """What one round over all names brought; `failed` names could not be looked up."""

    names: int = 0
    changed: int = 0
    failed: int = 0
    alerts: int = 0
    findings: tuple[Finding, ...] = ()
    # Of each name that could not be looked up, why.
    problems: tuple[tuple[str, str], ...] = ()


class CAAObserver:
    """Observes the policies of names through resolvers that `open_resolvers` opens."""

    def __init__(
        self,
        *,
        store: Store,
        names: Collection[str],
        open_resolvers: OpenResolvers,
        channels: Collection[str],
        settings: ObserverSettings | None = None,
        on_alert: Callable[[], None] = lambda: None,
        on_round: Callable[[Round], None] = lambda _: None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._names = tuple(dict.fromkeys(names))
        self._open_resolvers = open_resolvers
        self._channels = tuple(channels)
        self._settings = settings or ObserverSettings()
        self._on_alert = on_alert
        self._on_round = on_round
        self._clock = clock
        self._soon = asyncio.Event()

    def replace(
        self,
        names: Collection[str],
        channels: Collection[str],
        *,
        open_resolvers: OpenResolvers | None = None,
        settings: ObserverSettings | None = None,
    ) -> None:
        """Observe other names, for other channels, or in another way, from the next round on.

        It begins now if there is a new name, or the interval is another one.
        """
        settings = settings or self._settings
        soon = bool(set(names) - set(self._names)) or settings.interval != self._settings.interval
        self._names = tuple(dict.fromkeys(names))
        self._channels = tuple(channels)
        self._open_resolvers = open_resolvers or self._open_resolvers
        self._settings = settings
        if soon:
            self._soon.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Observe until `stop` is set. Raises StoreError: without a store there is no memory."""
        failures = 0
        while not stop.is_set():
            self._soon.clear()
            turn = asyncio.create_task(self._turn())
            try:
                await _first_of(turn, stop.wait())
            finally:
                if not turn.done():
                    turn.cancel()
                    with suppress(asyncio.CancelledError):
                        await turn
            if turn.cancelled():
                return
            error = turn.result()
            failures = 0 if error is None else failures + 1
            if error is not None and failures >= _STORE_ATTEMPTS:
                raise error
            pause = self._settings.interval.total_seconds()
            if failures:
                pause = min(pause, _STORE_REST_SECONDS * failures)
            # Spread, so that name servers see no bursts.
            pause *= random.uniform(0.9, 1.0)  # noqa: S311
            await _first_of(asyncio.sleep(pause), stop.wait(), self._soon.wait())

    async def _turn(self) -> StoreError | None:
        """One round in a long life; the error if the store could not be read or written."""
        try:
            result = await self.round()
            if result.names:
                self._on_round(result)
        except StoreError as error:
            # A backup may hold the database for a while.
            _log.warning("CAA: %s", error)
            return error
        return None

    async def round(self) -> Round:
        """Look at every name once, and a second time at those that look changed.

        Raises StoreError; what DNS does is no error but an observation.
        """
        names, channels = self._names, self._channels
        if not names:
            return Round()
        known = await self._known(names)
        first = await self._look(names)
        suspects = [name for name in names if is_suspect(first[name], known.get(name, ()))]
        second: dict[str, tuple[Observation, ...]] = {}
        if suspects:
            await asyncio.sleep(self._settings.confirm_after.total_seconds())
            second = await self._look(suspects)
        looked = [
            Looked(name, known.get(name, ()), first[name], second.get(name, ())) for name in names
        ]
        standing = await self._store.standing(STANDING_KINDS)
        # Beside the loop: comparing hostile sets takes a while.
        reports = await asyncio.to_thread(
            judge, looked, self._clock(), self._settings.patience, standing
        )
        alerts = await self._keep(reports, channels)
        if alerts:
            self._on_alert()
        return Round(
            names=len(names),
            changed=sum(report.changed for report in reports),
            failed=sum(report.failed for report in reports),
            alerts=alerts,
            findings=tuple(finding for report in reports for finding in report.findings),
            problems=tuple(
                (report.name, _problem(report.observations)) for report in reports if report.failed
            ),
        )

    async def _known(self, names: Sequence[str]) -> dict[str, tuple[LastObserved, ...]]:
        known: dict[str, tuple[LastObserved, ...]] = {}
        since = self._clock() - REMEMBERED
        for last in await self._store.last_observations(names, since=since):
            known[last.name] = (*known.get(last.name, ()), last)
        return known

    async def _keep(self, reports: Sequence[NameReport], channels: tuple[str, ...]) -> int:
        alerts = 0
        for start in range(0, len(reports), _AT_ONCE):
            some = reports[start : start + _AT_ONCE]
            alerts += await self._store.record_observations(
                [each for report in some for each in report.observations],
                findings=[each for report in some for each in report.findings],
                untold=[each for report in some for each in report.untold],
                passed=[each for report in some for each in report.passed],
                at=self._clock(),
                channels=channels,
            )
        return alerts

    async def _look(self, names: Sequence[str]) -> dict[str, tuple[Observation, ...]]:
        """One look at each name through each resolver, a bounded number at a time."""
        seen: dict[str, tuple[Observation, ...]] = {}
        left = iter(names)

        async def work(resolvers: Sequence[CAAResolver]) -> None:
            for name in left:
                seen[name] = tuple(
                    await asyncio.gather(*(self._observe(name, each) for each in resolvers))
                )

        async with self._open_resolvers() as resolvers:
            workers = min(self._settings.parallel, len(names))
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(work(resolvers))
        return seen

    async def _observe(self, name: str, resolver: CAAResolver) -> Observation:
        found = await climb_asking(name, resolver.look_up)
        return observation_of(found, self._clock(), resolver.description)


def _problem(looks: Sequence[Observation]) -> str:
    return next((look.problem or str(look.failure) for look in looks if look.failed), "")


async def _first_of(*waited: Awaitable[object]) -> None:
    """Wait until one is done; what is no task of its own is then let go."""
    tasks = [asyncio.ensure_future(each) for each in waited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, each in zip(tasks, waited, strict=True):
            if task is not each:
                task.cancel()

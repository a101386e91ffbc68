"""Following one log: fetch, examine, commit, verify.

The order of things is the safety of it:

1. A head's signature is verified before anything is fetched for it.
2. Every leaf is examined and hashed in the order of the log, none twice.
3. Sightings, alerts and the position after them are committed together, so a
   crash anywhere repeats work and loses nothing.
4. The position counts as verified only when the recomputed root is the signed
   one. If it is not, both sides are kept as evidence and the position goes back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pinwarden.ct.entry import RawBatch
from pinwarden.ct.follow import (
    ConsistencyQuestion,
    FollowState,
    WrongRootError,
    advance,
    final_contradiction,
    from_head,
    joined_late,
    offer,
    rewound,
    staleness,
    unproven,
    wrong_root,
)
from pinwarden.ct.head import Head
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import verify_consistency
from pinwarden.errors import BadProofError, MalformedError, OutsideError, PinwardenError, quoted
from pinwarden.findings import Finding
from pinwarden.monitor.memory import identity, pending_head, position_of, restored, same_place
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.monitor.status import Activity, LogStatus
from pinwarden.net.logs import LogClient
from pinwarden.store.contract import (
    Committed,
    LogPosition,
    PendingHead,
    StalePositionError,
    Step,
    Store,
)
from pinwarden.watch.sighting import Sighting

# Ranges fetched ahead of the one being examined. The HTTP client decides how
# many of them really run at once against one host.
_AHEAD = 8

# A range may take several requests, and the HTTP client is patient with each.
_RANGE_SECONDS = 600.0

# How much work a crash may repeat, and how long an alert may wait for company.
_COMMIT_ENTRIES = 1 << 17
_COMMIT_SECONDS = 5.0
_ALERT_SECONDS = 0.5


def utc_now() -> datetime:
    """The time, as everything below this floor wants it."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Unsaved:
    """What happened since the last commit."""

    sightings: list[Sighting] = field(default_factory=list)
    entries: int = 0
    since: float = field(default_factory=time.monotonic)


class LogWorker:
    """Follows one log through one client into one store."""

    def __init__(
        self,
        client: LogClient,
        store: Store,
        pipeline: Pipeline,
        *,
        channels: tuple[str, ...],
        from_start: bool,
        since: datetime | None = None,
        on_alert: Callable[[], None] = lambda: None,
    ) -> None:
        """`from_start` says where a log begins that the store does not know.

        `since` is when watching began: a log joined at its end much later has a
        gap, and whoever wanted a certificate unseen could have made it.
        """
        self.log: Log = client.log
        self.pipeline = pipeline
        self.channels = channels
        self.status = LogStatus(client.log.log_id, client.log.description, client.log.url)
        self._client = client
        self._store = store
        self._from_start = from_start
        self._since = since
        self._on_alert = on_alert
        self._state: FollowState | None = None
        self._position: LogPosition | None = None
        self._saved_heads: tuple[PendingHead, ...] = ()
        self._unsaved = _Unsaved()

    def use(self, client: LogClient) -> None:
        """Read the log through another client, because the log list says otherwise of it."""
        self.log = client.log
        self._client = client

    @property
    def subject(self) -> str:
        """The log's name in findings: no two logs share it, whatever a list calls them."""
        name, url = self.log.description, self.log.url
        return f"{name} ({url})" if name and name != url else url

    @property
    def drained(self) -> bool:
        """Whether a closed log was read to its final tree head."""
        final = self.log.final_size
        return final is not None and self.status.verified_size >= final

    async def catch_up(self) -> tuple[Finding, ...]:
        """Follow the log to its present head and return what was found wrong with it.

        Raises a PinwardenError when the log could not be read to the end; what
        was examined until then is committed. Raises StalePositionError when
        another process moved along the same log; the next pass begins where
        that one is.
        """
        try:
            return await self._pass()
        except StalePositionError:
            self._state = self._position = None
            self._unsaved = _Unsaved()
            raise

    async def _pass(self) -> tuple[Finding, ...]:
        # First, so that what we know of a log is shown even if it is silent.
        await self._load()
        head = await self._client.fetch_head()
        state = self._state or await self._begin(head)
        findings = await self._offer(state, head)
        try:
            await self._follow()
        except WrongRootError as error:
            findings.append(await self._step_back(error))
        except StalePositionError:
            raise
        except (PinwardenError, asyncio.CancelledError):
            await self._commit()
            raise
        findings.extend(self._judge(head))
        findings.extend(await self._compare_final())
        return tuple(findings)

    # Where we stand.

    async def _load(self) -> None:
        if self._state is not None:
            return
        self._position = await self._store.load_position(self.log.log_id)
        self._saved_heads = await self._store.load_heads(self.log.log_id)
        if self._position is not None or self._from_start:
            self._state = restored(self.log, self._position, self._saved_heads)
            self._show()

    async def _begin(self, head: Head) -> FollowState:
        """Join a log at its present end."""
        try:
            frontier = await self._client.fetch_frontier(head)
        except BadProofError as error:
            error.evidence = head.raw
            raise
        self._state = from_head(head, frontier)
        late = joined_late(self.subject, head, self._since, utc_now())
        await self._commit(findings=(late,) if late is not None else (), always=True)
        self._show()
        return self._state

    async def _offer(self, state: FollowState, head: Head) -> list[Finding]:
        """Hand a new head to the state machine and answer what it asks."""
        offered = offer(state, head, self.subject)
        self._state = offered.state
        self.status.head_timestamp = head.timestamp
        findings = list(offered.findings)
        if offered.question is not None:
            findings.extend(await self._ask(offered.question))
        if offered.state.target is not None:
            await self._save_heads()
        if findings:
            await self._record(findings)
        return findings

    async def _ask(self, question: ConsistencyQuestion) -> list[Finding]:
        """Whether the log can prove that one head contains the other."""
        try:
            await self._prove(question.older, question.newer)
        except BadProofError:
            return [unproven(self.subject, question.older, question.newer)]
        except (OutsideError, MalformedError):
            # No answer is no evidence; the head is asked about again when it returns.
            return []
        return []

    async def _prove(self, older: Head, newer: Head) -> None:
        proof = await self._client.fetch_consistency(older.size, newer.size)
        verify_consistency(older.size, older.root, newer.size, newer.root, proof)

    # The journey.

    async def _follow(self) -> None:
        while (wanted := self._require().wanted()) is not None:
            target = self._require().target
            self.status.activity = Activity.CATCHING_UP
            self.status.target = wanted[1] if target is None else target.size
            async with aclosing(self._ranges(*wanted)) as batches:
                async for batch in batches:
                    self._take(batch)
                    if self._commit_is_due():
                        await self._commit()
        self._state = advance(self._require(), self._require().frontier.size, ())
        self._show()
        await self._commit()
        self.status.activity = Activity.DRAINED if self.drained else Activity.UP_TO_DATE

    def _take(self, batch: RawBatch) -> None:
        sightings = self.pipeline.examine(batch, self.log, utc_now())
        self._unsaved.sightings.extend(sightings)
        self._unsaved.entries += len(batch)
        self.status.entries += len(batch)
        self.status.matched += len(sightings)
        self._state = advance(self._require(), batch.first, batch.leaf_hashes())
        self._show()
        self.status.progress(time.monotonic())

    async def _ranges(self, start: int, end: int) -> AsyncGenerator[RawBatch, None]:
        """The entries of [start, end) in order, with the next ranges under way."""
        ranges = iter(self._client.split(start, end))
        window: deque[asyncio.Task[RawBatch]] = deque()
        try:
            while True:
                while len(window) < _AHEAD and (following := next(ranges, None)) is not None:
                    fetching = self._client.fetch_range(*following, end)
                    window.append(asyncio.create_task(fetching))
                if not window:
                    return
                yield await self._whole(window.popleft())
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)

    async def _whole(self, fetching: asyncio.Task[RawBatch]) -> RawBatch:
        """A range, within a time: a log that drips must be as visible as a silent one."""
        try:
            async with asyncio.timeout(_RANGE_SECONDS):
                return await fetching
        except TimeoutError:
            raise OutsideError(
                f"{quoted(self.log.url)}: a range of entries was not whole after "
                f"{_RANGE_SECONDS:g} s",
                target=self.log.url,
            ) from None

    async def _step_back(self, error: WrongRootError) -> Finding:
        """Return to what is verified, and find out which of two lies it was."""
        state = self._require()
        verified = state.verified_head
        finding = wrong_root(self.subject, state, error)
        if verified is not None and 0 < verified.size < error.head.size:
            try:
                await self._prove(verified, error.head)
            except BadProofError:
                finding = unproven(self.subject, verified, error.head)
            except (OutsideError, MalformedError):
                pass
        self._state = rewound(state)
        self._show()
        self.status.activity = Activity.MISBEHAVING
        self.status.error = finding.message
        await self._commit(findings=(finding,), always=True)
        return finding

    def _judge(self, head: Head) -> list[Finding]:
        newest = self._require().verified_head
        newest = head if newest is None or head.timestamp > newest.timestamp else newest
        finding = staleness(
            self.subject, newest, utc_now(), self.log.mmd, final=self.log.final_size is not None
        )
        return [finding] if finding is not None else []

    async def _compare_final(self) -> list[Finding]:
        """Whether a closed log ended as the log list says it did."""
        contradiction = final_contradiction(
            self.subject, self._require(), self.log.final_size, self.log.final_root
        )
        if contradiction is None:
            return []
        await self._record([contradiction])
        return [contradiction]

    # The store.

    def _commit_is_due(self) -> bool:
        unsaved = self._unsaved
        waited = time.monotonic() - unsaved.since
        return (
            unsaved.entries >= _COMMIT_ENTRIES
            or waited >= _COMMIT_SECONDS
            or (bool(unsaved.sightings) and waited >= _ALERT_SECONDS)
        )

    async def _commit(self, *, findings: tuple[Finding, ...] = (), always: bool = False) -> None:
        state = self._require()
        position = position_of(self.log, state, utc_now())
        if not always and same_place(self._position, position) and not self._unsaved.sightings:
            return
        heads = tuple(pending_head(self.log, head, utc_now()) for head in state.pending)
        gone = tuple(h for h in self._saved_heads if identity(h) not in map(identity, heads))
        step = Step(
            position_before=self._position,
            position=position,
            sightings=tuple(self._unsaved.sightings),
            findings=findings,
            heads=heads,
            drop_heads=gone,
            channels=self.channels,
            at=position.updated,
        )
        await _to_the_end(self._commit_step(step))

    async def _commit_step(self, step: Step) -> None:
        committed = await self._store.commit(step)
        self._position = step.position
        self._saved_heads = step.heads
        self._unsaved = _Unsaved()
        self._count(committed)

    async def _save_heads(self) -> None:
        known = set(map(identity, self._saved_heads))
        for head in self._require().pending:
            pending = pending_head(self.log, head, utc_now())
            if identity(pending) not in known:
                await self._store.save_head(pending)
                self._saved_heads = (*self._saved_heads, pending)

    async def _record(self, findings: list[Finding]) -> None:
        new = await self._store.record_findings(
            findings, at=utc_now(), channels=self.channels, log_id=self.log.log_id
        )
        self._count(Committed(new_alerts=new))

    def _count(self, committed: Committed) -> None:
        self.status.alerts += committed.new_alerts
        if committed.new_alerts:
            self._on_alert()

    def _require(self) -> FollowState:
        if self._state is None:
            raise RuntimeError("the log's position was not loaded")
        return self._state

    def _show(self) -> None:
        state = self._require()
        self.status.start = state.start
        self.status.size = state.frontier.size
        self.status.verified_size = state.verified.size
        if state.verified_head is not None:
            self.status.verified_root = state.verified_head.root
        self.status.target = max(self.status.target, state.frontier.size)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work` before a cancellation is felt, so that memory and store agree after it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise

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
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pinwarden.ct.entry import RawBatch
from pinwarden.ct.follow import (
    ConsistencyQuestion,
    FollowState,
    WrongRootError,
    advance,
    fork,
    from_beginning,
    from_head,
    offer,
    rewound,
    staleness,
    wrong_root,
)
from pinwarden.ct.head import Head, parse_checkpoint, parse_sth
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.merkle import Frontier, RootHash, parse_frontier, verify_consistency
from pinwarden.errors import BadProofError, MalformedError, OutsideError, PinwardenError
from pinwarden.findings import Finding
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.monitor.status import Activity, LogStatus
from pinwarden.net.logs import LogClient
from pinwarden.store.contract import Committed, LogPosition, PendingHead, Step, Store
from pinwarden.watch.sighting import Sighting

# Ranges fetched ahead of the one being examined. The HTTP client decides how
# many of them really run at once against one host.
_AHEAD = 8

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
        on_alert: Callable[[], None] = lambda: None,
    ) -> None:
        """`from_start` says where a log begins that the store does not know."""
        self.log: Log = client.log
        self.pipeline = pipeline
        self.channels = channels
        self.status = LogStatus(client.log.log_id, client.log.description, client.log.url)
        self._client = client
        self._store = store
        self._from_start = from_start
        self._on_alert = on_alert
        self._state: FollowState | None = None
        self._position: LogPosition | None = None
        self._saved_heads: tuple[PendingHead, ...] = ()
        self._unsaved = _Unsaved()

    @property
    def subject(self) -> str:
        """The log's name in findings."""
        return self.log.description or self.log.url

    @property
    def drained(self) -> bool:
        """Whether a closed log was read to its final tree head."""
        final = self.log.final_size
        return final is not None and self.status.verified_size >= final

    async def catch_up(self) -> tuple[Finding, ...]:
        """Follow the log to its present head and return what was found wrong with it.

        Raises a PinwardenError when the log could not be read to the end; what
        was examined until then is committed.
        """
        head = await self._client.fetch_head()
        state = await self._load(head)
        findings = await self._offer(state, head)
        try:
            await self._follow()
        except WrongRootError as error:
            findings.append(await self._step_back(error))
        except PinwardenError:
            await self._commit()
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._commit())
            raise
        findings.extend(self._judge(head))
        return tuple(findings)

    # Where we stand.

    async def _load(self, head: Head) -> FollowState:
        if self._state is not None:
            return self._state
        self._position = await self._store.load_position(self.log.log_id)
        self._saved_heads = await self._store.load_heads(self.log.log_id)
        if self._position is not None:
            self._state = _restored(self.log, self._position, self._saved_heads)
        elif self._from_start:
            self._state = from_beginning()
        else:
            self._state = from_head(head, await self._client.fetch_frontier(head))
            await self._commit(always=True)
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
            return [fork(self.subject, question.older, question.newer)]
        except (OutsideError, MalformedError):
            # No answer is no evidence; the head is asked about again when it returns.
            return []
        return []

    async def _prove(self, older: Head, newer: Head) -> None:
        proof = await self._client.fetch_consistency(older.size, newer.size)
        verify_consistency(older.size, older.root, newer.size, newer.root, proof)

    # The journey.

    async def _follow(self) -> None:
        state = self._require()
        wanted = state.wanted()
        if wanted is not None:
            self.status.activity = Activity.CATCHING_UP
            self.status.target = wanted[1]
            async for batch in self._ranges(*wanted):
                self._take(batch)
                if self._commit_is_due():
                    await self._commit()
        self._state = advance(self._require(), self._require().frontier.size, ())
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

    async def _ranges(self, start: int, end: int) -> AsyncIterator[RawBatch]:
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
                yield await window.popleft()
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)

    async def _step_back(self, error: WrongRootError) -> Finding:
        """Return to what is verified, and find out which of two lies it was."""
        state = self._require()
        verified = state.verified_head
        finding = wrong_root(self.subject, state, error)
        if verified is not None and 0 < verified.size < error.head.size:
            try:
                await self._prove(verified, error.head)
            except BadProofError:
                finding = fork(self.subject, verified, error.head)
            except (OutsideError, MalformedError):
                pass
        self._state = rewound(state)
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
        position = _position(self.log, state)
        if not always and _same_place(self._position, position) and not self._unsaved.sightings:
            return
        heads = tuple(_pending(self.log, head) for head in state.pending)
        gone = tuple(h for h in self._saved_heads if _identity(h) not in map(_identity, heads))
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
        committed = await self._store.commit(step)
        self._position = position
        self._saved_heads = heads
        self._unsaved = _Unsaved()
        self._count(committed)

    async def _save_heads(self) -> None:
        known = set(map(_identity, self._saved_heads))
        for head in self._require().pending:
            pending = _pending(self.log, head)
            if _identity(pending) not in known:
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


def read_head(log: Log, raw: bytes) -> Head:
    """A signed head of this log from the bytes in which it was received."""
    if log.kind is LogKind.STATIC:
        return parse_checkpoint(raw, log.origin, log.log_id)
    return parse_sth(raw)


def _restored(log: Log, position: LogPosition, heads: tuple[PendingHead, ...]) -> FollowState:
    verified = (
        parse_frontier(position.verified_frontier)
        if position.verified_frontier is not None
        else Frontier(0, ())
    )
    return FollowState(
        start=position.start_index,
        frontier=parse_frontier(position.frontier),
        verified=verified,
        pending=tuple(read_head(log, head.raw) for head in heads if head.size >= position.size),
        verified_heads=(read_head(log, position.head),) if position.head is not None else (),
    )


def _position(log: Log, state: FollowState) -> LogPosition:
    head = state.verified_head
    root: RootHash | None = head.root if head is not None else None
    return LogPosition(
        log_id=log.log_id,
        description=log.description,
        url=log.url,
        start_index=state.start,
        size=state.frontier.size,
        frontier=state.frontier.to_bytes(),
        verified_size=state.verified.size,
        verified_root=root,
        verified_frontier=state.verified.to_bytes() if head is not None else None,
        head=head.raw if head is not None else None,
        head_timestamp=head.timestamp if head is not None else None,
        updated=utc_now(),
    )


def _same_place(before: LogPosition | None, after: LogPosition) -> bool:
    return before is not None and (before.size, before.head) == (after.size, after.head)


def _pending(log: Log, head: Head) -> PendingHead:
    return PendingHead(
        log_id=log.log_id,
        size=head.size,
        root=head.root,
        timestamp=head.timestamp,
        source=head.source,
        raw=head.raw,
        seen=utc_now(),
    )


def _identity(head: PendingHead) -> tuple[int, bytes]:
    return head.size, head.root

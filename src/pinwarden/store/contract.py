"""What a store keeps and promises; every implementation passes the same tests.

The promises:

1. Sightings, their alerts, the findings of a step and the position after it are
   durable together or not at all.
2. A position moves only from the value that the writer read, so that a second
   process, or one that slept through its replacement, changes nothing.
3. One issuance is one alert, ever: precertificate and certificate, in any log,
   in any order. A finding is one alert per kind and subject until it is resolved.
4. An alert is owed to the channels named when it was made, to no others, and
   stays owed until a channel took it or it was given up by name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from pinwarden.caa.history.observation import LastObserved, Observation
from pinwarden.errors import StoreError
from pinwarden.findings import Finding
from pinwarden.watch.sighting import Alert, LogReference, Sighting, Verdict


class StalePositionError(StoreError):
    """The position moved since it was read: another process follows the same log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far one log was read, and how far of that is proven.

    Entries from `start_index` up to `size` were processed and hashed into
    `frontier`; those before `verified_size` are covered by `head`, a signed tree
    head exactly as received, whose root we recomputed.
    """

    log_id: bytes
    description: str
    url: str
    start_index: int
    size: int
    frontier: bytes
    verified_size: int = 0
    verified_root: bytes | None = None
    verified_frontier: bytes | None = None
    head: bytes | None = None
    head_timestamp: datetime | None = None
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingHead:
    """A signed tree head seen and not yet verified: evidence until it is.

    `raw` is exactly what was received; `source` is "sth" or "checkpoint". Heads
    of one log with the same size and root are one: the newest is kept.
    """

    log_id: bytes
    size: int
    root: bytes
    timestamp: datetime
    source: str
    raw: bytes
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move along one log, committed as a whole.

    `position_before` is the position as it was read, None for a log not yet in
    the store. `channels` names the channels that must hear of new alerts.
    Sightings and findings are about the log of `position`. A step back
    (`position.size` below that before) disowns the entries it leaves: they stay,
    unverified, until the log serves them again.
    """

    position_before: LogPosition | None
    position: LogPosition
    sightings: tuple[Sighting, ...] = ()
    findings: tuple[Finding, ...] = ()
    heads: tuple[PendingHead, ...] = ()
    drop_heads: tuple[PendingHead, ...] = ()
    channels: tuple[str, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True)
class Committed:
    """What a step brought that was not there before."""

    new_issuances: int = 0
    new_alerts: int = 0


class DeliveryState(StrEnum):
    """Where one alert stands with one channel."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An alert that a channel must hear of; `attempts` counts those begun."""

    id: int
    channel: str
    attempts: int
    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """How telling one channel of an alert went.

    `at` is when it was sent or given up, or when it is to be tried next.
    """

    channel: str
    state: DeliveryState
    attempts: int
    at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Who took note of an alert, when, and why it needs no more attention."""

    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert with what became of it."""

    alert: Alert
    deliveries: tuple[DeliveryStatus, ...]
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSighting:
    """One issuance, merged from everything seen of it; `references` by time seen."""

    id: int
    sighting: Sighting
    references: tuple[LogReference, ...]
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingFilter:
    """Which sightings to list: those that meet every condition given.

    `matched` is an item of the watch list; `since` and `before` bound
    `first_seen`. Pages follow on from the id of the last one seen, `after`.
    """

    matched: str | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    before: datetime | None = None
    newest_first: bool = False
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding with its history; `resolved` is None while it stands."""

    id: int
    finding: Finding
    log_id: bytes | None
    first_seen: datetime
    last_seen: datetime
    count: int
    resolved: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much a store holds."""

    sightings: int
    alerts: int
    alerts_open: int
    findings_open: int
    deliveries_due: int
    deliveries_dead: int


class Store(Protocol):
    """Everything Pinwarden remembers.

    Any method raises `StoreError` when the database cannot be read or written.
    An asynchronous context manager: leaving it closes the store.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        ...

    # Following logs.

    async def load_positions(self) -> tuple[LogPosition, ...]:
        """The position in every log ever followed, by description."""
        ...

    async def load_position(self, log_id: bytes) -> LogPosition | None:
        """The position in one log, None if it was never followed."""
        ...

    async def commit(self, step: Step) -> Committed:
        """Make one step durable, whole or not at all.

        Entries already held (same log, index and leaf) change nothing; new
        entries of an issuance already held are merged into it without an alert.
        Raises `StalePositionError` where the stored position is not `position_before`.
        """
        ...

    async def save_head(self, head: PendingHead) -> None:
        """Keep a head that is not yet verified."""
        ...

    async def load_heads(self, log_id: bytes) -> tuple[PendingHead, ...]:
        """The heads of a log not yet verified, smallest tree first."""
        ...

    async def drop_heads(self, heads: Collection[PendingHead]) -> None:
        """Forget pending heads, known by log, size and root."""
        ...

    async def load_meta(self, key: str) -> str | None:
        """A value kept under a name, None if there is none."""
        ...

    async def save_meta(self, key: str, value: str) -> None:
        """Keep a value under a name."""
        ...

    # Findings.

    async def record_findings(
        self,
        findings: Collection[Finding],
        *,
        at: datetime,
        channels: Collection[str],
        log_id: bytes | None = None,
    ) -> int:
        """Keep findings and return how many are new, that is, alerted.

        A finding of the same kind and subject that is not resolved is counted
        and keeps its first text; evidence not yet held is added, within a bound.
        """
        ...

    async def resolve_findings(self, findings: Collection[tuple[str, str]], *, at: datetime) -> int:
        """Close the open findings of these (kind id, subject) and return how many were.

        One that comes back is a new finding and alerts again.
        """
        ...

    async def findings(
        self, *, resolved: bool | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[StoredFinding, ...]:
        """Findings, newest first: all, or only (not) `resolved`; pages follow from `after`."""
        ...

    async def standing(self, kinds: Collection[str]) -> frozenset[tuple[str, str]]:
        """The findings (kind id, subject) of these kinds that are not resolved."""
        ...

    # CAA policies.

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
        """Keep looks at CAA with the findings of them, together; returns how many are new.

        A look like the last one prolongs it (`is_continued`). `untold` findings make no
        alert. `passed` ones (kind id, subject) are closed first, unless made again in the
        same words.
        """
        ...

    async def observations(
        self, name: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Observation, ...]:
        """What was seen of a name, oldest first, as far as it touches the time asked for."""
        ...

    async def last_observations(
        self, names: Collection[str], *, since: datetime | None = None
    ) -> tuple[LastObserved, ...]:
        """The newest of every name ever looked at, for each resolver; `recent` from `since` on."""
        ...

    # Telling people.

    async def due(self, channel: str, now: datetime, limit: int = 100) -> tuple[Delivery, ...]:
        """The oldest deliveries owed to one channel that may be tried now.

        Those about unreadable entries come last.
        """
        ...

    async def next_due(self, channels: Collection[str]) -> datetime | None:
        """When the next delivery to any of these channels may be tried; None if none is owed."""
        ...

    async def begin(self, ids: Collection[int], at: datetime) -> frozenset[int]:
        """Mark deliveries as being sent; those not returned are another process's to send."""
        ...

    async def sent(self, ids: Collection[int], at: datetime) -> None:
        """Mark deliveries as taken by their channel."""
        ...

    async def failed(self, ids: Collection[int], error: str, next_at: datetime) -> None:
        """Make deliveries due again at `next_at`, because of `error`."""
        ...

    async def dead(self, ids: Collection[int], error: str, at: datetime) -> None:
        """Give deliveries up for good, because of `error`."""
        ...

    async def recover(self, now: datetime) -> int:
        """Make due again what a dead process was sending, and return how many.

        They come back with `alert.again`, for they may have arrived. What a
        living process is sending stays with it. To be called before sending.
        """
        ...

    # Reading.

    async def sightings(
        self, chosen: SightingFilter | None = None, *, limit: int = 100
    ) -> tuple[StoredSighting, ...]:
        """One page of sightings, without `der`, in the order they were first seen."""
        ...

    async def sighting(self, which: int | bytes) -> StoredSighting | None:
        """One sighting with its `der`, by id or by issuance key."""
        ...

    async def alerts(
        self,
        *,
        acknowledged: bool | None = None,
        limit: int = 100,
        after: int | None = None,
        newest_first: bool = False,
    ) -> tuple[StoredAlert, ...]:
        """One page of alerts, without `der`: all, or only those (not) `acknowledged`."""
        ...

    async def alert(self, alert_id: int) -> StoredAlert | None:
        """One alert, None if there is none of that id."""
        ...

    async def ack(self, alert_id: int, *, who: str, why: str, at: datetime) -> bool:
        """Take note; False if somebody had, whose word stands. `StoreError`: no such alert."""
        ...

    async def totals(self) -> Totals:
        """How much the store holds."""
        ...

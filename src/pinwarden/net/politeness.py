"""How hard one host may be asked: slots, pauses, pace and Retry-After.

Concurrency follows additive increase and multiplicative decrease: it grows
by about one for each full round of good answers, and halves when the host
says that it is overloaded or does not answer in time. Nothing in here opens
a connection.
"""

from __future__ import annotations

import asyncio
import email.utils
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long we wait and how hard we ask; all times in seconds."""

    timeout: float = 60.0
    """One request, from the connection to the last byte of the body."""
    connect_timeout: float = 15.0
    attempts: int = 5
    patience: float = 180.0
    """All attempts of one request together, with the waiting between them."""
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    retry_after_most: float = 3600.0
    """No host can silence us for longer than this, whatever it asks for."""
    concurrency: int = 16
    """The most requests one host gets at the same time."""
    requests_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStats:
    """What happened with one host since the client was opened."""

    requests: int
    failures: int
    bytes_received: int
    in_flight: int
    concurrency: float
    paused_for: float
    last_failure: str | None


class PausedError(Exception):
    """The host asked for a longer pause than the caller will wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class HostGate:
    """The door of one host: who may ask now, who waits, and for how long."""

    _FIRST_CONCURRENCY = 2.0

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._most = float(max(1, limits.concurrency))
        self._interval = 1 / limits.requests_per_second if limits.requests_per_second else 0.0
        self.concurrency = min(self._FIRST_CONCURRENCY, self._most)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0
        self._next_start = 0.0
        self._halved_at = float("-inf")

    @property
    def paused_for(self) -> float:
        """Seconds left of the pause the host asked for."""
        return max(0.0, self._paused_until - self._clock())

    async def enter(self, patience: float) -> float:
        """Wait for a slot, the end of a pause and the pace; return the time of entry.

        Every entry must be followed by one `leave`. Raises PausedError, without
        an entry, when the host's pause is longer than `patience`.
        """
        await self._take_slot()
        try:
            if self._paused_until or self._interval:
                await self._wait_turn(patience)
        except BaseException:
            self.leave()
            raise
        return self._clock()

    def leave(self) -> None:
        """Give the slot to the next in line."""
        self.in_flight -= 1
        self._admit()

    def succeeded(self) -> None:
        """A good answer: grow, if the present concurrency was really in use."""
        if self.in_flight >= int(self.concurrency):
            self.concurrency = min(self._most, self.concurrency + 1 / self.concurrency)

    def overloaded(self, entered: float) -> None:
        """The host is overloaded: halve, once for all requests under way together."""
        if entered > self._halved_at:
            self.concurrency = max(1.0, self.concurrency / 2)
            self._halved_at = self._clock()

    def pause(self, seconds: float) -> None:
        """Let nobody in for this long: the host asked for it."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def _take_slot(self) -> None:
        if self.in_flight < int(self.concurrency) and not self._waiting:
            self.in_flight += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def _admit(self) -> None:
        while self._waiting and self.in_flight < int(self.concurrency):
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    async def _wait_turn(self, patience: float) -> None:
        while (pause := self.paused_for) > 0:
            if pause > patience:
                raise PausedError(pause)
            await asyncio.sleep(pause)
            patience -= pause
        self._paused_until = 0.0
        if self._interval:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + self._interval
            if start > now:
                await asyncio.sleep(start - now)


def parse_retry_after(value: str, at: datetime) -> float | None:
    """Seconds to wait by a Retry-After header in either form (RFC 9110, section 10.2.3).

    A value in neither form gives None: a bad hint must not stop the retry.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        when = email.utils.parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - at).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

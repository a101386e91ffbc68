"""What the monitor is doing, for whoever watches it do so."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# Seconds over which the rate is averaged.
_RATE_WINDOW = 10.0


class Activity(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    CATCHING_UP = "catching up"
    UP_TO_DATE = "up to date"
    FAILING = "failing"
    MISBEHAVING = "misbehaving"
    DRAINED = "drained"


@dataclass(slots=True)
class LogStatus:
    """One log's line; sizes and positions count entries, `rate` is entries a second."""

    log_id: bytes
    description: str
    url: str
    activity: Activity = Activity.STARTING
    start: int = 0
    size: int = 0
    verified_size: int = 0
    verified_root: bytes | None = None
    target: int = 0
    entries: int = 0
    matched: int = 0
    alerts: int = 0
    head_timestamp: datetime | None = None
    error: str | None = None
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def progress(self, now: float) -> None:
        """Note the present count at `now` (seconds of any steady clock)."""
        self._samples.append((now, self.entries))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RATE_WINDOW:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Entries a second, lately."""
        if len(self._samples) < 2:
            return 0.0
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first) if last > first else 0.0

    @property
    def backlog(self) -> int:
        """Entries covered by the newest signed head and not yet processed."""
        return max(0, self.target - self.size)

    @property
    def seconds_left(self) -> float | None:
        """How long the backlog will take at the present rate; None if that is unknown."""
        rate = self.rate
        return self.backlog / rate if rate > 0 else None

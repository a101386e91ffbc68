"""A scale of time for a picture: where a moment stands, and which days to write below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Scale", "Tick", "scale_of"]

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_SHORTEST = timedelta(days=2)
# Steps between ticks, from which the finest that leaves room for the words is taken.
_DAYS = (1, 2, 7, 14)
_DAY_ROOM, _MONTH_ROOM = 84.0, 58.0
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24000)


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment to mark, and what to write there."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Time from `first` to `last` on the line from `left` to `right`."""

    first: datetime
    last: datetime
    left: float
    right: float

    def x(self, moment: datetime) -> float:
        """Where a moment stands; one beyond the scale stands at its end."""
        share = (moment - self.first) / (self.last - self.first)
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def ticks(self) -> tuple[Tick, ...]:
        """Days, months or years to mark, as many as there is room for."""
        room, length = self.right - self.left, self.last - self.first
        for days in _DAYS:
            if length <= timedelta(days=days) * max(room // _DAY_ROOM, 1):
                return tuple(self._days(days))
        for months in _MONTHS:
            if length <= timedelta(days=30.4 * months) * max(room // _MONTH_ROOM, 1):
                return tuple(self._months(months))
        return ()

    def _days(self, step: int) -> Iterator[Tick]:
        start = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = start
        while moment <= self.last:
            if moment >= self.first:
                yield Tick(self.x(moment), moment.date().isoformat())
            if _LAST - moment < timedelta(days=step):
                return
            moment += timedelta(days=step)

    def _months(self, step: int) -> Iterator[Tick]:
        # Counted from year 0, so that twenty years later than 2020 is 2040.
        first = self.first.year * 12 + self.first.month - 1
        month = max(-(-first // step) * step, 12)
        while month // 12 <= _LAST.year:
            moment = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            if moment > self.last:
                return
            if moment >= self.first:
                text = f"{moment.year:04}" + ("" if step % 12 == 0 else f"-{moment.month:02}")
                yield Tick(self.x(moment), text)
            month += step


def scale_of(moments: Sequence[datetime], left: float, right: float) -> Scale:
    """The scale on which all of these moments stand, with a little room on both sides."""
    first, last = min(moments), max(moments)
    margin = max((last - first) * 0.04, _SHORTEST / 2)
    return Scale(
        first - min(margin, first - _EPOCH),
        last + min(margin, max(_LAST - last, timedelta())),
        left,
        right,
    )

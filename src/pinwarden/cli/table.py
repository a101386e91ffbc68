"""The statuses of all logs as a line, and as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pinwarden.monitor.status import Activity, LogStatus
from pinwarden.names import display
from pinwarden.render.account import counted

if TYPE_CHECKING:
    from rich.table import Table

# What the columns beside the log's name take, with the gaps between them.
_OTHER_COLUMNS = 42
_BAR = 20

_STYLES = {
    Activity.STARTING: "dim",
    Activity.CATCHING_UP: "cyan",
    Activity.UP_TO_DATE: "green",
    Activity.DRAINED: "dim green",
    Activity.FAILING: "yellow",
    Activity.MISBEHAVING: "bold red",
}

_TROUBLE_FIRST = (
    Activity.MISBEHAVING,
    Activity.FAILING,
    Activity.STARTING,
    Activity.CATCHING_UP,
    Activity.UP_TO_DATE,
    Activity.DRAINED,
)


def summary(statuses: Sequence[LogStatus], listed: int = 0) -> str:
    """All logs in one line; `listed` counts alerts about the log lists."""
    entries = sum(status.entries for status in statuses)
    parts = [
        f"{sum(status.activity is activity for status in statuses)} {activity}"
        for activity in Activity
        if any(status.activity is activity for status in statuses)
    ]
    rate = sum(status.rate for status in statuses if status.activity is Activity.CATCHING_UP)
    backlog = sum(status.backlog for status in statuses)
    text = f"{counted(len(statuses), 'log')} ({', '.join(parts)}), {entries:,} entries read"
    if backlog:
        text += f", {backlog:,} to go"
        if rate:
            text += f" at {rate:,.0f}/s, about {duration(backlog / rate)} left"
    return text + f", {counted(listed + sum(status.alerts for status in statuses), 'alert')}"


@dataclass(frozen=True, slots=True)
class _Column:
    """One column; `least` is the narrowest terminal that has room for it."""

    heading: str
    least: int
    cell: Callable[[LogStatus, datetime], str]
    right: bool = True
    style: Callable[[LogStatus], str] = lambda _: "default"


_COLUMNS = (
    _Column("log", 0, lambda log, _: display(log.description or log.url), right=False),
    _Column("", 120, lambda log, _: _bar(log), right=False, style=lambda _: "cyan"),
    # What exactly is wrong is said above the table: here it would hide all numbers.
    _Column("state", 0, lambda log, _: log.activity, False, lambda log: _STYLES[log.activity]),
    _Column("entries", 0, lambda log, _: f"{log.size:,}"),
    _Column("verified", 90, lambda log, _: f"{log.verified_size:,}"),
    _Column("rate", 100, lambda log, _: f"{log.rate:,.0f}/s" if log.backlog else ""),
    _Column("left", 70, lambda log, _: _time_left(log)),
    _Column("head", 110, lambda log, now: _age(now, log.head_timestamp)),
)


def draw_table(statuses: Sequence[LogStatus], width: int, now: datetime) -> Table:
    """The logs, those in trouble first: what does not fit below is cut."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title=Text(summary(statuses), style="bold"))
    table.title_justify = "left"
    shown = [column for column in _COLUMNS if width >= column.least]
    for number, column in enumerate(shown):
        # Only the log's name may be cut: half a number is a wrong number.
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=True,
            min_width=len(column.heading) if number else None,
            max_width=None if number else max(12, width - _OTHER_COLUMNS),
        )
    for log in sorted(statuses, key=lambda each: _TROUBLE_FIRST.index(each.activity)):
        table.add_row(*(Text(column.cell(log, now), column.style(log)) for column in shown))
    return table


def _time_left(log: LogStatus) -> str:
    seconds = log.seconds_left
    return duration(seconds) if log.backlog and seconds else ""


def _bar(status: LogStatus) -> str:
    """How much of the way from the start to the newest head is done."""
    whole = status.target - status.start
    done = (status.size - status.start) / whole if whole > 0 else 1.0
    filled = min(_BAR, int(_BAR * done))
    return "━" * filled + "╌" * (_BAR - filled)


def duration(seconds: float) -> str:
    """A stretch of time, to two units at most."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def _age(now: datetime, moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{duration(max(timedelta(), now - moment).total_seconds())} ago"

"""What a person sees while the logs are followed.

On a terminal a table that renews itself; otherwise a plain line now and then,
so that a journal says that the monitor lives.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pinwarden.cli.output import on_terminal, say
from pinwarden.monitor.status import Activity, LogStatus
from pinwarden.names import display
from pinwarden.net.channels import Channel
from pinwarden.render import Message

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_REFRESH_SECONDS = 0.5
_PLAIN_SECONDS = 60.0
_BAR = 20

_STYLES = {
    Activity.STARTING: "dim",
    Activity.CATCHING_UP: "cyan",
    Activity.UP_TO_DATE: "green",
    Activity.DRAINED: "dim green",
    Activity.FAILING: "yellow",
    Activity.MISBEHAVING: "bold red",
}


class Display:
    """Shows the statuses that `read` gives until it is closed."""

    def __init__(self, read: Callable[[], Sequence[LogStatus]], *, quiet: bool = False) -> None:
        self._read = read
        self._quiet = quiet
        self._live: Live | None = None

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show while inside."""
        if self._quiet:
            yield
            return
        task = asyncio.create_task(self._table() if on_terminal() else self._lines())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Clear the table while something else writes to the terminal."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            # A fresh one: the old one still thinks that its last picture is
            # there, and would overwrite as many lines of what came since.
            if self._live is not None:
                self._live = self._picture()

    async def _table(self) -> None:
        self._live = self._picture()
        try:
            while True:
                if self._live.is_started:
                    self._live.update(_table(self._read()), refresh=True)
                await asyncio.sleep(_REFRESH_SECONDS)
        finally:
            self._live.stop()
            self._live.console.print(_table(self._read()))
            self._live = None

    def _picture(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        live = Live(
            _table(self._read()),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        live.start(refresh=True)
        return live

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(_PLAIN_SECONDS)
            say(summary(self._read()))


class AsideChannel:
    """A channel that writes to the terminal, between two pictures of the table."""

    def __init__(self, channel: Channel, shown: Display) -> None:
        self._channel = channel
        self._display = shown
        self.name = channel.name
        self.group = channel.group
        self.timeout = channel.timeout

    async def deliver(self, message: Message) -> None:
        """Hand the message over with the table out of the way."""
        with self._display.aside():
            await self._channel.deliver(message)


def summary(statuses: Sequence[LogStatus]) -> str:
    """All logs in one line."""
    entries = sum(status.entries for status in statuses)
    parts = [
        f"{sum(status.activity is activity for status in statuses)} {activity}"
        for activity in Activity
        if any(status.activity is activity for status in statuses)
    ]
    rate = sum(status.rate for status in statuses if status.activity is Activity.CATCHING_UP)
    backlog = sum(status.backlog for status in statuses)
    text = f"{len(statuses)} logs ({', '.join(parts)}), {entries:,} entries read"
    if backlog:
        text += f", {backlog:,} to go"
        if rate:
            text += f" at {rate:,.0f}/s, about {duration(backlog / rate)} left"
    return text + f", {sum(status.alerts for status in statuses)} alerts"


def _table(statuses: Sequence[LogStatus]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title=Text(summary(statuses), style="bold"))
    table.title_justify = "left"
    for heading, justify in (
        ("log", "left"),
        ("", "left"),
        ("state", "left"),
        ("entries", "right"),
        ("verified", "right"),
        ("rate", "right"),
        ("left", "right"),
        ("head", "right"),
    ):
        table.add_column(heading, justify="left" if justify == "left" else "right", no_wrap=True)
    now = datetime.now(UTC)
    for status in statuses:
        table.add_row(
            Text(display(status.description or status.url), style="default"),
            Text(_bar(status), style="cyan"),
            # What exactly is wrong is said above the table: here it would hide all numbers.
            Text(status.activity, style=_STYLES[status.activity]),
            f"{status.size:,}",
            f"{status.verified_size:,}",
            f"{status.rate:,.0f}/s" if status.activity is Activity.CATCHING_UP else "",
            duration(status.seconds_left) if status.backlog and status.seconds_left else "",
            _age(now, status.head_timestamp),
        )
    return table


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

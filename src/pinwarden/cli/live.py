"""What a person sees while the logs are followed.

On a terminal a table that renews itself; otherwise a plain line now and then,
so that a journal says that the monitor lives.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pinwarden.cli.output import on_terminal, say
from pinwarden.cli.table import draw_table, summary
from pinwarden.monitor.status import LogStatus
from pinwarden.net.channels import Channel
from pinwarden.render import Message

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

_REFRESH_SECONDS = 0.5
_PLAIN_SECONDS = 60.0


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
                    self._live.update(self._drawn(self._live.console), refresh=True)
                await asyncio.sleep(_REFRESH_SECONDS)
        finally:
            self._live.stop()
            self._live.console.print(self._drawn(self._live.console))
            self._live = None

    def _picture(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        live = Live(self._drawn(console), console=console, auto_refresh=False, transient=True)
        live.start(refresh=True)
        return live

    def _drawn(self, console: Console) -> Table:
        return draw_table(self._read(), console.width, datetime.now(UTC))

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

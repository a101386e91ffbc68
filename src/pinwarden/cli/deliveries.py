"""Alerts on their way to the channels, while a command runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pinwarden.config_channels import ChannelConfig
from pinwarden.monitor.outbox import Outbox
from pinwarden.net.channels import Channel
from pinwarden.store.contract import Store


def channel_names(configs: Iterable[ChannelConfig]) -> tuple[str, ...]:
    """The names of channels, to which alerts are owed."""
    return tuple(config.name for config in configs)


class Deliveries:
    """The outbox of the moment; other channels are another outbox."""

    def __init__(self, store: Store, channels: tuple[Channel, ...]) -> None:
        self._store = store
        self._outbox = Outbox(store, channels)
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Say that something new is owed."""
        self._outbox.wake()

    def replace(self, channels: tuple[Channel, ...]) -> None:
        """Deliver through other channels from now on."""
        self._outbox = Outbox(self._store, channels)
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set."""
        while not stop.is_set():
            self._changed.clear()
            ended = asyncio.Event()
            running = asyncio.create_task(self._outbox.run(ended))
            waits = [asyncio.create_task(event.wait()) for event in (stop, self._changed)]
            try:
                await asyncio.wait([running, *waits], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                ended.set()
                await running

    async def flush(self) -> int:
        """Deliver what is owed, and return how much could not be."""
        return len((await self._outbox.flush()).undelivered)

"""A store with alerts in it, and receivers that behave as a test says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinwarden.errors import OutsideError
from pinwarden.monitor.outbox import Patience
from pinwarden.net.channels import PartlyDeliveredError
from pinwarden.render import Message
from pinwarden.store.contract import DeliveryState, Store
from store.values import NOW, move, sighting

ONCE = Patience(flush_limit=timedelta(0))
SOON = timedelta(milliseconds=5)
QUICK = Patience(first_rest=SOON, longest_rest=SOON, poll=SOON)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


class Receiver:
    """A channel that takes messages, or does what `script` says for each in turn."""

    def __init__(self, name: str, *, group: int = 20, timeout: float = 30.0) -> None:
        self.name = name
        self.group = group
        self.timeout = timeout
        self.script: Iterator[Exception | None] = iter(())
        self.refuse: Callable[[Message], Exception | None] = lambda _: None
        self.hangs = False
        self.tried: list[Message] = []
        self.taken: list[Message] = []

    async def deliver(self, message: Message) -> None:
        self.tried.append(message)
        if self.hangs:
            await asyncio.Event().wait()
        error = next(self.script, None) or self.refuse(message)
        if isinstance(error, PartlyDeliveredError):
            self.taken.append(message)
        if error is not None:
            raise error
        self.taken.append(message)

    @property
    def keys(self) -> list[object]:
        return [event["key"] for message in self.taken for event in message.events]


def failure(**other: object) -> OutsideError:
    return OutsideError("hook: answered 500", target="hook", **other)  # type: ignore[arg-type]


async def seed(
    store: Store, count: int, *channels: str, first: int = 0, at: datetime | None = None
) -> None:
    seen = [sighting(f"n{number}", number) for number in range(first, first + count)]
    at = at or datetime.now(UTC)
    await move(store, first + count, *seen, channels=channels, at=at)


async def states(store: Store, channel: str) -> Counter[DeliveryState]:
    return Counter(
        status.state
        for alert in await store.alerts(limit=1000)
        for status in alert.deliveries
        if status.channel == channel
    )


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110 - what happens knows nothing of the test
        await asyncio.sleep(0.005)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0

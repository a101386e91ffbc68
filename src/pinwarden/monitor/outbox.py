"""Delivers what the store owes to channels: at least once, in order, forever patient.

1. What a dead process was sending is owed again, marked as possibly seen.
2. Each channel has its own task: one that hangs or fails delays no other.
3. Alerts owed to one channel go out together, up to its group size.
4. After a failure the channel rests, longer each time, with jitter, and at
   least as long as it asked.
5. An alert is given up only alone: what is wrong with one must not take others
   along. Giving up is a finding, told through the other channels.

The store keeps the truth: an issuance is one alert, and an alert taken by a
channel is never owed to it again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pinwarden.errors import OutsideError, StoreError
from pinwarden.findings import DELIVERY_FAILED, Finding
from pinwarden.net.channels.contract import Channel, PartlyDeliveredError
from pinwarden.render import render_message
from pinwarden.store.contract import Delivery, Store

_log = logging.getLogger("pinwarden.outbox")

_EVER = timedelta(days=36500)
_MOST_LEFT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, and for how long to keep trying.

    Rests double from `first_rest` to `longest_rest`; a channel may ask for up to
    `longest_asked`. An alert is given up when it is `give_up_after` old and was
    tried `least_attempts` times. One still owed after `warn_after` is reported.
    What the store cannot write is tried `store_tries` times more.
    """

    first_rest: timedelta = timedelta(seconds=5)
    longest_rest: timedelta = timedelta(minutes=15)
    longest_asked: timedelta = timedelta(hours=6)
    give_up_after: timedelta = timedelta(days=3)
    least_attempts: int = 10
    warn_after: timedelta = timedelta(minutes=30)
    poll: timedelta = timedelta(seconds=5)
    stop_grace: timedelta = timedelta(seconds=10)
    flush_limit: timedelta = timedelta(seconds=30)
    overrun: timedelta = timedelta(seconds=10)
    store_rest: timedelta = timedelta(seconds=1)
    store_tries: int = 60


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one pass delivered, and what it leaves owed."""

    delivered: int
    undelivered: tuple[Delivery, ...]


class Outbox:
    """Delivers to all channels of one store."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        *,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._patience = patience or Patience()
        self._clock = clock
        names = [channel.name for channel in channels]
        self._lanes = [
            _Lane(
                store,
                channel,
                others=tuple(name for name in names if name != channel.name),
                patience=self._patience,
                clock=clock,
                jitter=jitter,
            )
            for channel in channels
        ]

    def wake(self) -> None:
        """Say that something new is owed, so that nobody waits for the next look."""
        for lane in self._lanes:
            lane.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; a message under way then gets a little time.

        What could not be finished stays marked in the store and is owed again,
        as possibly seen, at the next start.
        """
        await self._store.recover(self._clock())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lane.serve(stop)) for lane in self._lanes]
            await stop.wait()
            self.wake()
            if tasks:
                grace = self._patience.stop_grace.total_seconds()
                _, late = await asyncio.wait(tasks, timeout=grace)
                for task in late:
                    task.cancel()

    async def flush(self) -> Flushed:
        """Deliver everything owed, once, trying again for at most `flush_limit`."""
        await self._store.recover(self._clock())
        deadline = self._clock() + self._patience.flush_limit
        before = sum(lane.delivered for lane in self._lanes)
        while True:
            reported = sum(lane.reported for lane in self._lanes)
            drains = [lane.drain(deadline) for lane in self._lanes]
            for outcome in await asyncio.gather(*drains, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
            # A channel that failed is news for those that were already finished.
            if reported == sum(lane.reported for lane in self._lanes):
                break
        left: list[Delivery] = []
        for lane in self._lanes:
            left += await self._store.due(lane.name, self._clock() + _EVER, _MOST_LEFT)
        return Flushed(sum(lane.delivered for lane in self._lanes) - before, tuple(left))


class _Lane:
    """The deliveries to one channel, one message at a time."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        *,
        others: tuple[str, ...],
        patience: Patience,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self.name = channel.name
        self.delivered = 0
        self.reported = 0
        self._store = store
        self._channel = channel
        self._others = others
        self._patience = patience
        self._clock = clock
        self._jitter = jitter
        self._woken = asyncio.Event()
        self._failures = 0
        self._rest_until: datetime | None = None
        # A finding may stand from an earlier process, so the first success always clears.
        self._may_stand = True
        # Deliveries that go out by themselves, because a group with them was refused.
        self._alone: set[int] = set()

    def wake(self) -> None:
        self._woken.set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`."""
        while not stop.is_set():
            self._woken.clear()
            try:
                busy = await self._deliver_some()
            except StoreError as error:
                _log.error("channel %s: %s", self.name, error)
                busy = False
            if not busy and not stop.is_set():
                await self._idle()

    async def drain(self, deadline: datetime) -> None:
        """Deliver until nothing is owed, or can be before `deadline`."""
        while True:
            while await self._deliver_some():
                pass
            next_at = await self._store.next_due([self.name])
            if next_at is None:
                return
            next_at = max(next_at, self._rest_until or next_at)
            if next_at > deadline:
                return
            await asyncio.sleep(max(0.0, (next_at - self._clock()).total_seconds()))

    async def _idle(self) -> None:
        wait = self._patience.poll.total_seconds()
        rest = (self._rest_until - self._clock()).total_seconds() if self._rest_until else 0.0
        if rest > 0:
            wait = min(wait, rest)
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _deliver_some(self) -> bool:
        """Try one message; False if nothing is owed now or the channel rests."""
        now = self._clock()
        if self._rest_until is not None and now < self._rest_until:
            return False
        owed = await self._store.due(self.name, now, 4 * self._channel.group)
        chosen = self._choose(owed)
        if not chosen:
            return False
        begun = await self._store.begin([delivery.id for delivery in chosen], now)
        mine = [delivery for delivery in chosen if delivery.id in begun]
        if mine:
            await self._send(mine)
        return True

    def _choose(self, owed: Sequence[Delivery]) -> list[Delivery]:
        """What goes out together: alerts tried equally often, what may have arrived first.

        A message that failed, or was cut off, thus comes again as the same
        message with the same key, and not mixed with new alerts.
        """
        if not owed:
            return []
        first = next((delivery for delivery in owed if delivery.alert.again), owed[0])
        if first.id in self._alone:
            return [first]
        alike = [
            delivery
            for delivery in owed
            if (delivery.alert.again, delivery.attempts) == (first.alert.again, first.attempts)
            and delivery.id not in self._alone
        ]
        return alike[: self._channel.group]

    async def _send(self, deliveries: Sequence[Delivery]) -> None:
        error = await self._attempt(deliveries)
        ids = [delivery.id for delivery in deliveries]
        if error is None or isinstance(error, PartlyDeliveredError):
            await self._settle(lambda: self._store.sent(ids, self._clock()))
            self.delivered += len(ids)
            self._alone.difference_update(ids)
            self._failures, self._rest_until = 0, None
            _log.info("channel %s: delivered %d alerts", self.name, len(ids))
            await self._settle(lambda: self._after_success(error))
        else:
            await self._after_failure(deliveries, error)

    async def _attempt(self, deliveries: Sequence[Delivery]) -> OutsideError | None:
        limit = self._channel.timeout + self._patience.overrun.total_seconds()
        try:
            async with asyncio.timeout(limit):
                message = render_message([delivery.alert for delivery in deliveries])
                await self._channel.deliver(message)
        except OutsideError as error:
            return error
        except TimeoutError:
            return OutsideError(f"no answer within {limit:g} seconds", target=self.name)
        except Exception as error:
            # A fault in one channel's library must not stop the others.
            _log.exception("channel %s", self.name)
            return OutsideError(f"{type(error).__name__} in the channel", target=self.name)
        return None

    async def _after_success(self, left_out: PartlyDeliveredError | None) -> None:
        if left_out is not None:
            await self._report(f"not everybody was reached: {left_out}")
        elif self._may_stand:
            which = [(DELIVERY_FAILED.id, self._subject)]
            await self._store.resolve_findings(which, at=self._clock())
            self._may_stand = False

    async def _after_failure(self, deliveries: Sequence[Delivery], error: OutsideError) -> None:
        now = self._clock()
        ids = [delivery.id for delivery in deliveries]
        _log.warning("channel %s: %d alerts not delivered: %s", self.name, len(ids), error)
        spent = error.permanent or any(self._is_spent(delivery, now) for delivery in deliveries)
        if error.permanent:
            self._failures, next_at = 0, now
        else:
            self._failures += 1
            self._rest_until = now + self._rest(self._failures, error.retry_after)
            tried = max(self._failures, *(delivery.attempts + 1 for delivery in deliveries))
            next_at = max(self._rest_until, now + self._rest(tried, None))
        if spent and len(deliveries) == 1:
            self._alone.difference_update(ids)
            await self._settle(lambda: self._store.dead(ids, str(error), now))
            await self._settle(
                lambda: self._report(f"given up: {deliveries[0].alert.key}: {error}")
            )
            return
        if spent:
            self._alone.update(ids)
        await self._settle(lambda: self._store.failed(ids, str(error), next_at))
        waiting = now - min(delivery.alert.created for delivery in deliveries)
        if waiting >= self._patience.warn_after and self._failures > 0:
            minutes = int(waiting.total_seconds() // 60)
            text = f"an alert has waited {minutes} minutes: {error}"
            await self._settle(lambda: self._report(text))

    def _is_spent(self, delivery: Delivery, now: datetime) -> bool:
        old = now - delivery.alert.created >= self._patience.give_up_after
        return old and delivery.attempts + 1 >= self._patience.least_attempts

    def _rest(self, failures: int, asked: float | None) -> timedelta:
        doubled = self._patience.first_rest * (1 << min(failures - 1, 20))
        full = min(doubled, self._patience.longest_rest)
        rest = full * (0.5 + self._jitter() / 2)
        if asked is not None:
            capped = min(max(asked, 0.0), self._patience.longest_asked.total_seconds())
            rest = max(rest, timedelta(seconds=capped))
        return rest

    @property
    def _subject(self) -> str:
        return f"channel {self.name}"

    async def _report(self, what: str) -> None:
        finding = Finding(
            kind=DELIVERY_FAILED, subject=self._subject, message=f"channel {self.name}: {what}"
        )
        self._may_stand = True
        new = await self._store.record_findings([finding], at=self._clock(), channels=self._others)
        self.reported += new
        if new:
            _log.error("%s", finding.message)

    async def _settle(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write what happened, giving the store time to be writable again.

        What was delivered and is not written down will be delivered twice.
        """
        for _ in range(self._patience.store_tries):
            try:
                await write()
            except StoreError as error:
                _log.error("channel %s: %s", self.name, error)
                await asyncio.sleep(self._patience.store_rest.total_seconds())
            else:
                return
        await write()

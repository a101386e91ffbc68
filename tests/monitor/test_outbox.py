"""The outbox on a real store: nothing twice, in groups, patient, and given up only alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.receivers import (
    ONCE,
    QUICK,
    Clock,
    Receiver,
    failure,
    seed,
    states,
)
from pinwarden.findings import DELIVERY_FAILED
from pinwarden.monitor.outbox import Outbox
from pinwarden.net.channels import PartlyDeliveredError
from pinwarden.render import Message
from pinwarden.store.contract import DeliveryState, Store
from pinwarden.store.store import open_store
from store.values import TUSCOLO, certificate, move, sighting


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as opened:
        yield opened


async def test_one_issuance_is_told_once(store: Store) -> None:
    """Precertificate and certificate, in two logs, before and after delivery, are one message."""
    hook = Receiver("hook")
    outbox = Outbox(store, [hook])
    await move(
        store, 2, sighting("a", 0), certificate("a", 1), channels=("hook",), at=datetime.now(UTC)
    )
    assert (await outbox.flush()).delivered == 1
    await move(store, 1, certificate("a", 0, TUSCOLO), channels=("hook",), at=datetime.now(UTC))
    assert (await outbox.flush()).delivered == 0
    (message,) = hook.taken
    sighting_seen = message.events[0]["sighting"]
    assert isinstance(sighting_seen, dict)
    assert len(sighting_seen["logs"]) == 2


async def test_groups(store: Store) -> None:
    """Alerts waiting together go out together, up to the channel's group size, in order."""
    hook, pager = Receiver("hook", group=20), Receiver("pager", group=1)
    await seed(store, 45, "hook", "pager")
    assert (await Outbox(store, [hook, pager]).flush()).delivered == 90
    assert [len(message.events) for message in hook.taken] == [20, 20, 5]
    assert len(pager.taken) == 45
    assert len(set(hook.keys)) == 45
    assert hook.keys == pager.keys
    assert hook.taken[0].subject.startswith("[Pinwarden] 20 alerts: ")


async def test_failed_message_comes_again_as_it_was(store: Store) -> None:
    """A retry is the same message under the same key, though new alerts came meanwhile."""
    clock = Clock()
    hook = Receiver("hook")
    hook.script = iter([failure()])
    outbox = Outbox(store, [hook], patience=ONCE, clock=clock)
    await seed(store, 3, "hook", at=clock.now)
    assert len((await outbox.flush()).undelivered) == 3
    await seed(store, 2, "hook", first=3, at=clock.now)
    clock.pass_by(seconds=6)
    assert (await outbox.flush()).delivered == 5
    assert [len(message.events) for message in hook.tried] == [3, 2, 3]
    assert hook.tried[2].key == hook.tried[0].key


async def test_flush_tries_again_for_a_while(store: Store) -> None:
    """A short failure does not leave a single run without its alerts."""
    hook = Receiver("hook")
    hook.script = iter([failure(), failure()])
    await seed(store, 3, "hook")
    flushed = await Outbox(store, [hook], patience=QUICK).flush()
    assert (flushed.delivered, flushed.undelivered) == (3, ())


async def test_flush_returns_what_is_left(store: Store) -> None:
    """What a channel did not take is returned with its channel, and stays owed."""
    hook, mail = Receiver("hook"), Receiver("mail")
    hook.refuse = lambda _: failure()
    await seed(store, 3, "hook", "mail")
    flushed = await Outbox(store, [hook, mail], patience=ONCE).flush()
    assert flushed.delivered == 3
    assert [delivery.channel for delivery in flushed.undelivered] == ["hook"] * 3
    assert await states(store, "hook") == {DeliveryState.DUE: 3}


async def test_retry_after_is_honoured(store: Store) -> None:
    """While a channel asked for patience nothing is sent to it, not even what is new."""
    clock = Clock()
    hook = Receiver("hook")
    hook.script = iter([failure(retry_after=3600)])
    outbox = Outbox(store, [hook], patience=ONCE, clock=clock)
    await seed(store, 1, "hook", at=clock.now)
    await outbox.flush()
    await seed(store, 1, "hook", first=1, at=clock.now)
    clock.pass_by(seconds=3599)
    await outbox.flush()
    assert len(hook.tried) == 1
    clock.pass_by(seconds=2)
    assert (await outbox.flush()).delivered == 2


async def test_absurd_retry_after_is_bounded(store: Store) -> None:
    """A channel cannot silence an alert for a year by asking for it."""
    clock = Clock()
    hook = Receiver("hook")
    hook.script = iter([failure(retry_after=1e12), failure(retry_after=-5.0)])
    outbox = Outbox(store, [hook], patience=ONCE, clock=clock)
    await seed(store, 1, "hook", at=clock.now)
    for hours in (0, 6.01, 6.01):
        clock.pass_by(hours=hours)
        await outbox.flush()
    assert len(hook.taken) == 1


@pytest.mark.parametrize("jitter", [0.0, 1.0])
async def test_rests_double_with_jitter(store: Store, jitter: float) -> None:
    """Each rest is twice the last one, at most a quarter of an hour, less up to half of it."""
    clock = Clock()
    hook = Receiver("hook")
    hook.refuse = lambda _: failure()
    outbox = Outbox(store, [hook], patience=ONCE, clock=clock, jitter=lambda: jitter)
    await seed(store, 1, "hook", at=clock.now)
    await outbox.flush()
    for step in range(12):
        full = min(5 * 2**step, 900)
        rest = full * (0.5 + jitter / 2)
        clock.pass_by(seconds=rest - 0.01)
        await outbox.flush()
        assert len(hook.tried) == step + 1
        clock.pass_by(seconds=0.02)
        await outbox.flush()
        assert len(hook.tried) == step + 2


async def test_one_bad_alert_takes_no_other_along(store: Store) -> None:
    """Of a group refused for good, only the alert that is refused alone is given up."""
    hook, mail = Receiver("hook"), Receiver("mail")
    await seed(store, 5, "hook", "mail")
    await Outbox(store, [mail]).flush()
    bad = mail.keys[2]

    def refuse(message: Message) -> Exception | None:
        is_bad = any(event["key"] == bad for event in message.events)
        return failure(permanent=True) if is_bad else None

    hook.refuse = refuse
    flushed = await Outbox(store, [hook, mail]).flush()
    assert flushed.undelivered == ()
    assert set(hook.keys) == set(mail.keys[:5]) - {bad}
    assert await states(store, "hook") == {DeliveryState.SENT: 4, DeliveryState.DEAD: 1}


async def test_giving_up_is_told_through_the_other_channels(store: Store) -> None:
    """The finding reaches every other channel in the same run, and never the failing one."""
    hook, mail = Receiver("hook"), Receiver("mail")
    hook.script = iter([failure(permanent=True)])
    await seed(store, 1, "hook", "mail")
    await Outbox(store, [hook, mail]).flush()
    assert len(mail.taken) == 2
    told = mail.taken[1].events[0]["finding"]
    assert isinstance(told, dict)
    assert told["id"] == "PW-DELIVERY-FAILED"
    assert told["subject"] == "channel hook"
    assert "answered 500" in told["message"]
    assert len(hook.tried) == 1


async def test_finding_is_closed_by_the_next_success(store: Store) -> None:
    """A channel that works again has its finding resolved, and a new failure is told anew."""
    hook, mail = Receiver("hook"), Receiver("mail")
    for number in range(2):
        hook.script = iter([failure(permanent=True)])
        await seed(store, 1, "hook", first=2 * number)
        await Outbox(store, [hook, mail]).flush()
        (open_finding,) = await store.findings(resolved=False)
        assert open_finding.finding.kind == DELIVERY_FAILED
        await seed(store, 1, "hook", first=2 * number + 1)
        await Outbox(store, [hook, mail]).flush()
        assert await store.findings(resolved=False) == ()
    assert len(mail.taken) == 2
    assert len(set(mail.keys)) == 2


async def test_long_waiting_is_told_once(store: Store) -> None:
    """A channel down for half an hour is told through the others, once while it lasts."""
    clock = Clock()
    hook, mail = Receiver("hook"), Receiver("mail")
    hook.refuse = lambda _: failure()
    outbox = Outbox(store, [hook, mail], patience=ONCE, clock=clock)
    await seed(store, 3, "hook", at=clock.now)
    for _ in range(8):
        await outbox.flush()
        assert mail.taken == []
        clock.pass_by(minutes=3)
    for _ in range(8):
        clock.pass_by(minutes=16)
        await outbox.flush()
    assert len(mail.taken) == 1
    assert "an alert has waited" in mail.taken[0].text


async def test_old_alert_is_given_up_alone(store: Store) -> None:
    """After days of failures an alert is given up, after one more attempt by itself."""
    clock = Clock()
    hook = Receiver("hook")
    hook.refuse = lambda _: failure()
    outbox = Outbox(store, [hook], patience=ONCE, clock=clock)
    await seed(store, 2, "hook", at=clock.now)
    for _ in range(5):
        await outbox.flush()
        clock.pass_by(hours=20)
    assert await states(store, "hook") == {DeliveryState.DUE: 2}
    for _ in range(20):
        await outbox.flush()
        clock.pass_by(hours=1)
    assert await states(store, "hook") == {DeliveryState.DEAD: 2}
    assert [len(message.events) for message in hook.tried[-2:]] == [1, 1]
    assert len(hook.tried) >= 10


async def test_partly_delivered_is_not_repeated(store: Store) -> None:
    """A message that some recipients have counts as sent, and who was left out is told."""
    hook, mail = Receiver("hook"), Receiver("mail")
    mail.script = iter([PartlyDeliveredError("mail: refused 'two@example.com'", target="mail")])
    await seed(store, 1, "mail")
    outbox = Outbox(store, [hook, mail])
    assert (await outbox.flush()).undelivered == ()
    await outbox.flush()
    assert len(mail.taken) == 1
    assert "two@example.com" in hook.taken[0].text

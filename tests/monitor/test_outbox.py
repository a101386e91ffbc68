"""The outbox on a real store: nothing lost, nothing twice, nobody waits for a bad channel."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from pinwarden.config_channels import FileConfig
from pinwarden.errors import OutsideError, StoreError
from pinwarden.findings import DELIVERY_FAILED
from pinwarden.monitor.outbox import Outbox, Patience
from pinwarden.net.channels import PartlyDeliveredError, open_channel
from pinwarden.render import Message
from pinwarden.store.contract import DeliveryState, Store
from pinwarden.store.store import open_store
from store.values import NOW, TUSCOLO, certificate, move, sighting

_ONCE = Patience(flush_limit=timedelta(0))
_SOON = timedelta(milliseconds=5)
_QUICK = Patience(first_rest=_SOON, longest_rest=_SOON, poll=_SOON)


class _Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


class _Receiver:
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


def _failure(**other: object) -> OutsideError:
    return OutsideError("hook: answered 500", target="hook", **other)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as opened:
        yield opened


async def _seed(store: Store, count: int, *channels: str, first: int = 0) -> None:
    seen = [sighting(f"n{number}", number) for number in range(first, first + count)]
    await move(store, first + count, *seen, channels=channels)


async def _states(store: Store, channel: str) -> Counter[DeliveryState]:
    return Counter(
        status.state
        for alert in await store.alerts(limit=1000)
        for status in alert.deliveries
        if status.channel == channel
    )


async def test_one_issuance_is_told_once(store: Store) -> None:
    """Precertificate and certificate, in two logs, before and after delivery, are one message."""
    hook = _Receiver("hook")
    outbox = Outbox(store, [hook])
    await move(store, 2, sighting("a", 0), certificate("a", 1), channels=("hook",))
    assert (await outbox.flush()).delivered == 1
    await move(store, 1, certificate("a", 0, TUSCOLO), channels=("hook",))
    assert (await outbox.flush()).delivered == 0
    (message,) = hook.taken
    sighting_seen = message.events[0]["sighting"]
    assert isinstance(sighting_seen, dict)
    assert len(sighting_seen["logs"]) == 2


async def test_groups(store: Store) -> None:
    """Alerts waiting together go out together, up to the channel's group size, in order."""
    hook, pager = _Receiver("hook", group=20), _Receiver("pager", group=1)
    await _seed(store, 45, "hook", "pager")
    assert (await Outbox(store, [hook, pager]).flush()).delivered == 90
    assert [len(message.events) for message in hook.taken] == [20, 20, 5]
    assert len(pager.taken) == 45
    assert len(set(hook.keys)) == 45
    assert hook.keys == pager.keys
    assert hook.taken[0].subject.startswith("[Pinwarden] 20 alerts: ")


async def test_failed_message_comes_again_as_it_was(store: Store) -> None:
    """A retry is the same message under the same key, though new alerts came meanwhile."""
    clock = _Clock()
    hook = _Receiver("hook")
    hook.script = iter([_failure()])
    outbox = Outbox(store, [hook], patience=_ONCE, clock=clock)
    await _seed(store, 3, "hook")
    assert len((await outbox.flush()).undelivered) == 3
    await _seed(store, 2, "hook", first=3)
    clock.pass_by(seconds=6)
    assert await outbox.flush() == (await outbox.flush()).__class__(5, ())
    assert [len(message.events) for message in hook.tried] == [3, 2, 3] or [
        len(message.events) for message in hook.tried
    ] == [3, 3, 2]
    assert hook.tried[0].key in [message.key for message in hook.tried[1:]]


async def test_flush_tries_again_for_a_while(store: Store) -> None:
    """A short failure does not leave a single run without its alerts."""
    hook = _Receiver("hook")
    hook.script = iter([_failure(), _failure()])
    await _seed(store, 3, "hook")
    flushed = await Outbox(store, [hook], patience=_QUICK).flush()
    assert (flushed.delivered, flushed.undelivered) == (3, ())


async def test_flush_returns_what_is_left(store: Store) -> None:
    """What a channel did not take is returned with its channel, and stays owed."""
    hook, mail = _Receiver("hook"), _Receiver("mail")
    hook.refuse = lambda _: _failure()
    await _seed(store, 3, "hook", "mail")
    flushed = await Outbox(store, [hook, mail], patience=_ONCE).flush()
    assert flushed.delivered == 3
    assert [delivery.channel for delivery in flushed.undelivered] == ["hook"] * 3
    assert await _states(store, "hook") == {DeliveryState.DUE: 3}


async def test_retry_after_is_honoured(store: Store) -> None:
    """While a channel asked for patience nothing is sent to it, not even what is new."""
    clock = _Clock()
    hook = _Receiver("hook")
    hook.script = iter([_failure(retry_after=3600)])
    outbox = Outbox(store, [hook], patience=_ONCE, clock=clock)
    await _seed(store, 1, "hook")
    await outbox.flush()
    await _seed(store, 1, "hook", first=1)
    clock.pass_by(seconds=3599)
    await outbox.flush()
    assert len(hook.tried) == 1
    clock.pass_by(seconds=2)
    assert (await outbox.flush()).delivered == 2


async def test_absurd_retry_after_is_bounded(store: Store) -> None:
    """A channel cannot silence an alert for a year by asking for it."""
    clock = _Clock()
    hook = _Receiver("hook")
    hook.script = iter([_failure(retry_after=1e12), _failure(retry_after=-5.0)])
    outbox = Outbox(store, [hook], patience=_ONCE, clock=clock)
    await _seed(store, 1, "hook")
    for hours in (0, 6.01, 6.01):
        clock.pass_by(hours=hours)
        await outbox.flush()
    assert len(hook.taken) == 1


@pytest.mark.parametrize("jitter", [0.0, 1.0])
async def test_rests_double_with_jitter(store: Store, jitter: float) -> None:
    """Each rest is twice the last one, at most a quarter of an hour, less up to half of it."""
    clock = _Clock()
    hook = _Receiver("hook")
    hook.refuse = lambda _: _failure()
    outbox = Outbox(store, [hook], patience=_ONCE, clock=clock, jitter=lambda: jitter)
    await _seed(store, 1, "hook")
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
    hook, mail = _Receiver("hook"), _Receiver("mail")
    await _seed(store, 5, "hook", "mail")
    await Outbox(store, [mail]).flush()
    bad = mail.keys[2]

    def refuse(message: Message) -> Exception | None:
        is_bad = any(event["key"] == bad for event in message.events)
        return _failure(permanent=True) if is_bad else None

    hook.refuse = refuse
    flushed = await Outbox(store, [hook, mail]).flush()
    assert flushed.undelivered == ()
    assert set(hook.keys) == set(mail.keys[:5]) - {bad}
    assert await _states(store, "hook") == {DeliveryState.SENT: 4, DeliveryState.DEAD: 1}


async def test_giving_up_is_told_through_the_other_channels(store: Store) -> None:
    """The finding reaches every other channel in the same run, and never the failing one."""
    hook, mail = _Receiver("hook"), _Receiver("mail")
    hook.script = iter([_failure(permanent=True)])
    await _seed(store, 1, "hook", "mail")
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
    hook, mail = _Receiver("hook"), _Receiver("mail")
    for number in range(2):
        hook.script = iter([_failure(permanent=True)])
        await _seed(store, 1, "hook", first=2 * number)
        await Outbox(store, [hook, mail]).flush()
        (open_finding,) = await store.findings(resolved=False)
        assert open_finding.finding.kind == DELIVERY_FAILED
        await _seed(store, 1, "hook", first=2 * number + 1)
        await Outbox(store, [hook, mail]).flush()
        assert await store.findings(resolved=False) == ()
    assert len(mail.taken) == 2
    assert len(set(mail.keys)) == 2


async def test_long_waiting_is_told_once(store: Store) -> None:
    """A channel down for half an hour is told through the others, once while it lasts."""
    clock = _Clock()
    hook, mail = _Receiver("hook"), _Receiver("mail")
    hook.refuse = lambda _: _failure()
    outbox = Outbox(store, [hook, mail], patience=_ONCE, clock=clock)
    await _seed(store, 3, "hook")
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
    clock = _Clock()
    hook = _Receiver("hook")
    hook.refuse = lambda _: _failure()
    outbox = Outbox(store, [hook], patience=_ONCE, clock=clock)
    await _seed(store, 2, "hook")
    for _ in range(5):
        await outbox.flush()
        clock.pass_by(hours=20)
    assert await _states(store, "hook") == {DeliveryState.DUE: 2}
    for _ in range(20):
        await outbox.flush()
        clock.pass_by(hours=1)
    assert await _states(store, "hook") == {DeliveryState.DEAD: 2}
    assert [len(message.events) for message in hook.tried[-2:]] == [1, 1]
    assert len(hook.tried) >= 10


async def test_partly_delivered_is_not_repeated(store: Store) -> None:
    """A message that some recipients have counts as sent, and who was left out is told."""
    hook, mail = _Receiver("hook"), _Receiver("mail")
    mail.script = iter([PartlyDeliveredError("mail: refused 'two@example.com'", target="mail")])
    await _seed(store, 1, "mail")
    outbox = Outbox(store, [hook, mail])
    assert (await outbox.flush()).undelivered == ()
    await outbox.flush()
    assert len(mail.taken) == 1
    assert "two@example.com" in hook.taken[0].text


async def test_fault_in_a_channel_is_a_failure_like_any(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception nobody thought of neither loses the alert nor stops the others."""
    hook, mail = _Receiver("hook"), _Receiver("mail")
    hook.script = iter([RuntimeError("a bug in a library")])
    await _seed(store, 2, "hook", "mail")
    flushed = await Outbox(store, [hook, mail], patience=_QUICK).flush()
    assert (flushed.delivered, flushed.undelivered) == (4, ())
    assert "a bug in a library" in caplog.text


async def test_channel_has_a_time_limit(store: Store) -> None:
    """A channel that never returns is a failure when its time is up."""
    hook = _Receiver("hook", timeout=0.05)
    hook.hangs = True
    patience = Patience(flush_limit=timedelta(0), overrun=timedelta(0))
    await _seed(store, 1, "hook")
    flushed = await Outbox(store, [hook], patience=patience).flush()
    assert len(flushed.undelivered) == 1
    (alert,) = await store.alerts()
    assert alert.deliveries[0].error == "no answer within 0.05 seconds"


async def test_stuck_channel_blocks_no_other(store: Store, tmp_path: Path) -> None:
    """While one channel hangs the others deliver; what hung is owed again after a restart."""
    hook = _Receiver("hook")
    hook.hangs = True
    path = tmp_path / "alerts.jsonl"
    file = open_channel(FileConfig(path=str(path)))
    patience = Patience(stop_grace=timedelta(milliseconds=20), poll=_SOON)
    outbox = Outbox(store, [hook, file], patience=patience)
    stop = asyncio.Event()
    running = asyncio.create_task(outbox.run(stop))
    for number in range(3):
        await _seed(store, 1, "hook", "file", first=number)
        outbox.wake()
        while (await _states(store, "file"))[DeliveryState.SENT] < number + 1:
            await asyncio.sleep(0.005)
    assert len(hook.tried) == 1
    stop.set()
    await running
    assert len(path.read_text().splitlines()) == 3
    await store.close()

    hook.hangs = False
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as reopened:
        assert (await Outbox(reopened, [hook, file]).flush()).delivered == 3
    cut_off = {event["key"]: event["again"] for message in hook.taken for event in message.events}
    assert list(cut_off.values()) == [True, False, False]
    assert hook.taken[0].key == hook.tried[0].key
    assert len(path.read_text().splitlines()) == 3


async def test_stop_is_clean(store: Store) -> None:
    """An idle outbox stops at once, one under way finishes its message."""
    hook = _Receiver("hook")
    outbox = Outbox(store, [hook])
    for count in (0, 2):
        await _seed(store, count, "hook")
        stop = asyncio.Event()
        running = asyncio.create_task(outbox.run(stop))
        while sum(len(message.events) for message in hook.taken) < count:
            await asyncio.sleep(0.005)
        stop.set()
        await running
    assert await _states(store, "hook") == {DeliveryState.SENT: 2}


async def test_without_channels_it_waits_for_the_stop(store: Store) -> None:
    """An outbox without channels has nothing to do, and says so by delivering nothing."""
    stop = asyncio.Event()
    outbox = Outbox(store, [])
    running = asyncio.create_task(outbox.run(stop))
    stop.set()
    await running
    assert (await outbox.flush()).delivered == 0


async def test_two_processes_never_deliver_the_same(store: Store, tmp_path: Path) -> None:
    """Two outboxes on one store share the work and repeat nothing."""
    one, other = _Receiver("hook", group=2), _Receiver("hook", group=2)
    await _seed(store, 30, "hook")
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as second:
        await asyncio.gather(Outbox(store, [one]).flush(), Outbox(second, [other]).flush())
    assert Counter(one.keys + other.keys) == Counter(dict.fromkeys(one.keys + other.keys, 1))
    assert len(one.keys + other.keys) == 30


async def test_closed_store_is_an_error_of_ours(store: Store) -> None:
    """A store that is gone is said so, not waited for."""
    await store.close()
    with pytest.raises(StoreError):
        await Outbox(store, [_Receiver("hook")]).flush()


async def test_file_has_each_alert_once_though_killed_anywhere(
    store: Store, tmp_path: Path
) -> None:
    """Killed again and again between any two calls, the file in the end has every alert once."""
    await _seed(store, 40, "file")
    await store.close()
    path = tmp_path / "alerts.jsonl"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    script = Path(__file__).with_name("killed_outbox.py")
    url = f"sqlite:///{tmp_path / 'pinwarden.db'}"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(script), url, str(path), "20261124"],
        check=True,
        capture_output=True,
        env=environment,
        timeout=200,
    )
    assert int(done.stdout) >= 5
    keys = Counter(json.loads(line)["key"] for line in path.read_text("ascii").splitlines())
    assert len(keys) == 40
    assert set(keys.values()) == {1}

"""Contract: an alert is owed to the channels named when it was made, until each took it."""

from __future__ import annotations

import asyncio

import pytest

from pinwarden.errors import StoreError
from pinwarden.store.contract import Delivery, DeliveryState, Store
from pinwarden.watch.sighting import SightingKind
from store.kinds import Opener
from store.values import (
    ARGON,
    CHANNELS,
    NOW,
    TUSCOLO,
    finding,
    key,
    later,
    move,
    sighting,
    verified,
)

_HOUR = later(hours=1)


async def _owe(store: Store, many: int, channels: tuple[str, ...] = CHANNELS) -> None:
    await move(store, many, *(sighting(str(one), one) for one in range(many)), channels=channels)


def _ids(owed: tuple[Delivery, ...]) -> list[int]:
    return [one.id for one in owed]


async def test_each_channel_is_owed_each_alert(store: Store) -> None:
    """A delivery carries the whole alert: sighting, bytes, every place, and a stable key."""
    await move(store, 1, sighting("a", 0, TUSCOLO), position=verified(1, TUSCOLO))
    await move(store, 5, sighting("a", 4))
    for channel in CHANNELS:
        (owed,) = await store.due(channel, NOW)
        assert (owed.channel, owed.attempts) == (channel, 0)
        alert = owed.alert
        assert alert.key == f"issuance:{key('a').hex()}"
        assert (alert.created, alert.again, alert.finding) == (NOW, False, None)
        assert alert.sighting is not None
        assert alert.sighting.der == sighting("a", 0).der
        places = [(at.log_id, at.index, at.verified) for at in alert.references]
        assert places == [(TUSCOLO, 0, True), (ARGON, 4, False)]
    assert await store.due("stranger", NOW) == ()


async def test_what_is_due_is_oldest_first_and_limited(store: Store) -> None:
    """A limit takes the oldest, and nothing is due before its time."""
    await _owe(store, 5)
    await move(store, 6, sighting("later", 5), at=_HOUR)
    seen = [one.alert.sighting.key for one in await store.due("mail", NOW, 3) if one.alert.sighting]
    assert seen == sorted(key(str(one)) for one in range(5))[:3]
    assert len(await store.due("mail", NOW)) == 5
    assert len(await store.due("mail", _HOUR)) == 6


async def test_junk_does_not_delay_what_matters(store: Store) -> None:
    """However many unreadable entries came before, a certificate is told of first."""
    junk = [sighting(f"junk {n}", n, kind=SightingKind.UNREADABLE) for n in range(5)]
    await move(store, 6, *junk, sighting("shop", 5))
    first, *others = await store.due("mail", NOW, limit=3)
    assert first.alert.key == f"issuance:{key('shop').hex()}"
    assert {each.alert.key for each in others} < {f"issuance:{one.key.hex()}" for one in junk}


async def test_a_channel_added_later_hears_nothing_old(store: Store) -> None:
    """Only alerts made since a channel was named are owed to it, also of a known issuance."""
    await move(store, 1, sighting("old", 0), channels=("mail",))
    assert await store.due("new", _HOUR) == ()
    await move(
        store, 2, sighting("old", 1, TUSCOLO), sighting("new", 0, TUSCOLO), channels=("new",)
    )
    (owed,) = await store.due("new", _HOUR)
    assert owed.alert.key == f"issuance:{key('new').hex()}"
    assert len(await store.due("mail", _HOUR)) == 1


async def test_a_removed_channel_blocks_nobody(store: Store) -> None:
    """What is owed to a channel no longer asked for stays, and is in nobody's way."""
    await _owe(store, 20, ("gone", "mail"))
    owed = await store.due("mail", NOW, 50)
    await store.begin(_ids(owed), NOW)
    await store.sent(_ids(owed), NOW)
    assert await store.due("mail", _HOUR) == ()
    assert await store.next_due(["mail"]) is None
    assert await store.next_due(["mail", "gone"]) == NOW
    assert len(await store.due("gone", _HOUR)) == 20


async def test_an_alert_without_channels_is_owed_to_nobody(store: Store) -> None:
    """No channel is no delivery, and the alert is kept; a channel named twice is owed once."""
    await _owe(store, 1, ())
    await move(store, 2, sighting("b", 1), channels=("mail", "mail"))
    assert len(await store.alerts()) == 2
    assert len(await store.due("mail", NOW)) == 1


async def test_a_delivery_is_begun_once(reopen: Opener) -> None:
    """Of two processes that begin the same deliveries each gets its own."""
    one, two = await reopen(), await reopen()
    await _owe(one, 10)
    ids = _ids(await one.due("mail", NOW))
    assert _ids(await two.due("mail", NOW)) == ids
    first, second = await asyncio.gather(one.begin(ids, NOW), two.begin(ids, NOW))
    assert first | second == set(ids)
    assert not first & second
    assert await one.due("mail", _HOUR) == ()
    assert await one.begin([], NOW) == frozenset()


async def test_a_failure_is_due_again_when_it_says(store: Store) -> None:
    """A failed delivery waits for its next time, keeps the error and counts its attempts."""
    await _owe(store, 2)
    first, second = _ids(await store.due("mail", NOW))
    await store.begin([first, second], NOW)
    await store.failed([first], "550 <\x00no>", _HOUR)
    await store.sent([second], NOW)
    assert await store.due("mail", NOW) == ()
    assert await store.next_due(["mail"]) == _HOUR
    (owed,) = await store.due("mail", _HOUR)
    assert (owed.id, owed.attempts, owed.alert.again) == (first, 1, False)
    (stored,) = [a for a in await store.alerts() if a.alert.key == owed.alert.key]
    status = next(one for one in stored.deliveries if one.channel == "mail")
    assert (status.state, status.attempts, status.at) == (DeliveryState.DUE, 1, _HOUR)
    assert status.error == "550 <\x00no>"


async def test_what_is_sent_or_dead_stays_so(store: Store) -> None:
    """A delivery that ended is never due, begun, failed or recovered again."""
    await _owe(store, 2)
    sent, dead = _ids(await store.due("mail", NOW))
    await store.begin([sent, dead], NOW)
    await store.sent([sent], NOW)
    await store.dead([dead], "gave up", _HOUR)
    assert await store.begin([sent, dead], NOW) == frozenset()
    await store.failed([sent, dead], "late", NOW)
    assert await store.recover(_HOUR) == 0
    assert await store.due("mail", later(days=9)) == ()
    states = {
        one.state for a in await store.alerts() for one in a.deliveries if one.channel == "mail"
    }
    assert states == {DeliveryState.SENT, DeliveryState.DEAD}
    assert (await store.totals()).deliveries_dead == 1
    assert (await store.totals()).deliveries_due == 2


async def test_a_restart_finds_what_was_being_sent(reopen: Opener) -> None:
    """What was being sent when the process ended is due again and says so, and only that."""
    store = await reopen()
    await _owe(store, 3)
    begun, done, waiting = _ids(await store.due("mail", NOW))
    await store.begin([begun, done], NOW)
    await store.sent([done], NOW)
    await store.close()
    store = await reopen()
    assert _ids(await store.due("mail", _HOUR)) == [waiting]
    assert await store.recover(_HOUR) == 1
    again = {one.id: one.alert.again for one in await store.due("mail", _HOUR)}
    assert again == {waiting: False, begun: True}
    assert await store.recover(_HOUR) == 0
    assert await store.begin([begun], _HOUR) == {begun}
    await store.failed([begun], "no", _HOUR)
    assert {one.id: one.attempts for one in await store.due("mail", _HOUR)} == {
        waiting: 0,
        begun: 2,
    }


async def test_what_the_living_send_is_theirs(reopen: Opener) -> None:
    """A second process recovers nothing from a living one, unless that hangs for very long."""
    living, second = await reopen(), await reopen()
    await _owe(living, 1)
    ids = _ids(await living.due("mail", NOW))
    await living.begin(ids, NOW)
    assert await second.recover(later(minutes=1)) == 0
    assert await living.recover(later(minutes=1)) == 0
    assert await second.recover(later(minutes=20)) == 1
    assert await second.begin(ids, later(minutes=20)) == set(ids)
    await living.failed(ids, "too late to say", NOW)
    assert await second.due("mail", later(days=1)) == ()
    await living.sent(ids, later(minutes=21))
    assert (await second.totals()).deliveries_due == 1


async def test_a_process_that_recovered_is_a_sender_too(reopen: Opener) -> None:
    """Recovering twice, or beginning after it, leaves a process among the living."""
    one = await reopen()
    await _owe(one, 1)
    assert await one.recover(NOW) == 0
    assert await one.recover(NOW) == 0
    await one.begin(_ids(await one.due("mail", NOW)), NOW)
    assert await (await reopen()).recover(NOW) == 0


async def test_what_one_sends_oneself_is_no_orphan(store: Store) -> None:
    """Recovering late, while sending, takes nothing back from oneself."""
    await _owe(store, 1)
    await store.begin(_ids(await store.due("mail", NOW)), NOW)
    assert await store.recover(later(days=1)) == 0


async def test_recovering_late_takes_nothing_from_the_living(reopen: Opener) -> None:
    """A process that recovered once does not believe itself alone ever after."""
    first, second = await reopen(), await reopen()
    await _owe(first, 1)
    await first.recover(NOW)
    await second.begin(_ids(await second.due("mail", NOW)), NOW)
    assert await first.recover(NOW) == 0


async def test_recovering_at_once_recovers_once(reopen: Opener) -> None:
    """Two processes that start at once after a crash do not both take what it was sending."""
    store = await reopen()
    await _owe(store, 4)
    await store.begin(_ids(await store.due("mail", NOW)), NOW)
    await store.close()
    one, two = await reopen(), await reopen()
    assert sorted(await asyncio.gather(one.recover(NOW), two.recover(NOW))) == [0, 4]


async def test_alerts_are_acknowledged_once(store: Store) -> None:
    """Who took note first, when and why is kept; a second word changes nothing."""
    await _owe(store, 2)
    first, second = await store.alerts()
    odd = "because\x00 \ud800"
    assert await store.ack(first.alert.id, who="ana", why=odd, at=NOW)
    assert not await store.ack(first.alert.id, who="bob", why="me too", at=_HOUR)
    found = await store.alert(first.alert.id)
    assert found is not None
    assert found.acknowledgement is not None
    taken = found.acknowledgement
    assert (taken.who, taken.why, taken.at) == ("ana", odd, NOW)
    assert [one.alert.id for one in await store.alerts(acknowledged=True)] == [first.alert.id]
    assert await store.alerts(acknowledged=False) == (second,)
    assert (await store.totals()).alerts_open == 1


async def test_an_unknown_alert_cannot_be_acknowledged(store: Store) -> None:
    """A wrong number is said to be one."""
    assert await store.alert(7) is None
    with pytest.raises(StoreError, match="alert 7: there is no such alert"):
        await store.ack(7, who="ana", why="typo", at=NOW)


async def test_alerts_are_listed_in_pages(store: Store) -> None:
    """Alerts of both causes come in order, either way, with their deliveries and without bytes."""
    await _owe(store, 2)
    await store.record_findings([finding()], at=NOW, channels=["mail"])
    whole = await store.alerts()
    assert [len(one.deliveries) for one in whole] == [2, 2, 1]
    assert await store.alerts(newest_first=True) == whole[::-1]
    assert await store.alerts(limit=1, after=whole[0].alert.id) == (whole[1],)
    assert await store.alerts(after=whole[1].alert.id, newest_first=True) == (whole[0],)
    assert [one.alert.sighting.der for one in whole if one.alert.sighting] == [b"", b""]
    single = await store.alert(whole[0].alert.id)
    assert single is not None
    assert single.alert.sighting is not None
    assert single.alert.sighting.der


async def test_totals_count_everything(store: Store) -> None:
    """The totals of an empty store are zero, and follow what is stored."""
    empty = await store.totals()
    assert (empty.sightings, empty.alerts, empty.alerts_open, empty.findings_open) == (0, 0, 0, 0)
    assert (empty.deliveries_due, empty.deliveries_dead) == (0, 0)
    await _owe(store, 3)
    await store.record_findings([finding()], at=NOW, channels=())
    full = await store.totals()
    assert (full.sightings, full.alerts, full.alerts_open, full.findings_open) == (3, 4, 4, 1)
    assert full.deliveries_due == 6

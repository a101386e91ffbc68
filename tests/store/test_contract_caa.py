"""Contract: looks at CAA policies, one observation while nothing changes, told together."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from pinwarden.caa.history.observation import LastObserved, Observation
from pinwarden.caa.lookup import DNSSECState, Failure
from pinwarden.findings import CAA_CHANGED, CAA_LOOKUP_FAILED, CAA_LOOSENED, Finding
from pinwarden.store.contract import Store
from store.kinds import Opener
from store.values import CHANNELS, NOW, later

NAME = "shop.example.com"
CA1, CA2 = ('0 issue "ca1.example.net"',), ('0 issue "ca2.example.org"',)


def look(at: float, records: tuple[str, ...] = CA1, **other: Any) -> Observation:
    """One look, `at` hours from NOW."""
    values: dict[str, Any] = {
        "name": NAME,
        "relevant_name": "example.com",
        "records": records,
        "ttl": 300,
        "resolver": "127.0.0.1:53 (udp)",
        "first_seen": later(hours=at),
        "last_seen": later(hours=at),
    }
    return Observation(**(values | other))


def failed(at: float, **other: Any) -> Observation:
    """One look that failed."""
    nothing = {"failure": Failure.SERVFAIL, "problem": "SERVFAIL", "ttl": None}
    return look(at, (), **(nothing | other))


async def keep(store: Store, *looks: Observation) -> None:
    for each in looks:
        await store.record_observations([each], at=each.last_seen)


async def test_an_observation_comes_back_as_it_was_given(reopen: Opener) -> None:
    """Foreign text in any column survives, also a restart."""
    store = await reopen()
    odd = "\x00\x1b\ud800\\ü"
    given = look(
        0,
        (odd, "\\# 1 00"),
        relevant_name=odd,
        dnssec=DNSSECState.SECURE,
        failure=Failure.MALFORMED,
        problem=odd,
        resolver=odd,
        ttl=2**32 - 1,
        last_seen=later(hours=3),
        count=2**40,
        longest_gap=timedelta(hours=2, microseconds=1),
    )
    none = look(0, (), relevant_name=None, ttl=None)
    assert await store.record_observations([given, none], at=NOW) == 0
    await store.close()
    store = await reopen()
    assert set(await store.observations(NAME)) == {given, none}
    assert await store.observations("example.com") == ()


async def test_equal_looks_are_one_observation(store: Store) -> None:
    """One row for each stretch of time, whatever the TTL counts down from."""
    await keep(store, look(0), look(1, ttl=17), look(4, ttl=900), failed(5), failed(6))
    await keep(store, look(7), look(20), look(21, CA2), look(22))
    seen = await store.observations(NAME)
    assert [(each.first_seen, each.last_seen, each.count) for each in seen] == [
        (later(hours=0), later(hours=4), 3),
        (later(hours=5), later(hours=6), 2),
        (later(hours=7), later(hours=7), 1),
        # So much later that something may have happened between.
        (later(hours=20), later(hours=20), 1),
        (later(hours=21), later(hours=21), 1),
        (later(hours=22), later(hours=22), 1),
    ]
    assert (seen[0].ttl, seen[0].longest_gap) == (900, timedelta(hours=3))


async def test_a_time_can_be_asked_for(store: Store) -> None:
    """What touches the time is given, whole."""
    await keep(store, look(0), look(1), look(2, CA2), look(3), look(4, CA2))

    async def between(since: float, until: float) -> list[int]:
        found = await store.observations(NAME, since=later(hours=since), until=later(hours=until))
        return [int((each.first_seen - NOW).total_seconds() // 3600) for each in found]

    assert await between(1, 3) == [0, 2, 3]
    assert await between(1.5, 1.6) == []
    assert await between(0.5, 0.6) == [0]
    assert len(await store.observations(NAME, since=later(hours=3))) == 2
    assert len(await store.observations(NAME, until=later(hours=2))) == 2


async def test_names_and_resolvers_are_kept_apart(store: Store) -> None:
    """Each has a history of its own."""
    others = {"resolver": "tls://192.0.2.1:853 (tls)"}
    await keep(store, look(0), look(0, CA2, **others), look(1), look(1, CA2, **others))
    await keep(store, look(1, name="other.example"))
    assert [each.count for each in await store.observations(NAME)] == [2, 2]
    last = await store.last_observations([NAME, "other.example", "never.example"])
    assert [(each.name, each.resolver[:3]) for each in last] == [
        ("other.example", "127"),
        (NAME, "127"),
        (NAME, "tls"),
    ]


async def test_the_last_policy_and_how_long_it_fails(store: Store) -> None:
    """A failure hides no policy, and lasts from the first one after a success."""
    await keep(
        store, failed(-1), look(0), look(1, CA2), failed(2), failed(3, failure=Failure.BOGUS)
    )
    [last] = await store.last_observations([NAME])
    policy = look(1, CA2)
    assert last == LastObserved(
        name=NAME, resolver=policy.resolver, policy=policy, failing_since=later(hours=2)
    )
    await keep(store, look(4, CA2))
    [last] = await store.last_observations([NAME])
    assert last.failing_since is None
    assert last.policy == look(4, CA2)
    await keep(store, failed(0, name="new.example"), failed(1, name="new.example"))
    [last] = await store.last_observations(["new.example"])
    assert (last.policy, last.failing_since) == (None, NOW)


async def test_many_names(store: Store) -> None:
    """More names than fit into one question of the database."""
    names = [f"host{number}.example.com" for number in range(1203)]
    await store.record_observations([look(0, name=name) for name in names], at=NOW)
    assert len(await store.last_observations(names)) == len(names)


async def test_a_look_and_its_findings_are_told_together(store: Store) -> None:
    """Findings are alerted with the looks that made them; what passed is closed before."""
    subject = f"CAA of {NAME}"
    changed = Finding(kind=CAA_CHANGED, subject=subject, message="changed")
    new = await store.record_observations([look(0)], findings=[changed], at=NOW, channels=CHANNELS)
    assert new == 1
    [owed] = await store.due("mail", NOW)
    assert owed.alert.finding == changed
    # The next change is news, although nobody noted the first.
    passed = [(CAA_CHANGED.id, subject), (CAA_LOOSENED.id, subject)]
    new = await store.record_observations(
        [look(1, CA2)], findings=[changed], passed=passed, at=later(hours=1), channels=CHANNELS
    )
    assert new == 0, "another process, or resolver, tells of the same change"
    again = Finding(kind=CAA_CHANGED, subject=subject, message="changed again")
    new = await store.record_observations(
        [look(1, CA2)], findings=[again], passed=passed, at=later(hours=1), channels=CHANNELS
    )
    assert new == 1
    assert len(await store.alerts()) == 2
    standing = await store.findings(resolved=False)
    assert [each.first_seen for each in standing] == [later(hours=1)]


async def test_findings_that_nobody_is_told_of(store: Store) -> None:
    """They stand and pass like others: somebody was told of all of them at once."""
    subjects = [f"CAA of host{number}.example" for number in range(1200)]
    kept = [Finding(kind=CAA_LOOKUP_FAILED, subject=each, message="failed") for each in subjects]
    for _ in range(2):
        new = await store.record_observations([], untold=kept, at=NOW, channels=CHANNELS)
        assert new == 0
    assert await store.alerts() == ()
    kinds = [CAA_LOOKUP_FAILED.id, CAA_CHANGED.id]
    standing = {(CAA_LOOKUP_FAILED.id, each) for each in subjects}
    assert await store.standing(kinds) == standing
    assert await store.standing([CAA_CHANGED.id]) == frozenset()
    gone = [(CAA_LOOKUP_FAILED.id, each) for each in subjects[:-1]]
    await store.record_observations([], passed=gone, at=later(hours=1))
    assert await store.standing(kinds) == standing - set(gone)


async def test_what_was_seen_of_late(store: Store) -> None:
    """Policies from a time on, oldest first; the last one however old."""
    await keep(store, look(0), failed(1), look(2, CA2), look(3), look(40), failed(41))
    [last] = await store.last_observations([NAME], since=later(hours=2.5))
    assert [each.first_seen for each in last.recent] == [later(hours=3), later(hours=40)]
    assert last.recent[-1] == last.policy
    [last] = await store.last_observations([NAME], since=later(hours=100))
    assert [each.first_seen for each in last.recent] == [later(hours=40)]


async def test_a_clock_that_is_set_back(store: Store) -> None:
    """A wrong time is not prolonged for years, and a small step back is no end."""
    await keep(store, look(1000), look(0), look(1), look(0.5), failed(0.6), failed(0.4))
    first, second, failure = sorted(
        await store.observations(NAME), key=lambda each: (each.failed, -each.first_seen.timestamp())
    )
    assert (first.first_seen, first.count) == (later(hours=1000), 1)
    assert (second.first_seen, second.last_seen, second.count) == (NOW, later(hours=1), 3)
    assert (failure.first_seen, failure.count) == (later(hours=0.4), 2)


async def test_writers_together(reopen: Opener) -> None:
    """Two processes that observe the same name keep one history."""
    stores = [await reopen() for _ in range(3)]
    await asyncio.gather(
        *(each.record_observations([look(0)], at=NOW) for each in stores for _ in range(5))
    )
    [seen] = await stores[0].observations(NAME)
    assert seen.count == 15

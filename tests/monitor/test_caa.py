"""The observer, on a real store and a DNS server whose zone changes: what it tells, and when."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.caa_world import (
    BOGUS,
    CA1,
    CA2,
    CHANGED,
    FAILED,
    LOOSENED,
    NAME,
    World,
    a_world,
)
from pinwarden.errors import StoreError
from pinwarden.monitor.caa import ObserverSettings, Round
from pinwarden.net.dns.contract import CAAResolver


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_nothing_changes_and_nothing_is_told(world: World) -> None:
    """The first look is the baseline, and equal ones are one observation."""
    for _ in range(3):
        assert await world.round() == Round(names=1)
    assert await world.told() == []
    [seen] = await world.store.observations(NAME)
    assert (seen.count, seen.records, seen.ttl) == (3, ('0 issue "ca1.example.net"',), 300)
    assert seen.resolver == f"127.0.0.1:{world.dns.port} (udp)"
    assert world.opened == 3


async def test_one_alert_for_each_change(world: World) -> None:
    """A change is told once, whatever comes after, and the next one again."""
    await world.round()
    world.publish(CA1 + CA2)
    result = await world.round()
    assert (result.changed, result.alerts) == (1, 1)
    assert await world.told() == [LOOSENED]
    await world.round()
    world.publish(CA1)
    await world.round()
    await world.round()
    assert await world.told() == [LOOSENED, CHANGED]
    world.publish("")
    await world.round()
    await world.round()
    assert await world.told() == [LOOSENED, CHANGED, LOOSENED]
    seen = await world.store.observations(NAME)
    assert [len(each.records) for each in seen] == [1, 2, 1, 0]
    # Seen in one round, seen again a moment later, and then in the round after.
    assert [each.count for each in seen] == [1, 3, 3, 3]


async def test_a_change_while_nobody_looked(world: World) -> None:
    """What changed during an outage, or a failure, is told afterwards."""
    await world.round()
    world.dns.faults[NAME] = "servfail"
    await world.round()
    del world.dns.faults[NAME]
    world.publish(CA2)
    await world.round(hours=100)
    assert await world.told() == [LOOSENED]


async def test_a_change_whose_second_look_fails_is_told(world: World) -> None:
    """Whoever changes a policy must not be able to hush it up."""
    await world.round()
    world.publish("")
    real = world.resolvers
    rounds = iter(["", "servfail"])

    @asynccontextmanager
    async def failing() -> AsyncIterator[Sequence[CAAResolver]]:
        fault = next(rounds)
        if fault:
            world.dns.faults["*"] = "servfail"
        async with real() as resolvers:
            yield resolvers

    await world.observer(open_resolvers=failing).round()
    assert await world.told() == [LOOSENED]


@pytest.mark.parametrize(
    ("fault", "kind"), [("servfail", FAILED), ("silent", FAILED), ("bogus", BOGUS)]
)
async def test_a_failure_is_told_when_it_lasts(
    world: World, fault: Any, kind: tuple[str, str]
) -> None:
    """Not before, once, and it passes when the lookup succeeds."""
    await world.round()
    world.dns.faults[NAME] = fault
    result = await world.round()
    assert (result.failed, result.alerts) == (1, 0)
    await world.round(hours=0.4)
    assert await world.told() == []
    for _ in range(3):
        result = await world.round(hours=0.2)
        assert result.failed == 1
    assert await world.told() == [kind]
    [standing] = await world.standing()
    assert standing.count == 3
    del world.dns.faults[NAME]
    # One success between failures is no recovery, and no reason to tell it all again.
    assert (await world.round()).failed == 0
    world.dns.faults[NAME] = fault
    await world.round(hours=1)
    await world.round(hours=1)
    assert await world.told() == [kind]
    del world.dns.faults[NAME]
    await world.round()
    await world.round()
    assert await world.standing() == []
    assert await world.told() == [kind]
    seen = (await world.store.observations(NAME))[:3]
    assert [each.failed for each in seen] == [False, True, False]


async def test_no_names(world: World) -> None:
    """Nothing is asked for nothing."""
    world.names = ()
    assert await world.round() == Round()
    assert world.opened == 0


async def test_a_long_run(world: World) -> None:
    """Rounds come one after the other, names can be added, and it stops when told."""
    rounds: list[Round] = []
    seen = asyncio.Event()
    woken: list[None] = []

    def note(result: Round) -> None:
        rounds.append(result)
        seen.set()

    async def next_round() -> Round:
        await asyncio.wait_for(seen.wait(), 30)
        seen.clear()
        return rounds[-1]

    observer = world.observer(
        settings=ObserverSettings(interval=timedelta(hours=1), confirm_after=timedelta(0)),
        on_round=note,
        on_alert=lambda: woken.append(None),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(observer.run(stop))
    assert (await next_round()).names == 1
    # A name that is added is looked at now, and not in an hour.
    observer.replace([NAME, "other.example"], ["mail"])
    assert (await next_round()).names == 2
    world.publish(CA2)
    observer.replace([NAME, "other.example", "third.example"], ["mail"])
    assert (await next_round()).changed == 1
    assert len(woken) == 1
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_a_round_that_is_stopped(world: World) -> None:
    """Nobody waits for a round that hangs on a silent server."""
    world.dns.delays["*"] = 60.0
    stop = asyncio.Event()
    running = asyncio.create_task(world.observer().run(stop))
    await _asked(world)
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_without_a_store_it_gives_up(world: World, tmp_path: Path) -> None:
    """A store that cannot be read is said, and after several rounds it is the end."""
    with closing(sqlite3.connect(tmp_path / "pinwarden.db")) as database:
        database.execute("DROP TABLE caa_observation")
    settings = ObserverSettings(interval=timedelta(milliseconds=1))
    observer = world.observer(settings=settings)
    with pytest.raises(StoreError, match="no such table"):
        await asyncio.wait_for(observer.run(asyncio.Event()), 30)


async def _asked(world: World) -> None:
    async with asyncio.timeout(30):
        while not world.dns.queries:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)

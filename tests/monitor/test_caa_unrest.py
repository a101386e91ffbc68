"""What goes back and forth is told once, and not for ever."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

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
    SERVERS,
    SUBJECT,
    World,
    a_world,
)
from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.contract import CAAResolver


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_servers_that_disagree_are_no_change(world: World) -> None:
    """One answer and then another are told as that, until they agree."""
    await world.round()
    answers = iter([CA2, CA1])
    real = world.resolvers

    @asynccontextmanager
    async def flapping() -> AsyncIterator[Sequence[CAAResolver]]:
        world.publish(next(answers))
        async with real() as resolvers:
            yield resolvers

    world.clock.pass_by(hours=1)
    result = await world.observer(open_resolvers=flapping).round()
    assert (result.changed, result.alerts) == (0, 1)
    assert await world.told() == [SERVERS]
    await world.round()
    assert await world.told() == [SERVERS]
    assert [each.finding.id for each in await world.standing()] == [SERVERS[0]]
    await world.round(hours=24)
    assert await world.standing() == []
    # All of it is kept: a CA may have seen either.
    assert [each.records[0] for each in await world.store.observations(NAME)] == [
        '0 issue "ca1.example.net"',
        '0 issue "ca2.example.org"',
        '0 issue "ca1.example.net"',
        '0 issue "ca1.example.net"',
    ]


async def test_a_failure_that_changes_its_face(world: World) -> None:
    """SERVFAIL and a bogus answer in turn are two alerts, and not one a round."""
    await world.round()
    for number in range(12):
        world.dns.faults[NAME] = "servfail" if number % 2 else "bogus"
        await world.round()
    assert sorted(await world.told()) == sorted([FAILED, BOGUS])


@pytest.mark.parametrize("cached", [False, True])
async def test_servers_that_disagree_for_ever(world: World, cached: bool) -> None:
    """By turns, in one round or from round to round: a few alerts, and then quiet."""
    rng = random.Random(1)
    real = world.resolvers
    answer = CA1

    @asynccontextmanager
    async def by_turns() -> AsyncIterator[Sequence[CAAResolver]]:
        world.publish(answer if cached else rng.choice([CA1, CA2]))
        async with real() as resolvers:
            yield resolvers

    for number in range(100):
        answer = [CA1, CA2][number // 2 % 2]
        world.clock.pass_by(hours=1)
        await world.observer(open_resolvers=by_turns).round()
    told = await world.told()
    assert told.count(SERVERS) == 1
    assert len(told) <= 4
    # A policy that is neither is news at once.
    world.publish("")
    await world.round()
    assert len(await world.told()) == len(told) + 1
    assert (await world.told())[-1] == LOOSENED
    # And what it settles on is told, if it is not what was told last.
    world.publish(CA2)
    for _ in range(40):
        await world.round()
    assert (await world.told())[len(told) + 1 :] == [CHANGED]
    assert [each.finding.id for each in await world.standing()] == ["PW-CAA-CHANGED"]


async def test_a_change_under_way_is_told_at_once(world: World) -> None:
    """One server was late in the first round; that must not hush up the change."""
    await world.round()
    answers = iter([CA2, CA1])
    real = world.resolvers

    @asynccontextmanager
    async def lagging() -> AsyncIterator[Sequence[CAAResolver]]:
        world.publish(next(answers))
        async with real() as resolvers:
            yield resolvers

    world.clock.pass_by(hours=1)
    await world.observer(open_resolvers=lagging).round()
    world.publish(CA2)
    await world.round()
    assert await world.told() == [SERVERS, LOOSENED]
    world.publish(CA1)
    await world.round()
    assert (await world.told())[2:] == [LOOSENED]


async def test_a_signature_that_goes_and_comes(world: World) -> None:
    """Each loss is told once; a validation that fails in between hides nothing."""
    unsigned = ("PW-CAA-CHANGED", f"{SUBJECT}, DNSSEC")
    async with LabDNS({"shop.example": CA1}, "validating", secure=["shop.example"]) as dns:
        world.servers[0] = dns
        await world.round()
        dns.faults[NAME] = "bogus"
        await world.round()
        del dns.faults[NAME]
        await world.round()
        assert await world.told() == []
        for _ in range(3):
            dns.secure.clear()
            await world.round()
            dns.secure.add("shop.example")
            await world.round()
        assert await world.told() == [unsigned]
        await world.round(hours=25)
        assert await world.standing() == []
        dns.secure.clear()
        await world.round()
        assert await world.told() == [unsigned, unsigned]

"""Several resolvers, several watchers: a change is told once, whoever sees it first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from monitor.caa_world import (
    CA1,
    CA2,
    LOOSENED,
    NAME,
    RESOLVERS,
    World,
    a_world,
)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_two_watchers_of_one_store(world: World) -> None:
    """Both see the change in the same moment; people hear of it once."""
    await world.round()
    for zone in (CA2, CA1, CA2):
        world.publish(zone)
        world.clock.pass_by(hours=1)
        before = len(await world.told())
        await asyncio.gather(*(world.observer().round() for _ in range(3)))
        assert len(await world.told()) == before + 1


async def test_resolvers_that_disagree(world: World) -> None:
    """Two resolvers have two histories; a change is told once, when the first shows it."""
    world.servers.append(world.other)
    await world.round()
    world.publish(CA1 + CA2)
    await world.round()
    assert await world.told() == [LOOSENED], "the other one may have it in its cache"
    await world.round()
    assert await world.told() == [LOOSENED, RESOLVERS]
    world.publish(CA1 + CA2, server=1)
    await world.round()
    assert await world.told() == [LOOSENED, RESOLVERS]
    assert [each.finding.id for each in await world.standing()] == [LOOSENED[0]]
    seen = await world.store.observations(NAME)
    assert len({each.resolver for each in seen}) == 2
    world.servers[1].faults["*"] = "silent"
    assert (await world.round()).failed == 0
    world.publish("")
    await world.round()
    assert sorted(await world.told()) == sorted([LOOSENED, LOOSENED, RESOLVERS])


async def test_the_inner_view_does_not_excuse_the_outer(world: World) -> None:
    """Where two resolvers always differed, the stricter one that loosens is a change."""
    world.servers.append(world.other)
    world.publish("", server=1)
    await world.round()
    await world.round()
    assert await world.told() == [RESOLVERS]
    world.publish("")
    await world.round()
    assert await world.told() == [RESOLVERS, LOOSENED]


async def test_back_to_a_resolver_of_long_ago(world: World) -> None:
    """What it showed last is older than what another one showed since."""
    await world.round()
    first = world.servers[0]
    world.servers[0] = world.other
    world.publish(CA2)
    await world.round(hours=24)
    assert await world.told() == [LOOSENED]
    world.servers[0] = first
    world.publish(CA2)
    await world.round(hours=24)
    assert await world.told() == [LOOSENED]


async def test_another_resolver_in_the_configuration(world: World) -> None:
    """The baseline is what any resolver showed last."""
    await world.round()
    world.servers[0] = world.other
    world.publish(CA2)
    await world.round()
    assert await world.told() == [LOOSENED]


async def test_parents_count(world: World) -> None:
    """The relevant set of a name below is that of the name above."""
    world.names = ("www.shop.example", "shop.example")
    await world.round()
    world.publish(CA2)
    result = await world.round()
    assert (result.names, result.changed) == (2, 2)
    [before, _after] = await world.store.observations("www.shop.example")
    assert before.relevant_name == "shop.example"

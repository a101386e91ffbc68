"""What many names share is one alert."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.caa_world import (
    CA1,
    CA2,
    LOOKUPS,
    LOOSENED,
    NAME,
    World,
    a_world,
)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("fault", ["silent", "servfail", "refused"])
async def test_an_outage_of_all_is_one_alert(world: World, fault: Any) -> None:
    """If nothing at all can be asked, one alert says so, and none for each name."""
    world.names = tuple(f"host{number}.example" for number in range(9))
    await world.round()
    world.dns.faults["*"] = fault
    for _ in range(4):
        await world.round()
    assert await world.told() == [LOOKUPS]
    standing = await world.standing()
    assert len(standing) == 10
    [crowd] = [each for each in standing if each.finding.subject == LOOKUPS[1]]
    assert "none of 9 names can be looked up" in crowd.finding.message
    world.dns.faults.clear()
    await world.round()
    await world.round()
    assert await world.standing() == []
    # Names that fail each by themselves are told of each.
    for name in world.names[:2]:
        world.dns.faults[name] = "silent"
    await world.round()
    await world.round()
    assert len(await world.told()) == 3


async def test_most_names_fail_and_a_few_stay_broken(world: World) -> None:
    """A wave is one alert whatever else works; what it leaves behind is told of each."""
    world.names = tuple(f"host{number}.example" for number in range(30))
    await world.round()
    for name in world.names[:20]:
        world.dns.faults[name] = "servfail"
    await world.round()
    await world.round()
    assert await world.told() == [LOOKUPS]
    [alert] = await world.store.alerts()
    assert alert.alert.finding is not None
    assert "20 of 30 names cannot be looked up, such as host0.example," in (
        alert.alert.finding.message
    )
    # A second wave is not lost in the first.
    for name in world.names[20:]:
        world.dns.faults[name] = "servfail"
    await world.round()
    await world.round()
    assert await world.told() == [LOOKUPS, LOOKUPS]
    for name in world.names[2:]:
        del world.dns.faults[name]
    for _ in range(3):
        await world.round()
    left = [("PW-CAA-LOOKUP-FAILED", f"CAA of {name}") for name in world.names[:2]]
    assert sorted(await world.told()) == sorted([LOOKUPS, LOOKUPS, *left])
    assert {each.finding.subject for each in await world.standing()} == {each[1] for each in left}


async def test_one_set_is_one_alert(world: World) -> None:
    """Names below share the set above: one change of it, told with all their names."""
    world.names = (*(f"host{number}.shop.example" for number in range(30)), NAME)
    await world.round()
    world.publish(CA2)
    result = await world.round()
    assert (result.changed, result.alerts) == (31, 1)
    assert await world.told() == [LOOSENED]
    [alert] = await world.store.alerts()
    assert alert.alert.finding is not None
    assert alert.alert.finding.message.startswith("shop.example and 30 more names: 'ca2.example")
    # Each by itself is another change.
    world.dns.set_zone("host3.shop.example", CA1)
    await world.round()
    assert await world.told() == [LOOSENED, (LOOSENED[0], "CAA of host3.shop.example")]

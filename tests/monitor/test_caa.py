"""The observer, on a real store and a DNS server whose zone changes: what it tells, and when."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.receivers import Clock
from pinwarden.errors import StoreError
from pinwarden.lab.dns import LabDNS
from pinwarden.monitor.caa import CAAObserver, ObserverSettings, Round
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server
from pinwarden.store.contract import Store, StoredFinding
from pinwarden.store.store import open_store

NAME = "shop.example"
CA1 = '@ 300 IN CAA 0 issue "ca1.example.net"\n'
CA2 = '@ 300 IN CAA 0 issue "ca2.example.org"\n'
PATIENCE = timedelta(minutes=30)


@dataclass
class World:
    """A zone on loopback, an observer of names in it, and a clock that stands."""

    store: Store
    servers: list[LabDNS]
    other: LabDNS
    clock: Clock = field(default_factory=Clock)
    names: tuple[str, ...] = (NAME,)
    opened: int = 0

    @property
    def dns(self) -> LabDNS:
        return self.servers[0]

    def publish(self, text: str, server: int = 0) -> None:
        self.servers[server].set_zone("shop.example", text)

    def observer(self, **other: Any) -> CAAObserver:
        settings = ObserverSettings(confirm_after=timedelta(0), patience=PATIENCE, parallel=3)
        values: dict[str, Any] = {
            "store": self.store,
            "names": self.names,
            "open_resolvers": self.resolvers,
            "channels": ("mail",),
            "settings": settings,
            "clock": self.clock,
        }
        return CAAObserver(**(values | other))

    @asynccontextmanager
    async def resolvers(self) -> AsyncIterator[Sequence[CAAResolver]]:
        self.opened += 1
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    open_resolver(parse_server(f"127.0.0.1:{dns.port}"), timeout=0.2, attempts=1)
                )
                for dns in self.servers
            ]

    async def round(self, hours: float = 1.0) -> Round:
        """One round, as if by a process that has just been started."""
        self.clock.pass_by(hours=hours)
        return await self.observer().round()

    async def told(self) -> list[tuple[str, str]]:
        """Every alert until now: kind and subject of its finding."""
        stored = await self.store.alerts(limit=500)
        findings = [each.alert.finding for each in stored]
        return [(each.id, each.subject) for each in findings if each is not None]

    async def standing(self) -> list[StoredFinding]:
        return list(await self.store.findings(resolved=False))


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with (
        await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as store,
        LabDNS({"shop.example": CA1}, "resolver") as one,
        LabDNS({"shop.example": CA1}, "resolver") as other,
    ):
        yield World(store, [one], other)


SUBJECT = f"CAA of {NAME}"
CHANGED, LOOSENED = ("PW-CAA-CHANGED", SUBJECT), ("PW-CAA-LOOSENED", SUBJECT)
FAILED, BOGUS = ("PW-CAA-LOOKUP-FAILED", SUBJECT), ("PW-CAA-BOGUS", SUBJECT)
RESOLVERS, SERVERS = ("PW-CAA-RESOLVERS-DISAGREE", SUBJECT), ("PW-CAA-SERVERS-DISAGREE", SUBJECT)


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
    assert await world.standing() == []
    # All of it is kept: a CA may have seen either.
    assert [each.records[0] for each in await world.store.observations(NAME)] == [
        '0 issue "ca1.example.net"',
        '0 issue "ca2.example.org"',
        '0 issue "ca1.example.net"',
    ]


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
    assert (await world.round()).failed == 0
    assert await world.standing() == []
    assert await world.told() == [kind]
    seen = await world.store.observations(NAME)
    assert [each.failed for each in seen] == [False, True, False]


async def test_an_outage_of_all_is_one_alert(world: World) -> None:
    """If nothing at all can be asked, there is one finding, and none for each name."""
    world.names = tuple(f"host{number}.example" for number in range(9))
    await world.round()
    world.dns.faults["*"] = "silent"
    await world.round()
    await world.round()
    assert await world.told() == [("PW-CAA-LOOKUP-FAILED", "CAA lookups")]
    [standing] = await world.standing()
    assert "none of 9 names" in standing.finding.message
    world.dns.faults.clear()
    await world.round()
    assert await world.standing() == []
    # Names that fail each by themselves are told of each.
    for name in world.names[:2]:
        world.dns.faults[name] = "silent"
    await world.round()
    await world.round()
    assert len(await world.told()) == 3


async def test_resolvers_that_disagree(world: World) -> None:
    """Two resolvers have two histories; a change is told once, when the first shows it."""
    world.servers.append(world.other)
    await world.round()
    world.publish(CA1 + CA2)
    await world.round()
    assert sorted(await world.told()) == sorted([LOOSENED, RESOLVERS])
    world.publish(CA1 + CA2, server=1)
    await world.round()
    assert sorted(await world.told()) == sorted([LOOSENED, RESOLVERS])
    assert [each.finding.id for each in await world.standing()] == [LOOSENED[0]]
    seen = await world.store.observations(NAME)
    assert len({each.resolver for each in seen}) == 2
    world.servers[1].faults["*"] = "silent"
    assert (await world.round()).failed == 0
    world.publish("")
    await world.round()
    assert sorted(await world.told()) == sorted([LOOSENED, LOOSENED, RESOLVERS])


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

"""A zone on loopback that changes, and a store that remembers, for tests of the observer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.receivers import Clock
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


@asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    """A world with its store in a folder."""
    async with (
        await open_store(f"sqlite:///{folder / 'pinwarden.db'}") as store,
        LabDNS({"shop.example": CA1}, "resolver") as one,
        LabDNS({"shop.example": CA1}, "resolver") as other,
    ):
        yield World(store, [one], other)


SUBJECT = f"CAA of {NAME}"
CHANGED, LOOSENED = ("PW-CAA-CHANGED", SUBJECT), ("PW-CAA-LOOSENED", SUBJECT)
FAILED, BOGUS = ("PW-CAA-LOOKUP-FAILED", SUBJECT), ("PW-CAA-BOGUS", SUBJECT)
LOOKUPS = ("PW-CAA-LOOKUP-FAILED", "CAA lookups")
RESOLVERS, SERVERS = ("PW-CAA-RESOLVERS-DISAGREE", SUBJECT), ("PW-CAA-SERVERS-DISAGREE", SUBJECT)

"""The system's resolvers, one after the other; here they are servers of the lab."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from net.dns.asking import IMPATIENT, ZONES
from pinwarden.caa.lookup import DNSSECState, Failure, Outcome
from pinwarden.caa.message import Type
from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.server import parse_server
from pinwarden.net.dns.system import SystemResolver, open_system_resolver


def system(labs: Iterable[LabDNS]) -> SystemResolver:
    servers = [parse_server(f"127.0.0.1:{each.port}") for each in labs]
    return open_system_resolver(servers, timeout=IMPATIENT, attempts=1)


async def test_the_second_is_asked_when_the_first_is_silent() -> None:
    """And the first no more, while the second answers."""
    first, second = LabDNS(ZONES), LabDNS(ZONES)
    first.faults["*"] = "silent"
    async with first, second, system([first, second]) as asking:
        lookup = await asking.look_up("example.com")
        assert lookup.server == f"127.0.0.1:{second.port}"
        assert asking.description == f"127.0.0.1:{second.port} (udp)"
        names = [f"n{n}.example.com" for n in range(50)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
        assert (await asking.ask("example.com", Type.CAA)).rdata
    assert lookup.records
    assert {each.outcome for each in lookups} == {Outcome.NO_SUCH_NAME}
    assert len(first.queries) == 1


async def test_nobody_listens_at_the_first() -> None:
    first, second = LabDNS(ZONES), LabDNS(ZONES)
    async with first:
        pass
    async with second, system([first, second]) as asking:
        assert (await asking.ask("example.com", Type.CAA)).rdata
        assert (await asking.look_up("example.com")).records
    async with system([first]) as asking:
        with pytest.raises(AskError, match="Connection refused"):
            await asking.ask("example.com", Type.CAA)


@pytest.mark.parametrize("fault", ["bogus", "servfail", "refused", "garbage"])
async def test_an_answer_that_is_a_failure_is_one(fault: str) -> None:
    """The second may not validate: it must not be asked until somebody permits."""
    first, second = LabDNS(ZONES, "validating"), LabDNS(ZONES, "resolver")
    first.faults["example.com"] = fault
    async with first, second, system([first, second]) as asking:
        lookup = await asking.look_up("example.com")
    assert lookup.outcome == Outcome.FAILED
    assert (lookup.dnssec == DNSSECState.BOGUS) == (fault == "bogus")
    assert second.queries == []


async def test_all_are_silent() -> None:
    """The first says how."""
    labs = [LabDNS(ZONES), LabDNS(ZONES)]
    for each in labs:
        each.faults["*"] = "silent"
    async with labs[0], labs[1], system(labs) as asking:
        lookup = await asking.look_up("example.com")
        with pytest.raises(AskError, match="sent no answer"):
            await asking.ask("example.com", Type.CAA)
    assert lookup.failure == Failure.TIMEOUT
    assert lookup.server == f"127.0.0.1:{labs[0].port}"
    assert [each.asked("example.com") for each in labs] == [2, 2]

"""UDP, where anybody may send us something: forgers, loss, and servers that go away."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from net.dns.asking import IMPATIENT, PATIENT, ZONES, resolver
from net.dns.forger import answer_to, forging
from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server

TRUE = 'example.com 60 CAA 0 issue "ca.example"'
EVIL = 'example.com 60 CAA 0 issue "evil.example"'


async def asked(server: str, *, attempts: int = 1, patience: float = PATIENT) -> Lookup:
    address = parse_server(server)
    async with open_resolver(address, timeout=patience, attempts=attempts) as asking:
        return await asking.look_up("example.com")


def only(lookup: Lookup) -> bytes:
    (record,) = lookup.records
    return record.value


async def test_guesses_before_the_answer() -> None:
    """Other ids, however many, are passed over, and the answer that comes after is taken."""

    def guesses(query: bytes) -> list[bytes]:
        forged = answer_to(query, EVIL)
        others = [(int.from_bytes(query[:2], "big") + n) % 65536 for n in range(1, 300)]
        return [each.to_bytes(2, "big") + forged[2:] for each in others] + [answer_to(query, TRUE)]

    async with forging(guesses) as (server, _):
        assert only(await asked(server)) == b"ca.example"


@pytest.mark.parametrize("flags", ["RD", "QR RD", "0x2000"])
async def test_what_is_no_answer_by_its_header(flags: str) -> None:
    """A question sent back, an opcode: none is an empty answer, and none is waited for."""

    def odd(query: bytes) -> list[bytes]:
        wire = bytearray(answer_to(query, EVIL))
        wire[2] = {"RD": 0x01, "QR RD": 0xA1, "0x2000": 0x20}[flags]
        return [bytes(wire)]

    async with forging(odd) as (server, _):
        lookup = await asked(server)
    assert lookup.failure == Failure.MALFORMED
    assert "no answer by its header" in lookup.problem


async def test_from_another_port() -> None:
    """The right answer from where it was not asked is not heard at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        came: list[int] = []

        class Asked(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                came.append(addr[1])
                other.sendto(answer_to(data, EVIL), addr)

        loop = asyncio.get_running_loop()
        listening, _ = await loop.create_datagram_endpoint(Asked, local_addr=("127.0.0.1", 0))
        port = listening.get_extra_info("sockname")[1]
        lookup = await asked(f"127.0.0.1:{port}", patience=IMPATIENT)
        listening.close()
    assert came
    assert lookup.failure == Failure.TIMEOUT


async def test_the_same_answer_over_and_over() -> None:
    """What comes after the answer is nobody's, and does no harm to the next question."""

    def stutter(query: bytes) -> list[bytes]:
        return [answer_to(query, TRUE)] * 50

    async with forging(stutter) as (server, _), open_resolver(parse_server(server)) as asking:
        assert only(await asking.look_up("example.com")) == b"ca.example"
        lookups = await asyncio.gather(*map(asking.look_up, [f"n{n}.test" for n in range(30)]))
    assert {each.outcome for each in lookups} == {Outcome.NO_DATA}


async def test_packets_are_lost() -> None:
    """The first two questions about every other name: retries bring them all."""
    count: Counter[str] = Counter()

    def lossy(query: bytes) -> list[bytes]:
        name = name_of(query)
        count[name] += 1
        is_lost = int(name[1:-5]) % 2 and count[name] <= 2
        return [] if is_lost else [answer_to(query, TRUE.replace("example.com", name))]

    names = [f"n{n}.test" for n in range(1000)]
    async with (
        forging(lossy) as (server, _),
        open_resolver(parse_server(server), timeout=0.5, attempts=20, parallel=500) as asking,
    ):
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.outcome for each in lookups} == {Outcome.RECORDS}
    assert min(each.attempts for each in lookups[1::2]) == 3


def name_of(query: bytes) -> str:
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode())
        at += size + 1
    return ".".join(labels)


async def test_a_server_that_dies_in_the_middle() -> None:
    """The system says that nobody is there: every name that is left fails at once."""
    lab = LabDNS(ZONES)
    async with contextlib.AsyncExitStack() as stack:
        async with lab:
            asking = await stack.enter_async_context(resolver(lab))
            assert (await asking.look_up("example.com")).records
        names = [f"n{n}.example.com" for n in range(3000)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.failure for each in lookups} == {Failure.UNREACHABLE}
    assert {each.records for each in lookups} == {()}


async def test_a_server_that_falls_silent_in_the_middle() -> None:
    """A list is not waited for to its end, name by name; and when it is back, it is asked."""
    lab = LabDNS(ZONES)
    async with lab, resolver(lab, timeout=0.3, attempts=1) as asking:
        assert (await asking.look_up("example.com")).records
        lab.faults["*"] = "silent"
        before = len(lab.queries)
        lookups = await asyncio.gather(*map(asking.look_up, [f"n{n}.test" for n in range(6000)]))
        assert {each.failure for each in lookups} == {Failure.TIMEOUT}
        assert len(lab.queries) - before < 2500
        lab.faults.clear()
        assert (await asking.look_up("b.example.com")).records
        assert (await asking.look_up("www.example.com")).records
    assert any("any more" in each.problem for each in lookups)


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """As if this process had opened as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_no_more_sockets_to_be_had() -> None:
    """Those that are open do; a question fails only if there is none."""
    lab = LabDNS(ZONES)
    async with lab, resolver(lab) as asking:
        assert (await asking.look_up("example.com")).records
        with no_more_files():
            names = [f"n{n}.example.com" for n in range(3000)]
            lookups = await asyncio.gather(*map(asking.look_up, names))
        assert {each.outcome for each in lookups} == {Outcome.NO_SUCH_NAME}
    async with LabDNS(ZONES) as other, resolver(other) as asking:
        with no_more_files():
            lookup = await asking.look_up("example.com")
    assert lookup.failure == Failure.UNREACHABLE
    assert "Too many open files" in lookup.problem

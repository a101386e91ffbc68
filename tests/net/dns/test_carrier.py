"""The way to a server: without EDNS where it knows none, over TCP where UDP does not do."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from net.dns.asking import ZONES, resolver
from net.dns.forger import answer_to, forging, listening, message
from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.caa.message import build_query
from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.carrier import Carrier, without_edns
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import ServerAddress, Transport, parse_server

RECORD = 'example.com 60 CAA 0 issue "ca.example"'
# The upper octet of the response code 16 is in an OPT record.
BADVERS_OPT = b"\0\0\x29\x04\xd0\x01\0\0\0\0\0"


async def asked(server: str) -> Lookup:
    async with open_resolver(parse_server(server), timeout=5, attempts=1) as asking:
        return await asking.look_up("example.com")


def refusal(query: bytes, kind: str) -> bytes:
    """What a server sends that does not want an OPT record."""
    question = without_edns(query)[12:]
    ident = query[:2]
    match kind:
        case "FORMERR and no question":
            return ident + struct.pack(">HHHHH", 0x8001, 0, 0, 0, 0)
        case "FORMERR":
            return ident + struct.pack(">HHHHH", 0x8001, 1, 0, 0, 0) + question
        case "FORMERR and an echo of OPT":
            return ident + struct.pack(">HHHHH", 0x8001, 1, 0, 0, 1) + query[12:]
        case "NOTIMP":
            return ident + struct.pack(">HHHHH", 0x8004, 1, 0, 0, 0) + question
    return ident + struct.pack(">HHHHH", 0x8000, 1, 0, 0, 1) + question + BADVERS_OPT


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
@pytest.mark.parametrize(
    "kind",
    ["FORMERR and no question", "FORMERR", "FORMERR and an echo of OPT", "NOTIMP", "BADVERS"],
)
async def test_edns_is_not_wanted(kind: str, scheme: str) -> None:
    """RFC 6891 section 7: asked again without it, over whatever transport."""
    lab = LabDNS(ZONES)
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            wire = answered(await message(reader))
            writer.write(len(wire).to_bytes(2, "big") + wire)

    def answered(query: bytes) -> bytes:
        came.append(query)
        return refusal(query, kind) if query[11] else lab.answer(query, "udp") or b""

    if scheme == "udp":
        async with forging(lambda query: [answered(query)]) as (server, _):
            lookup = await asked(server)
    else:
        async with listening(serve) as server:
            lookup = await asked(server)
    assert (lookup.outcome, lookup.transport, lookup.attempts) == (Outcome.RECORDS, scheme, 1)
    assert [query[11] for query in came] == [1, 0]
    assert not came[1][3] & 0x20


async def test_formerr_to_everything() -> None:
    lab = LabDNS(ZONES)
    lab.faults["*"] = "formerr"
    async with lab, resolver(lab) as asking:
        lookup = await asking.look_up("example.com")
    assert (lookup.failure, lookup.rcode) == (Failure.OTHER_RCODE, "FORMERR")
    assert len(lab.queries) == 2


@pytest.mark.parametrize("answer", [(), (RECORD,)])
async def test_cut_short_and_no_tcp(answer: tuple[str, ...]) -> None:
    """With whatever records, TC is no answer: the rest could forbid what these permit."""

    def cut(query: bytes) -> list[bytes]:
        return [answer_to(query, *answer, flags="QR AA TC RD")]

    async with forging(cut) as (server, _):
        lookup = await asked(server)
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.UNREACHABLE)
    assert (lookup.records, lookup.rcode) == ((), None)
    assert lookup.problem.startswith(
        f"{server} cuts its answer short over UDP, and over TCP cannot be connected to: "
    )


async def test_larger_than_asked_for() -> None:
    """A server that knows better than our limit: what does not fit is asked for over TCP."""
    zone = "\n".join(f'@ 60 IN CAA 0 issue "ca{n}.example"' for n in range(1800))
    lab = LabDNS({"example.com": zone})
    lab_answer = lab.reply
    lab.reply = lambda wire, transport, port=0: lab_answer(wire, "tcp", port)  # type: ignore[method-assign]
    async with lab, resolver(lab) as asking:
        lookup = await asking.look_up("example.com")
    assert (len(lookup.records), lookup.transport) == (1800, "tcp")


async def test_64_kib() -> None:
    """As long as a message can be, over TCP."""
    text = "x" * 255
    zone = "\n".join(f'@ 60 IN CAA 0 z{n} "{text}"' for n in range(234))
    lab = LabDNS({"example.com": zone})
    async with lab, resolver(lab) as asking:
        lookup = await asking.look_up("example.com")
    assert (len(lookup.records), lookup.transport) == (234, "tcp")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_over_ipv6() -> None:
    lab = LabDNS(ZONES, host="::1")
    try:
        await lab.start()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    zone = "\n".join(f'@ 60 IN CAA 0 issue "ca{n}.example"' for n in range(1001))
    lab.set_zone("big.example", zone)
    try:
        async with open_resolver(ServerAddress(Transport.UDP, "::1", lab.port)) as asking:
            assert (await asking.look_up("example.com")).records
            assert (await asking.look_up("big.example")).transport == "tcp"
    finally:
        await lab.stop()


async def test_a_host_without_an_address() -> None:
    server = ServerAddress(Transport.UDP, "a" * 64, 53)
    carrier = Carrier(server, timeout=5, parallel=1, cafile=None)
    await carrier.open()
    async with open_resolver(server) as asking:
        lookup = await asking.look_up("example.com")
    await carrier.close()
    assert lookup.failure == Failure.UNREACHABLE
    assert "has no address" in lookup.problem


def test_the_question_without_edns() -> None:
    query = build_query(3, "example.com")
    assert without_edns(query) == build_query(3, "example.com", payload=0)

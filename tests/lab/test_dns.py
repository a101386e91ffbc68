"""The lab's DNS server answers as an authoritative server must, asked by dnspython."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from peers.programs import program
from pinwarden.lab.dns import LabDNS

ZONE = """
@            60 IN CAA 0 issue "ca.example.net; accounturi=https://ca.example.net/1"
@            60 IN CAA 0 iodef "mailto:security@example.com"
www          60 IN A 192.0.2.1
alias        60 IN CNAME www
far          60 IN CNAME www.example.org.
lost         60 IN CNAME nobody.example.org.
away         60 IN CNAME www.elsewhere.example.
loop         60 IN CNAME loop
deep.below   60 IN TXT "x"
*.wild       60 IN A 192.0.2.9
a.b.wild     60 IN A 192.0.2.8
old          60 IN DNAME www.example.org.
""" + "".join(f'many 60 IN CAA 0 issue "ca{i}.example.net"\n' for i in range(200))
OTHER = "www 60 IN A 192.0.2.2\nx.www 60 IN A 192.0.2.3\n"


@pytest.fixture
async def server() -> AsyncIterator[LabDNS]:
    async with LabDNS({"example.com": ZONE, "example.org": OTHER}) as running:
        yield running


async def ask(
    server: LabDNS, name: str, rdtype: str = "A", *, tcp: bool = False, payload: int = 1232
) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, use_edns=payload > 512, payload=payload)
    host, port = server.address
    if tcp:
        return await dns.asyncquery.tcp(query, host, port=port, timeout=5)
    return await dns.asyncquery.udp(query, host, port=port, timeout=5)


def texts(message: dns.message.Message) -> list[str]:
    return sorted(line for rrset in message.answer for line in rrset.to_text().split("\n"))


@pytest.mark.parametrize("tcp", [False, True])
async def test_caa_over_both_transports(server: LabDNS, *, tcp: bool) -> None:
    """The records of the zone must come whole, with the authority bit."""
    answer = await ask(server, "Example.COM", "CAA", tcp=tcp)
    assert answer.flags & dns.flags.AA
    assert [line.lower() for line in texts(answer)] == [
        'example.com. 60 in caa 0 iodef "mailto:security@example.com"',
        'example.com. 60 in caa 0 issue "ca.example.net; accounturi=https://ca.example.net/1"',
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alias.example.com", ["CNAME www.example.com.", "A 192.0.2.1"]),
        ("far.example.com", ["CNAME www.example.org.", "A 192.0.2.2"]),
        (
            "x.old.example.com",
            ["DNAME www.example.org.", "CNAME x.www.example.org.", "A 192.0.2.3"],
        ),
        ("q.wild.example.com", ["A 192.0.2.9"]),
        ("p.q.wild.example.com", ["A 192.0.2.9"]),
        ("away.example.com", ["CNAME www.elsewhere.example."]),
    ],
)
async def test_aliases_and_wildcards(server: LabDNS, name: str, expected: list[str]) -> None:
    """Chains of aliases must be followed as far as we are asked for, wildcards synthesised."""
    answer = await ask(server, name)
    assert answer.rcode() == dns.rcode.NOERROR
    assert [
        line.partition(" IN ")[2] for rr in answer.answer for line in [rr.to_text()]
    ] == expected


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode"),
    [
        ("nobody.example.com", "A", dns.rcode.NXDOMAIN),
        ("lost.example.com", "A", dns.rcode.NXDOMAIN),
        ("www.example.com", "CAA", dns.rcode.NOERROR),
        ("below.example.com", "CAA", dns.rcode.NOERROR),
        # RFC 4592: b.wild exists, so the wildcard above does not answer below it.
        ("c.b.wild.example.com", "A", dns.rcode.NXDOMAIN),
        ("b.wild.example.com", "A", dns.rcode.NOERROR),
    ],
)
async def test_negative_answers_carry_the_soa(
    server: LabDNS, name: str, rdtype: str, rcode: dns.rcode.Rcode
) -> None:
    """What is not there must be told apart from what has no such record (RFC 2308)."""
    answer = await ask(server, name, rdtype)
    assert answer.rcode() == rcode
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


async def test_foreign_zones_are_refused(server: LabDNS) -> None:
    """Outside its zones the server must not pretend to know."""
    answer = await ask(server, "www.elsewhere.example")
    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA


async def test_what_does_not_fit_is_truncated(server: LabDNS) -> None:
    """Over UDP a large set must come truncated and empty, over TCP whole."""
    short = await ask(server, "many.example.com", "CAA", payload=512)
    assert short.flags & dns.flags.TC
    assert not short.answer
    whole = await ask(server, "many.example.com", "CAA", tcp=True)
    assert len(texts(whole)) == 200


async def test_a_resolver_can_use_it(server: LabDNS) -> None:
    """Dnspython's stub resolver must find what is there, going over to TCP by itself."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [server.address[0]], server.port
    found = await resolver.resolve("many.example.com", "CAA")
    assert len(list(found)) == 200
    assert {query.transport for query in server.queries} == {"udp", "tcp"}


async def test_zones_can_change(server: LabDNS) -> None:
    """A new version of a zone must be answered from at once."""
    server.set_zone("example.com", '@ 60 IN CAA 0 issue ";"\n')
    assert texts(await ask(server, "example.com", "CAA")) == ['example.com. 60 IN CAA 0 issue ";"']
    assert (await ask(server, "www.example.com")).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("fault", "rcode"),
    [
        ("servfail", dns.rcode.SERVFAIL),
        ("refused", dns.rcode.REFUSED),
        ("nxdomain", dns.rcode.NXDOMAIN),
    ],
)
async def test_wrong_codes(server: LabDNS, fault: str, rcode: dns.rcode.Rcode) -> None:
    """A faulty name must answer with the code, its aliases too, and other names as ever."""
    server.faults["www.example.com"] = fault  # type: ignore[assignment]
    assert (await ask(server, "www.example.com")).rcode() == rcode
    assert (await ask(server, "alias.example.com")).rcode() == rcode
    assert (await ask(server, "below.example.com")).rcode() == dns.rcode.NOERROR


async def test_other_faults(server: LabDNS) -> None:
    """Silence, truncation of everything, a wrong number and noise must be what they are."""
    query = dns.message.make_query("www.example.com", "A")
    host, port = server.address
    server.faults["*"] = "silent"
    with pytest.raises(dns.exception.Timeout):
        await dns.asyncquery.udp(query, host, port=port, timeout=0.2)
    server.faults["*"] = "truncate"
    assert (await ask(server, "www.example.com")).flags & dns.flags.TC
    assert len(texts(await ask(server, "www.example.com", tcp=True))) == 1
    server.faults["*"] = "wrong-id"
    with pytest.raises(dns.query.BadResponse):
        await ask(server, "www.example.com")
    server.faults["*"] = "garbage"
    with pytest.raises(dns.exception.DNSException):
        await ask(server, "www.example.com")


@pytest.mark.parametrize("wire", [b"", b"x", bytes(12), b"\xff" * 40])
async def test_noise_does_not_kill_it(server: LabDNS, wire: bytes) -> None:
    """Whatever comes, the next question must be answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
        noisy.sendto(wire, server.address)
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(len(wire).to_bytes(2, "big") + wire)
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    assert (await ask(server, "www.example.com")).rcode() == dns.rcode.NOERROR


def test_in_a_thread() -> None:
    """A synchronous test must be able to ask."""
    with LabDNS({"example.com": ZONE}) as server:
        query = dns.message.make_query("www.example.com", "A")
        host, port = server.address
        assert dns.query.udp(query, host, port=port, timeout=5).answer
        assert dns.query.tcp(query, host, port=port, timeout=5).answer


@pytest.mark.peer
async def test_dig_agrees(server: LabDNS) -> None:
    """A foreign program must read the answers as we mean them."""
    dig = program("dig")
    process = await asyncio.create_subprocess_exec(
        *(dig, "@127.0.0.1", "-p", str(server.port), "+short", "alias.example.com", "A"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert output == b"www.example.com.\n192.0.2.1\n"

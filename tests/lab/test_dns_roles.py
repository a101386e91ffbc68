"""What the lab's DNS server pretends to be: any RDATA, resolvers that validate, TLS, HTTPS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import aiohttp
import dns.asyncquery
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from pinwarden.lab.ca import CA, pem
from pinwarden.lab.dns import Fault, LabDNS
from pinwarden.lab.tls import Credentials

ZONE = r"""
@        60 IN CAA 0 issue "ca.example.net"
odd      60 IN CAA 0 is-sue "a;b \007\"\\"   ; a tag with a hyphen
odd      60 IN CAA 255 "" ""
odd         IN 60 CAA \# 3 000569
odd      60 IN TYPE257 \# 0
alias    60 IN CNAME odd
first    60 IN CNAME second
second   60 IN CNAME @
loop     60 IN CNAME pool
pool     60 IN CNAME loop
child    60 IN NS ns.child
ns.child 60 IN A 127.0.0.2
"""


def question(name: str, kind: str = "CAA", *, cd: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=True)
    query.flags |= dns.flags.CD if cd else 0
    return query


def ask(server: LabDNS, name: str, kind: str = "CAA", *, cd: bool = False) -> dns.message.Message:
    """Ask without a socket."""
    wire = server.answer(question(name, kind, cd=cd).to_wire(), "udp")
    assert wire is not None
    return dns.message.from_wire(wire, continue_on_error=True)


def codes(message: dns.message.Message) -> list[int]:
    return [option.code for option in message.extended_errors()]


def test_octets_that_are_no_caa() -> None:
    """What dnspython itself would refuse to hold must go out as it was written."""
    wire = LabDNS({"example.com": ZONE}).answer(question("alias.example.com").to_wire(), "udp")
    assert wire is not None
    for rdata in (b'\x00\x06is-suea;b \x07"\\', b"\xff\x00", b"\x00\x05i"):
        assert b"\x01\x01\x00\x01\x00\x00\x00\x3c" + len(rdata).to_bytes(2, "big") + rdata in wire
    assert b"\x01\x01\x00\x01\x00\x00\x00\x3c\x00\x00" in wire


def test_a_delegation_is_referred_to() -> None:
    """Below a cut an authority must name the servers, with their addresses."""
    answer = ask(LabDNS({"example.com": ZONE}), "www.child.example.com")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert not answer.flags & dns.flags.AA
    assert [each.rdtype for each in answer.authority] == [dns.rdatatype.NS]
    assert [str(each[0]) for each in answer.additional] == ["127.0.0.2"]


@pytest.mark.parametrize(
    ("name", "rcode"),
    [
        ("example.com", dns.rcode.NOERROR),
        ("com", dns.rcode.NOERROR),
        ("org", dns.rcode.NXDOMAIN),
        ("www.child.example.com", dns.rcode.SERVFAIL),
        ("loop.example.com", dns.rcode.SERVFAIL),
    ],
)
def test_a_resolver_knows_the_world(name: str, rcode: dns.rcode.Rcode) -> None:
    """Nothing must be refused; what an authority leaves open must be an answer or a failure."""
    answer = ask(LabDNS({"example.com": ZONE}, "resolver"), name)
    assert answer.rcode() == rcode
    assert answer.flags & dns.flags.RA
    assert not answer.flags & (dns.flags.AA | dns.flags.AD)


def test_only_what_is_secure_is_authenticated() -> None:
    """AD must be for the root and for names that are secure with all their aliases."""
    zones = {"example.com": ZONE, "example.org": "to 60 IN CNAME example.com.\n"}
    server = LabDNS(zones, "validating", secure=["example.com"])

    def authenticated(name: str, kind: str = "CAA") -> bool:
        return bool(ask(server, name, kind).flags & dns.flags.AD)

    assert authenticated("first.example.com")
    assert authenticated("nobody.example.com")
    assert authenticated(".", "SOA")
    assert not authenticated("to.example.org")
    assert not authenticated("example.org")
    plain = dns.message.make_query("example.com", "CAA", flags=dns.flags.RD)
    wire = server.answer(plain.to_wire(), "udp")
    assert wire is not None
    assert not dns.message.from_wire(wire).flags & dns.flags.AD


def test_bogus_is_shown_to_whoever_checks_for_himself() -> None:
    """SERVFAIL must say why, and CD must bring the answer, without AD."""
    server = LabDNS({"example.com": ZONE}, "validating", secure=["."])
    server.faults["second.example.com"] = "bogus"
    refused = ask(server, "first.example.com")
    assert (refused.rcode(), refused.answer, codes(refused)) == (dns.rcode.SERVFAIL, [], [6])
    server.extended_errors["second.example.com"] = [(7, "expired \x1b[31m")]
    assert codes(ask(server, "first.example.com")) == [7]
    shown = ask(server, "first.example.com", cd=True)
    assert (shown.rcode(), codes(shown)) == (dns.rcode.NOERROR, [])
    assert not shown.flags & dns.flags.AD
    assert len(shown.answer) == 3


def test_faults_in_turn_and_by_type() -> None:
    """A list of faults must be used up, and a fault of one type must leave the others."""
    server = LabDNS({"example.com": ZONE})
    server.faults["example.com CAA"] = ["servfail", None, "notimp"]
    seen = [ask(server, "second.example.com").rcode() for _ in range(4)]
    assert seen == [dns.rcode.SERVFAIL, dns.rcode.NOERROR, dns.rcode.NOTIMP, dns.rcode.NOERROR]
    assert server.asked("Second.Example.com.") == 4
    server.faults["example.com CAA"] = "formerr"
    assert ask(server, "example.com").rcode() == dns.rcode.FORMERR
    assert ask(server, "example.com", "NS").rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("fault", ["cut", "wrong-question", "truncate-always"])
def test_messages_that_are_no_answer(fault: Fault) -> None:
    """What comes must be unlike the answer in just the way that was asked for."""
    server = LabDNS({"example.com": ZONE})
    asked = question("example.com")
    honest = server.answer(asked.to_wire(), "tcp")
    server.faults["*"] = fault
    wire = server.answer(asked.to_wire(), "tcp")
    assert honest is not None
    assert wire is not None
    if fault == "cut":
        assert honest.startswith(wire)
        assert wire != honest
    elif fault == "wrong-question":
        assert not asked.is_response(dns.message.from_wire(wire))
    else:
        assert dns.message.from_wire(wire).flags & dns.flags.TC


def test_answers_out_of_order_and_rewritten() -> None:
    """An answer's records may come shuffled; its octets may be anything."""
    server = LabDNS({"example.com": ZONE})
    server.shuffled = True
    orders = {
        tuple(each.name.to_text() for each in ask(server, "first.example.com").answer)
        for _ in range(60)
    }
    assert len(orders) > 1
    server.rewrite = lambda name, wire: name.encode() + wire
    wire = server.answer(question("First.example.com").to_wire(), "udp")
    assert wire is not None
    assert wire.startswith(b"first.example.com")


async def test_a_slow_answer_holds_up_no_other() -> None:
    """On one stream the second question must be answered while the first waits."""
    async with LabDNS({"example.com": ZONE}) as server:
        server.delays["example.com"] = 0.2
        reader, writer = await asyncio.open_connection(*server.address)
        for number, name in enumerate(("example.com", "odd.example.com"), 1):
            query = question(name)
            query.id = number
            writer.write(len(query.to_wire()).to_bytes(2, "big") + query.to_wire())
        order = []
        for _ in range(2):
            size = int.from_bytes(await reader.readexactly(2), "big")
            order.append(int.from_bytes((await reader.readexactly(size))[:2], "big"))
        writer.close()
        await writer.wait_closed()
    assert order == [2, 1]
    assert server.connections == {"tcp": 1}


@pytest.fixture(scope="module")
def authority() -> CA:
    return CA("DNS CA")


@pytest.fixture
async def secure(authority: CA) -> AsyncIterator[LabDNS]:
    credentials = Credentials.of(authority.issue(["dns.example"]))
    async with LabDNS({"example.com": ZONE}, "resolver", credentials=credentials) as running:
        yield running


@pytest.fixture
def trusting(authority: CA) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=pem([authority.root]).decode())


async def test_dns_over_tls(secure: LabDNS, trusting: ssl.SSLContext) -> None:
    """A foreign client that verifies the certificate must be answered (RFC 7858)."""
    answer = await dns.asyncquery.tls(
        question("example.com"),
        secure.host,
        port=secure.tls_port,
        ssl_context=trusting,
        server_hostname="dns.example",
        timeout=5,
    )
    assert len(answer.answer) == 1
    assert secure.queries[-1].transport == "tls"


@pytest.fixture
async def client(trusting: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    trusting.check_hostname = False
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session:
        yield session


async def test_dns_over_https(secure: LabDNS, client: aiohttp.ClientSession) -> None:
    """POST and GET must both be answered as RFC 8484 says, and nothing else."""
    query = question("example.com")
    kind = {"Content-Type": "application/dns-message"}
    async with client.post(secure.doh_url, data=query.to_wire(), headers=kind) as response:
        assert response.content_type == "application/dns-message"
        assert len(dns.message.from_wire(await response.read()).answer) == 1
    async with client.get(f"{secure.doh_url}?dns=AAABAAABAAAAAAAAA2NvbQAAAQAB") as response:
        assert dns.message.from_wire(await response.read()).id == 0
    for wrong in ("", "?dns=A", "?dns=%20"):
        async with client.get(secure.doh_url + wrong) as response:
            assert response.status == 400
    async with client.post(secure.doh_url, data=query.to_wire()) as response:
        assert response.status == 400
    assert [each.transport for each in secure.queries] == ["https"] * 2
    assert secure.doh.methods == ["POST", *["GET"] * 4, "POST"]


async def test_dns_over_https_goes_wrong(secure: LabDNS, client: aiohttp.ClientSession) -> None:
    """Codes, types, lengths and silence must be what was asked for."""
    asked = f"{secure.doh_url}?dns=AAABAAABAAAAAAAAA2NvbQAAAQAB"
    for manner, status, kind, length in (
        ("wrong-type", 200, "text/html", 21 + 55),
        ("too-long", 200, "application/dns-message", 2**20),
        ("empty", 200, "application/dns-message", 0),
        ("redirect", 302, "application/octet-stream", 0),
    ):
        secure.doh.manner = manner  # type: ignore[assignment]
        async with client.get(asked, allow_redirects=False) as response:
            body = await response.read()
            seen = (response.status, response.content_type, len(body))
        assert seen[:2] == (status, kind)
        assert manner == "wrong-type" or seen[2] == length
    secure.doh.manner, secure.doh.status = "honest", 503
    async with client.get(asked) as response:
        assert response.status == 503
    secure.doh.manner, secure.doh.status = "silent", 200
    with pytest.raises(TimeoutError):
        async with client.get(asked, timeout=aiohttp.ClientTimeout(total=0.2)):
            pass

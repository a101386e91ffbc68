"""Every name server of a zone, asked itself."""

from __future__ import annotations

import pytest

from net.dns.asking import IMPATIENT, ZONES, resolver
from pinwarden.errors import MalformedError, OutsideError
from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.authority import (
    MOST_SERVERS,
    NameServer,
    ask_servers,
    find_authority,
    given_server,
    same_everywhere,
)

SERVED = """
$TTL 300
@    SOA ns1 hostmaster 1 2 3 4 5
@    NS ns1
@    NS ns2.example.net.
ns1  A 127.0.0.1
ns1  AAAA ::1
www  CNAME elsewhere.example.net.
@    CAA 0 issue "ca.example"
"""
WORLD = {"example.com": SERVED, "example.net": "ns2 60 IN A 127.0.0.3\nelsewhere 60 IN NS x"}
ISSUE = b"\x00\x05issueca.example"


@pytest.mark.parametrize("name", ["example.com", "www.example.com", "not.there.example.com"])
async def test_servers_of_a_name(name: str) -> None:
    """From the name, its alias or a name that is not there: always the zone that holds it."""
    lab = LabDNS(WORLD, "resolver")
    async with lab, resolver(lab) as asking:
        found = await find_authority(name, asking, port=5300)
    assert found.zone == "example.com"
    assert sorted(map(str, found.servers)) == [
        "ns1.example.com (127.0.0.1:5300)",
        "ns1.example.com ([::1]:5300)",
        "ns2.example.net (127.0.0.3:5300)",
    ]
    assert found.problems == ()


async def test_a_server_without_an_address() -> None:
    """Nor is it passed over in silence that a server may have more addresses."""
    zones = {"example.com": SERVED, "example.net": "@ 60 IN A 127.0.0.3"}
    lab = LabDNS(zones, "resolver")
    lab.faults["ns1.example.com AAAA"] = "servfail"
    async with lab, resolver(lab) as asking:
        found = await find_authority("example.com", asking)
    assert [each.name for each in found.servers] == ["ns1.example.com"]
    assert sorted(found.problems) == [
        (
            f"name server 'ns1.example.com': AAAA address not found: 127.0.0.1:{lab.port} (udp) "
            "answered SERVFAIL to a question about 'ns1.example.com'"
        ),
        "name server 'ns2.example.net': has no address",
    ]


async def test_a_resolver_that_cannot_say() -> None:
    lab = LabDNS(WORLD, "resolver")
    lab.faults["example.com NS"] = "servfail"
    async with lab, resolver(lab) as asking:
        with pytest.raises(OutsideError, match="answered SERVFAIL to a question about 'example"):
            await find_authority("x.example.com", asking)
    async with resolver(lab) as asking:
        with pytest.raises(OutsideError, match="Connection refused"):
            await find_authority("www.example.com", asking)


async def test_no_servers_anywhere() -> None:
    lab = LabDNS({}, "resolver")
    async with lab, resolver(lab) as asking:
        with pytest.raises(OutsideError, match="no name servers found"):
            await find_authority("www.example.com", asking)
        with pytest.raises(MalformedError, match="empty label"):
            await find_authority("www..example.com", asking)


async def test_more_servers_than_anybody_needs() -> None:
    """A zone cannot make us ask hundreds of servers."""
    zone = "@ 60 IN SOA a b 1 2 3 4 5\n" + "\n".join(
        f"@ 60 IN NS ns{n}\nns{n} 60 IN A 192.0.2.{n % 250 + 1}" for n in range(100)
    )
    lab = LabDNS({"example.com": zone}, "resolver")
    async with lab, resolver(lab) as asking:
        found = await find_authority("example.com", asking)
    assert len(found.servers) == MOST_SERVERS
    assert found.problems == ("zone 'example.com': only 32 of 100 servers asked",)


async def test_what_servers_say() -> None:
    """In the order given, octet for octet; what says nothing about the zone is a problem."""
    good, other = LabDNS({"example.com": SERVED}), LabDNS({"example.com": SERVED + "x A 192.0.2.1"})
    cache, dead = LabDNS({"example.com": SERVED}, "resolver"), LabDNS(ZONES)
    lame = LabDNS({"example.org": "@ 60 IN A 192.0.2.1"})
    dead.faults["*"] = "silent"
    async with good, other, cache, dead, lame:
        servers = [
            given_server(f"127.0.0.1:{each.port}") for each in (good, other, cache, dead, lame)
        ]
        answers = await ask_servers("example.com", servers, patience=IMPATIENT, attempts=1)
    assert [each.server for each in answers] == servers
    assert answers[0].records == answers[1].records == (ISSUE,)
    assert (answers[0].ttl, answers[0].rcode) == (300, "NOERROR")
    assert [each.problem for each in answers] == [
        "",
        "",
        "does not answer with authority for this name",
        "sent no answer within 0.2 s",
        "answered REFUSED",
    ]
    assert all(not query.name.startswith("ns") for query in good.queries)


async def test_an_alias_where_records_should_be() -> None:
    lab = LabDNS({"example.com": SERVED})
    async with lab:
        server = NameServer("ns1.example.com", given_server(f"127.0.0.1:{lab.port}").address)
        (answer,) = await ask_servers("www.example.com", [server])
    assert (answer.records, answer.aliases) == ((), ("elsewhere.example.net",))
    assert answer.problem == ""


async def test_the_same_everywhere() -> None:
    """In whatever order each sends them; who did not answer has no say."""
    changed = SERVED.replace("ca.example", "ca.example;")
    one, two, three = (LabDNS({"example.com": text}) for text in (SERVED, SERVED, changed))
    three.faults["*"] = "refused"
    async with one, two, three:
        servers = [given_server(f"127.0.0.1:{each.port}") for each in (one, two, three)]
        assert same_everywhere(await ask_servers("example.com", servers))
        three.faults.clear()
        assert not same_everywhere(await ask_servers("example.com", servers))
    assert same_everywhere([])

"""The next renewal: every name of the certificate, as the CA would ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pinwarden.audit.report import Area, AuditReport
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server
from support.audit_world import CA_DOMAIN, HOST, ZONE, audit_world, ids

_OURS = f'0 issue "{CA_DOMAIN}"'


def _zone(*lines: str) -> str:
    return "$TTL 300\n" + "\n".join(lines)


def _audit(zone: str, names: Sequence[str] = (HOST,), host: str = HOST, **more: Any) -> AuditReport:
    world = audit_world()
    chain = Credentials.of(world.issue(names))
    with world.dns(zone) as dns, LabTLS(chain) as server:
        return asyncio.run(world.audit(server.port, dns, host=host, **more))


def _not_checked(report: AuditReport, area: Area = Area.CAA) -> str:
    (found,) = [each for each in report.not_checked if each.area is area]
    assert found.failed
    return found.why


def test_a_wildcard_is_judged_by_issuewild() -> None:
    """The certificate covers the host by a name whose renewal CAA forbids."""
    zone = _zone(f"@ IN CAA {_OURS}", '@ IN CAA 0 issuewild ";"')
    report = _audit(zone, [f"*.{ZONE}"])
    assert ids(report) == ["PW-AUDIT-RENEWAL-REFUSED"]
    assert f"*.{ZONE}" in report.found[0].message
    assert _audit(zone).found == ()


def test_every_name_must_pass() -> None:
    """One that another CA was given is enough for the renewal to fail; it alone is named."""
    zone = _zone(f"@ IN CAA {_OURS}", 'shop IN CAA 0 issue "another-ca.example"')
    report = _audit(zone, [HOST, f"shop.{ZONE}", ZONE])
    assert ids(report) == ["PW-AUDIT-RENEWAL-REFUSED"]
    assert f"for shop.{ZONE}:" in report.found[0].message
    assert report.caa is not None
    assert report.caa.verdict == "allowed"


def test_the_host_by_its_own_name_comes_before_a_wildcard() -> None:
    """What governs the host is told, not what governs its neighbours."""
    zone = _zone(f"@ IN CAA {_OURS}", f"www IN CAA {_OURS}")
    report = _audit(zone, [f"*.{ZONE}", HOST])
    assert report.caa is not None
    assert report.caa.relevant_name == HOST


def test_without_records_any_ca_may_issue() -> None:
    """Also one that nobody knows."""
    report = _audit("", ca_domains=())
    assert report.found == ()
    (passed,) = [each.message for each in report.passed if each.area is Area.CAA]
    assert "any CA" in passed


def test_a_ca_that_is_not_known_cannot_be_judged() -> None:
    """It is not called refused, and not passed either."""
    report = _audit(_zone(f"@ IN CAA {_OURS}"), ca_domains=())
    assert report.found == ()
    assert "--ca" in _not_checked(report)
    assert not report.finished


def test_a_policy_that_permits_nobody_refuses_a_ca_that_is_not_known_too() -> None:
    """Whoever it is."""
    report = _audit(_zone('@ IN CAA 0 issue ";"'), ca_domains=())
    assert ids(report) == ["PW-AUDIT-RENEWAL-REFUSED"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("servfail", "PW-CAA-LOOKUP-FAILED"), ("bogus", "PW-CAA-BOGUS")],
)
def test_a_lookup_that_fails_is_one_finding(fault: str, expected: str) -> None:
    """No CA issues then; the resolver is not called down, for it answers."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain()) as server:
        dns.faults[HOST] = fault  # type: ignore[assignment]
        report = asyncio.run(world.audit(server.port, dns))
    assert ids(report) == [expected]


def test_silence_about_one_zone_is_not_a_resolver_that_is_down() -> None:
    """The zone's servers do not answer, and the resolver does."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain()) as server:
        dns.faults[HOST] = "silent"
        report = asyncio.run(world.audit(server.port, dns, patience=0.3))
    assert ids(report) == ["PW-CAA-LOOKUP-FAILED"]


def test_resolvers_that_disagree_are_one_finding() -> None:
    """The least favourable answer counts besides."""
    world = audit_world()

    async def audit(first: LabDNS, second: LabDNS, port: int) -> AuditReport:
        server = parse_server(f"127.0.0.1:{second.port}")
        async with world.sources(first) as sources, open_resolver(server) as resolver:
            both = (*sources.resolvers, resolver)
            return await world.audit(port, None, resolvers=both)

    with (
        world.dns() as first,
        world.dns('@ 300 IN CAA 0 issue "another-ca.example"') as second,
        LabTLS(world.chain()) as server,
    ):
        report = asyncio.run(audit(first, second, server.port))
    assert ids(report) == ["PW-AUDIT-RENEWAL-REFUSED", "PW-CAA-RESOLVERS-DISAGREE"]


def test_an_address_has_no_caa() -> None:
    """The names beside it in the certificate have."""
    world = audit_world()
    chain = Credentials.of(world.issue([], ips=["127.0.0.1"], cn="nobody"))
    with world.dns() as dns, LabTLS(chain) as server:
        report = asyncio.run(world.audit(server.port, dns, host="127.0.0.1"))
    assert ids(report) == []
    (caa,) = [each for each in report.not_checked if each.area is Area.CAA]
    assert not caa.failed


def test_names_beyond_the_bound_are_said_not_to_be_checked() -> None:
    """Nobody can make an audit ask for ever."""
    names = [HOST, *(f"a{number}.{ZONE}" for number in range(300))]
    report = _audit(_zone(f"@ IN CAA {_OURS}"), names)
    assert report.found == ()
    assert "45 more names" in _not_checked(report)


def test_names_of_many_labels_do_not_make_a_flood_of_questions() -> None:
    """Every label is one; the certificate of a hostile host chooses them."""
    long = ".".join("x" * 50)
    names = [HOST, *(f"a{number}.{long}.b{number}.{ZONE}" for number in range(200))]
    world = audit_world()
    chain = Credentials.of(world.issue(names))
    with world.dns() as dns, LabTLS(chain) as server:
        report = asyncio.run(world.audit(server.port, dns))
        assert len(dns.queries) < 2300
    assert "more names" in _not_checked(report)


def test_a_certificate_signed_by_itself_is_renewed_by_no_ca() -> None:
    """CAA has nothing to say about it."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain("self-signed")) as server:
        report = asyncio.run(world.audit(server.port, dns))
    (caa,) = [each for each in report.not_checked if each.area is Area.CAA]
    assert not caa.failed

"""Hosts of which the addresses are not alike, and audits of many hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pinwarden.audit.report import Area, AuditReport
from pinwarden.audit.run import AuditTarget, audit_host, audit_hosts
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import LabTLS
from support.audit_world import audit_world, ids, target
from support.broken_servers import broken_server, closed_port


@pytest.fixture(scope="module")
def dns() -> Iterator[LabDNS]:
    """A resolver that validates; CAA permits the CA."""
    with audit_world().dns() as server:
        yield server


def _audit(place: AuditTarget, dns: LabDNS) -> AuditReport:
    async def audit() -> AuditReport:
        async with audit_world().sources(dns) as sources:
            return await audit_host(place, sources)

    return asyncio.run(audit())


def test_addresses_that_serve_different_certificates_disagree(dns: LabDNS) -> None:
    """Two certificates, each in order, are one finding; both are in the report."""
    world = audit_world()
    with LabTLS(world.chain()) as one, LabTLS(world.chain()) as other:
        report = _audit(target(one.port, other.port), dns)
    assert ids(report) == ["PW-TLS-ADDRESSES-DISAGREE"]
    assert len(report.chains) == 2
    assert len(report.addresses) == 2


def test_a_fault_at_one_address_names_it_and_is_no_disagreement_besides(dns: LabDNS) -> None:
    """One machine missed the renewal."""
    world = audit_world()
    with LabTLS(world.chain()) as one, LabTLS(world.chain("expired")) as other:
        report = _audit(target(other.port, one.port), dns)
    assert ids(report) == ["PW-TLS-EXPIRED"]
    assert str(other.port) in report.found[0].message
    assert str(one.port) not in report.found[0].message
    assert report.chains[0].verified


def test_one_closed_port_of_two_leaves_the_rest_to_be_checked(dns: LabDNS) -> None:
    """The address is named, and nothing is missing from the other checks."""
    closed = closed_port()
    with LabTLS(audit_world().chain()) as server:
        report = _audit(target(closed, server.port), dns)
    assert ids(report) == ["PW-TLS-UNREACHABLE"]
    assert str(closed) in report.found[0].message
    assert {each.area for each in report.passed} >= {Area.CHAIN, Area.SCTS, Area.CAA}
    assert report.finished


def test_a_fault_at_every_address_is_told_once(dns: LabDNS) -> None:
    """However many addresses there are."""
    chain = audit_world().chain("wrong-name")
    with LabTLS(chain) as one, LabTLS(chain) as other:
        report = _audit(target(one.port, other.port), dns)
    assert ids(report) == ["PW-TLS-WRONG-NAME"]


def test_reports_come_in_the_order_of_the_hosts(dns: LabDNS) -> None:
    """Also when the first of them takes the longest."""
    world = audit_world()

    async def audit() -> tuple[list[str], int]:
        done = 0

        def on_done() -> None:
            nonlocal done
            done += 1

        async with world.sources(dns, patience=0.5) as sources:
            audits = audit_hosts(
                [target(silent), *(target(server.port) for _ in range(40))],
                sources,
                parallel=4,
                on_done=on_done,
            )
            return [(ids(each) or ["none"])[0] async for each in audits], done

    with broken_server("silence") as silent, LabTLS(world.chain()) as server:
        found, done = asyncio.run(audit())
    assert found == ["PW-TLS-TIMEOUT", *["none"] * 40]
    assert done == 41


def test_audits_that_nobody_waits_for_any_more_end(dns: LabDNS) -> None:
    """Leaving the loop early leaves no task behind."""
    world = audit_world()

    async def audit() -> int:
        async with world.sources(dns) as sources:
            audits = audit_hosts([target(server.port) for _ in range(20)], sources, parallel=2)
            async for _ in audits:
                break
            await audits.aclose()  # type: ignore[attr-defined]
        return len(asyncio.all_tasks()) - 1

    with LabTLS(world.chain()) as server:
        assert asyncio.run(audit()) == 0


def test_an_ignored_finding_is_said_to_be_ignored(dns: LabDNS) -> None:
    """It is neither found nor passed."""
    world = audit_world()

    async def audit() -> AuditReport:
        async with world.sources(dns) as sources:
            place = target(server.port)
            return await audit_host(place, sources, ignored={"PW-TLS-EXPIRES-SOON"})

    with LabTLS(world.chain("ends-soon")) as server:
        report = asyncio.run(audit())
    assert ids(report) == []
    (ignored,) = [each for each in report.not_checked if each.check == "PW-TLS-EXPIRES-SOON"]
    assert ignored.area is Area.CHAIN
    assert not ignored.failed

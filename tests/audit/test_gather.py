"""Facts are gathered within their time, and what came beside the chain is among them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.audit.gather import Limits
from pinwarden.audit.report import Area, AuditReport
from pinwarden.audit.run import audit_hosts
from pinwarden.ct.presented import SCTStatus
from pinwarden.ct.sct import SCTSource
from pinwarden.lab.ca import CA
from pinwarden.lab.tls import Credentials, LabTLS
from support.audit_world import CA_DOMAIN, HOST, audit_world, ids, target
from support.broken_servers import broken_server
from support.handing_servers import encoded_list, handing_server, ocsp_answer
from support.ocsp_answers import refusal


def test_all_the_asking_together_has_a_limit() -> None:
    """However patient the asker is with each address."""
    world = audit_world()
    with world.dns() as dns, broken_server("silence") as port:
        report = asyncio.run(world.audit(port, dns, limits=Limits(asking=0.2)))
    assert ids(report) == ["PW-TLS-TIMEOUT"]


def test_all_the_names_together_have_a_limit() -> None:
    """A resolver that is slow costs CAA and DNSSEC, and nothing else."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain()) as server:
        dns.delays["*"] = 1.0
        report = asyncio.run(world.audit(server.port, dns, limits=Limits(names=0.2)))
    assert ids(report) == []
    assert {each.area for each in report.not_checked if each.failed} == {Area.CAA, Area.DNSSEC}


def test_a_resolver_found_down_is_not_asked_for_the_next_host() -> None:
    """Each of a thousand hosts would wait for it."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain()) as server:
        dns.faults["*"] = "silent"

        async def audit() -> list[AuditReport]:
            async with world.sources(dns, patience=0.3) as sources:
                places = [target(server.port), target(server.port)]
                return [each async for each in audit_hosts(places, sources, parallel=1)]

        first, second = asyncio.run(audit())
    assert ids(first) == ids(second) == ["PW-AUDIT-RESOLVER-DOWN"]
    assert dns.asked(HOST) == 2


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_scts_beside_the_chain_count(version: str) -> None:
    """A certificate that has none in it, from a server that hands them over."""
    world = audit_world()
    issued = world.ca.issue([HOST])
    scts = [log.add_chain(issued.certificate_chain) for log in (world.first, world.second)]
    handed = encoded_list(scts)
    with (
        world.dns() as dns,
        handing_server(Credentials.of(issued), sct_list=handed, version=version) as port,
    ):
        report = asyncio.run(world.audit(port, dns))
    assert ids(report) == []
    assert {each.source for each in report.scts} == {SCTSource.TLS}
    assert [each.compliant for each in report.policies] == [True, True, True]


def test_a_certificate_that_its_own_server_calls_revoked() -> None:
    """The stapled OCSP response says so."""
    world = audit_world()
    issued = world.issue()
    staple = ocsp_answer(world.ca, issued.certificate, status="revoked")
    with world.dns() as dns, handing_server(Credentials.of(issued), ocsp=staple) as port:
        report = asyncio.run(world.audit(port, dns))
    assert ids(report) == ["PW-TLS-REVOKED"]


def _forged(answer: bytes) -> bytes:
    return answer[:-1] + bytes([answer[-1] ^ 1])


_LAST_MONTH = datetime.now(UTC) - timedelta(days=30)


@pytest.mark.parametrize(
    ("staple", "words"),
    [
        pytest.param(
            lambda ca, leaf: _forged(ocsp_answer(ca, leaf, status="revoked")),
            "its responder did not sign it",
            id="forged",
        ),
        pytest.param(
            lambda ca, leaf: ocsp_answer(ca, leaf, at=_LAST_MONTH),
            "is out of date since",
            id="old",
        ),
        pytest.param(
            lambda ca, leaf: ocsp_answer(ca, leaf, serial=5),
            "is about another certificate",
            id="another certificate",
        ),
        pytest.param(
            lambda ca, leaf: ocsp_answer(audit_world().stranger, leaf),
            "is about a certificate of another issuer",
            id="another CA",
        ),
        pytest.param(lambda ca, leaf: refusal(3), "is a refusal: try later", id="refusal"),
    ],
)
def test_a_stapled_response_that_counts_for_nothing_is_the_one_finding(
    staple: Callable[[CA, bytes], bytes], words: str
) -> None:
    """Whoever stands for the server may staple anything: that says nothing, and is told."""
    world = audit_world()
    issued = world.issue()
    ocsp = staple(world.ca, issued.certificate)
    with world.dns() as dns, handing_server(Credentials.of(issued), ocsp=ocsp) as port:
        report = asyncio.run(world.audit(port, dns))
    assert ids(report) == ["PW-TLS-STAPLE-INVALID"]
    assert f"stapled OCSP response: {words}" in report.found[0].message
    (told,) = [each for each in report.not_checked if each.check == "revocation"]
    assert words in told.why
    assert [each.compliant for each in report.policies] == [True, True, True]


def test_scts_of_a_forged_staple_meet_no_policy() -> None:
    """Apple and Firefox take SCTs by OCSP, but nobody knows what they make of this response."""
    world = audit_world()
    issued = world.issue(logs=())
    scts = [log.add_chain(issued.certificate_chain) for log in (world.first, world.second)]
    good = ocsp_answer(world.ca, issued.certificate, sct_list=encoded_list(scts))
    reports = []
    for ocsp in (good, _forged(good)):
        with world.dns() as dns, handing_server(Credentials.of(issued), ocsp=ocsp) as port:
            reports.append(asyncio.run(world.audit(port, dns)))
    proper, forged = reports
    assert [each.compliant for each in proper.policies] == [False, True, True]
    assert [each.compliant for each in forged.policies] == [False, None, None]
    assert {each.status for each in forged.scts} == {SCTStatus.VALID}
    # Chrome takes none by OCSP, whoever signed it.
    assert ids(forged) == sorted([*ids(proper), "PW-TLS-STAPLE-INVALID"], key=ids(forged).index)
    open_policies = {each.check for each in forged.not_checked if each.area is Area.POLICY}
    assert open_policies == {"apple", "firefox"}
    assert not forged.finished


def test_a_private_ca_is_not_asked_for_scts() -> None:
    """Browsers ask public CAs only; a list that is named changes that."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain("no-scts")) as server:
        private = asyncio.run(world.audit(server.port, dns, always_ct=False))
        listed = asyncio.run(world.audit(server.port, dns))
    assert ids(private) == []
    assert private.finished
    areas = {each.area for each in private.not_checked if not each.failed}
    assert areas >= {Area.SCTS, Area.POLICY}
    assert ids(listed) == ["PW-CT-NO-SCTS"]


def test_without_a_log_list_scts_cannot_be_judged() -> None:
    """Said, and no pass."""
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain()) as server:
        report = asyncio.run(world.audit(server.port, dns, logs=None))
    assert ids(report) == []
    assert {each.area for each in report.not_checked if each.failed} == {Area.SCTS, Area.POLICY}


def test_a_certificate_of_six_days_is_not_late_on_its_fourth() -> None:
    """Two weeks before the end are before its beginning."""
    world = audit_world()
    chain = Credentials.of(world.issue(not_before=datetime.now(UTC) - timedelta(days=3), days=6))
    with world.dns() as dns, LabTLS(chain) as server:
        report = asyncio.run(world.audit(server.port, dns, ca_domains=(CA_DOMAIN,)))
    assert ids(report) == []

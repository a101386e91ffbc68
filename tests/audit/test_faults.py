"""Servers of the lab, each broken on purpose in one way: each gives exactly its finding."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pinwarden.audit.rendering.machine import audit_json
from pinwarden.audit.report import Area, AuditReport
from pinwarden.ct.log import Program
from pinwarden.ct.loglist import parse_log_list
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.tls import Credentials, LabTLS
from support.audit_world import FORBIDDEN, HOST, audit_world, ids
from support.broken_servers import FOR_EVER, broken_server, closed_port


@pytest.fixture(scope="module")
def dns() -> Iterator[LabDNS]:
    """A resolver that validates; CAA permits the CA."""
    with audit_world().dns() as server:
        yield server


def _audit(port: int, dns: LabDNS | int | None, **more: Any) -> AuditReport:
    return asyncio.run(audit_world().audit(port, dns, **more))


def _why(report: AuditReport) -> list[str]:
    return [f"{each.area}: {each.why}" for each in report.not_checked if each.failed]


def test_nothing_is_found_where_all_is_well(dns: LabDNS) -> None:
    """A good server passes every check that was to be made."""
    with LabTLS(audit_world().chain()) as server:
        report = _audit(server.port, dns)
    assert ids(report) == []
    assert _why(report) == []
    assert {each.area for each in report.passed} == set(Area) - {Area.PINS, Area.HISTORY}
    assert report.finished


FAULTS = {
    "expired": "PW-TLS-EXPIRED",
    "future": "PW-TLS-NOT-YET-VALID",
    "ends-soon": "PW-TLS-EXPIRES-SOON",
    "wrong-name": "PW-TLS-WRONG-NAME",
    "self-signed": "PW-TLS-SELF-SIGNED",
    "no-intermediate": "PW-TLS-MISSING-INTERMEDIATE",
    "unknown-ca": "PW-TLS-UNTRUSTED",
    "untidy": "PW-TLS-CHAIN-UNTIDY",
    "with-root": "PW-TLS-CHAIN-UNTIDY",
    "unknown-log": "PW-CT-SCT-UNKNOWN-LOG",
    "one-operator": "PW-CT-TOO-FEW-OPERATORS",
    "no-scts": "PW-CT-NO-SCTS",
    "false-sct": "PW-CT-SCT-BAD-SIGNATURE",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_chain_is_one_finding(fault: str, dns: LabDNS) -> None:
    """The whole list of what is found is the one thing that is wrong."""
    with LabTLS(audit_world().chain(fault)) as server:
        report = _audit(server.port, dns)
    assert ids(report) == [FAULTS[fault]]
    assert report.found[0].subject == HOST
    assert len(report.notes) == (fault == "untidy")


BROKEN = {
    "endless handshake": "PW-TLS-TIMEOUT",
    "dripping record": "PW-TLS-TIMEOUT",
    "silence": "PW-TLS-TIMEOUT",
    "plain HTTP": "PW-TLS-NOT-TLS",
    "garbage": "PW-TLS-NOT-TLS",
    "TLS garbage": "PW-TLS-REFUSED",
    "alert": "PW-TLS-REFUSED",
    "hangs up": "PW-TLS-REFUSED",
}


@pytest.mark.parametrize("manner", BROKEN)
def test_each_broken_server_is_one_finding(manner: str, dns: LabDNS) -> None:
    """Within its time, and with everything else said to be not checked."""
    patience = 0.5 if manner in FOR_EVER else 5.0
    with broken_server(manner) as port:
        report = _audit(port, dns, patience=patience)
    assert ids(report) == [BROKEN[manner]]
    assert report.passed == ()
    assert {each.area for each in report.not_checked} == set(Area) - {Area.CONNECTION}
    assert not report.finished


@pytest.mark.parametrize("age", [0, 2], ids=["newer list", "older list"])
@pytest.mark.parametrize(
    "logs",
    [("stray",), ("first", "stray"), ("first", "twin", "stray"), ("first", "second", "stray")],
    ids="+".join,
)
def test_an_unknown_log_is_one_finding_whatever_follows_from_it(
    logs: tuple[str, ...], age: int, dns: LabDNS
) -> None:
    """Too few SCTs, or operators, for want of a log that is listed: that is what is found."""
    world = audit_world()
    made = world.issue(logs=[getattr(world, each) for each in logs])
    at = datetime.now(UTC) - timedelta(days=age)
    listed = parse_log_list(log_list_json(world.listed, at=at), "the list", Program.USER)
    with LabTLS(Credentials.of(made)) as server:
        report = _audit(server.port, dns, logs=listed)
    assert ids(report) == ["PW-CT-SCT-UNKNOWN-LOG"]
    enough = "second" in logs
    assert (Area.POLICY in {each.area for each in report.passed}) is enough
    assert report.finished is enough


def test_an_unknown_log_does_not_hide_another_fault(dns: LabDNS) -> None:
    """However good the log that nobody lists: the signature of the other SCT is false."""
    world = audit_world()
    promised, other = world.ca.precertify([HOST]), world.ca.precertify([HOST])
    false = world.first.add_pre_chain((other.der, *other.chain))
    unknown = world.stray.add_pre_chain((promised.der, *promised.chain))
    listed = log_list_json(world.listed, at=datetime.now(UTC))
    with LabTLS(Credentials.of(world.ca.complete(promised, [false, unknown]))) as server:
        report = _audit(server.port, dns, logs=parse_log_list(listed, "the list", Program.USER))
    expected = ["PW-CT-SCT-BAD-SIGNATURE", "PW-CT-TOO-FEW-SCTS", "PW-CT-SCT-UNKNOWN-LOG"]
    assert sorted(ids(report)) == sorted(expected)


def test_a_certificate_from_the_next_minutes_is_one_finding(dns: LabDNS) -> None:
    """It says how long it will take: the clock of one side may be wrong."""
    made = audit_world().issue(not_before=datetime.now(UTC) + timedelta(minutes=4))
    with LabTLS(Credentials.of(made)) as server:
        report = _audit(server.port, dns)
    assert ids(report) == ["PW-TLS-NOT-YET-VALID"]
    assert re.search(r"in [34] minutes; is the clock here right", report.found[0].message)


def test_names_beyond_those_told_are_counted(dns: LabDNS) -> None:
    """Content networks have thousands of names in a certificate."""
    names = [HOST, *(f"h{number}.other.example" for number in range(300))]
    with LabTLS(Credentials.of(audit_world().issue(names))) as server:
        leaf = audit_json(_audit(server.port, dns))["chains"][0]["certificates"][0]  # type: ignore[index]
    assert leaf["names_total"] == 301
    assert len(leaf["names"]) < 301


@pytest.mark.parametrize("term", ["accounturi=https://ca.example/1", "validationmethods=dns-01"])
def test_an_account_in_caa_is_not_taken_for_ones_own(term: str) -> None:
    """Whether the next renewal comes from it the audit cannot know, and says so."""
    caa = f'@ 300 IN CAA 0 issue "ca.lab.example; {term}"'
    with audit_world().dns(caa) as dns, LabTLS(audit_world().chain()) as server:
        report = _audit(server.port, dns)
    assert ids(report) == []
    assert "account and method" in {each.check for each in report.not_checked}


def test_a_closed_port_is_one_finding(dns: LabDNS) -> None:
    """Nobody listens: nothing else is reported, and nothing has passed."""
    report = _audit(closed_port(), dns)
    assert ids(report) == ["PW-TLS-UNREACHABLE"]
    assert report.passed == ()
    assert not report.finished


def test_caa_that_forbids_the_ca_is_one_finding() -> None:
    """It is about the next renewal: nothing is said against the certificate."""
    with audit_world().dns(FORBIDDEN) as dns, LabTLS(audit_world().chain()) as server:
        report = _audit(server.port, dns)
    assert ids(report) == ["PW-AUDIT-RENEWAL-REFUSED"]
    assert report.caa is not None
    assert report.caa.verdict == "denied"
    assert report.caa.relevant_name == "audit.example"


def test_a_resolver_that_is_down_is_one_finding() -> None:
    """CAA and DNSSEC are not checked then, and everything else is."""
    with LabTLS(audit_world().chain()) as server:
        report = _audit(server.port, closed_port())
    assert ids(report) == ["PW-AUDIT-RESOLVER-DOWN"]
    failed = {each.area for each in report.not_checked if each.failed}
    assert failed == {Area.CAA, Area.DNSSEC}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Public-Key-Pins", "PW-HPKP-PRESENT"),
        ("Public-Key-Pins-Report-Only", "PW-HPKP-REPORT-ONLY-PRESENT"),
    ],
)
def test_a_retired_pin_header_is_one_finding(header: str, expected: str, dns: LabDNS) -> None:
    """Whatever is wrong in it besides, it is to be removed."""
    value = 'pin-sha256="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; max-age=5184000'
    with LabTLS(audit_world().chain(), headers={header: value}) as server:
        report = _audit(server.port, dns)
    assert ids(report) == [expected]


def test_expect_ct_is_one_finding(dns: LabDNS) -> None:
    """It is obsolete, however well the certificate does what it asks for."""
    headers = {"Expect-CT": "max-age=86400, enforce"}
    with LabTLS(audit_world().chain(), headers=headers) as server:
        report = _audit(server.port, dns)
    assert ids(report) == ["PW-EXPECT-CT-PRESENT"]


def test_a_zone_without_signatures_is_one_finding() -> None:
    """The CAA answers could be forged."""
    world = audit_world()
    dns = LabDNS(
        {"audit.example": '@ 300 IN CAA 0 issue "ca.lab.example"'}, "validating", secure=[]
    )
    with dns, LabTLS(world.chain()) as server:
        report = _audit(server.port, dns)
    assert ids(report) == ["PW-AUDIT-UNSIGNED"]
    assert report.finished

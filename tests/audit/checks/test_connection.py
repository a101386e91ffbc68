"""Addresses that were not reached, and whose fault that is."""

from __future__ import annotations

from pinwarden.audit.report import Area
from pinwarden.net.served import Failure, ServedAddress
from support.audit_world import HOST, audit_world, ids, report_on

_GOOD = audit_world().chain().certificates
_REACHED = ServedAddress(
    address="192.0.2.1", port=443, verified=_GOOD, sent=_GOOD, protocol="TLSv1.3"
)
_NO_ROUTE = ServedAddress(
    address="2001:db8::1",
    port=443,
    failure=Failure.UNREACHABLE,
    problem="cannot be connected to: network is unreachable",
)


def test_a_name_without_an_address_is_one_finding() -> None:
    """There is nothing to check."""
    report = report_on(problem="has no address: name or service not known")
    assert ids(report) == ["PW-TLS-NO-ADDRESS"]
    assert report.found[0].message.startswith(f"{HOST}: has no address")
    assert report.passed == ()


def test_a_network_that_this_machine_lacks_is_not_the_hosts_fault() -> None:
    """As on the many machines without IPv6."""
    report = report_on(_REACHED, _NO_ROUTE)
    assert "PW-TLS-UNREACHABLE" not in ids(report)
    (left,) = [each for each in report.not_checked if each.area is Area.CONNECTION]
    assert "[2001:db8::1]:443" in left.why
    assert not left.failed


def test_a_host_that_no_way_leads_to_is_unreachable() -> None:
    """If nothing answers, nothing is known."""
    assert ids(report_on(_NO_ROUTE)) == ["PW-TLS-UNREACHABLE"]


def test_several_ways_to_fail_are_several_findings() -> None:
    """Each with its addresses, each once."""
    closed = [
        ServedAddress(
            address=f"192.0.2.{number}",
            port=443,
            failure=Failure.UNREACHABLE,
            problem="cannot be connected to: connection refused",
        )
        for number in range(10, 30)
    ]
    slow = ServedAddress(
        address="192.0.2.99", port=443, failure=Failure.TIMEOUT, problem="did not finish"
    )
    report = report_on(*closed, slow)
    assert ids(report) == ["PW-TLS-UNREACHABLE", "PW-TLS-TIMEOUT"]
    assert "192.0.2.10:443" in report.found[0].message
    assert "12 more" in report.found[0].message


def test_addresses_that_were_not_asked_are_said() -> None:
    """An audit is not finished that left some out."""
    report = report_on(_REACHED, left_out=3)
    assert any("3 more" in each.why and each.failed for each in report.not_checked)

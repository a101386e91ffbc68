"""What is wrong with a chain, where the TLS library tells the first thing only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pinwarden.audit.checks.chain import warning_time
from pinwarden.audit.report import Area
from pinwarden.lab.ca import Issued
from pinwarden.net.served import Failure, ServedAddress
from pinwarden.x509.certificate import view_certificate
from support.audit_world import HOST, audit_world, report_on

_NOW = datetime.now(UTC)
_WORLD = audit_world()
_LAST_YEAR: Any = {"not_before": _NOW - timedelta(days=300), "days": 90}


def _found(issued: Issued, code: int, *, anchored: bool = True, **more: Any) -> list[str]:
    """The findings about the chain of a certificate that OpenSSL refused by a code."""
    served = ServedAddress(
        address="192.0.2.1",
        port=443,
        sent=issued.served_chain,
        failure=Failure.UNTRUSTED,
        problem="its certificate does not verify: words",
        verify_code=code,
        anchored=issued.certificate_chain if anchored else (),
    )
    report = report_on(served, **more)
    return [each.id for each in report.found if each.id.startswith("PW-TLS")]


def test_two_faults_are_two_findings() -> None:
    """It is for another host, which OpenSSL tells first, and expired besides."""
    issued = _WORLD.ca.issue(["other.example"], **_LAST_YEAR)
    assert _found(issued, 62) == ["PW-TLS-EXPIRED", "PW-TLS-WRONG-NAME"]


def test_an_expired_chain_of_an_unknown_ca_is_both() -> None:
    """To renew it would not make it trusted."""
    issued = _WORLD.stranger.issue([HOST], **_LAST_YEAR)
    assert _found(issued, 20, anchored=False) == ["PW-TLS-UNTRUSTED", "PW-TLS-EXPIRED"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (9, "PW-TLS-NOT-YET-VALID"),
        (10, "PW-TLS-EXPIRED"),
        (19, "PW-TLS-UNTRUSTED"),
        (2, "PW-TLS-UNTRUSTED"),
        (62, "PW-TLS-WRONG-NAME"),
        (64, "PW-TLS-WRONG-NAME"),
        (24, "PW-TLS-NOT-VERIFIED"),
        (66, "PW-TLS-NOT-VERIFIED"),
    ],
)
def test_what_the_library_says_counts_where_nothing_else_is_to_be_seen(
    code: int, expected: str
) -> None:
    """A root that expired, or a key that is too weak."""
    assert _found(_WORLD.ca.issue([HOST]), code, anchored=False) == [expected]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (10, "PW-TLS-EXPIRED"),
        (18, "PW-TLS-SELF-SIGNED"),
        (20, "PW-TLS-UNTRUSTED"),
        (62, "PW-TLS-WRONG-NAME"),
        (79, "PW-TLS-NOT-VERIFIED"),
        (None, "PW-TLS-NOT-VERIFIED"),
    ],
)
def test_a_chain_that_was_refused_and_not_seen_again_is_found(
    code: int | None, expected: str
) -> None:
    """The server hung up when it was asked what it had sent."""
    refused = ServedAddress(
        address="192.0.2.1",
        port=443,
        failure=Failure.UNTRUSTED,
        problem="its certificate does not verify: words",
        verify_code=code,
    )
    good = _WORLD.chain().certificates
    other = ServedAddress(address="192.0.2.2", port=443, verified=good, sent=good)
    assert [each.id for each in report_on(refused).found] == [expected]
    found = [each for each in report_on(refused, other).found if each.id.startswith("PW-TLS")]
    assert [each.id for each in found] == [expected]
    assert "192.0.2.1:443" in found[0].message


def test_an_intermediate_that_expired_is_named() -> None:
    """The server's own certificate is in order."""
    issued = _WORLD.ca.issue([HOST], not_before=_NOW - timedelta(days=1), days=9000)
    served = ServedAddress(
        address="192.0.2.1",
        port=443,
        sent=issued.served_chain,
        failure=Failure.UNTRUSTED,
        problem="certificate has expired",
        verify_code=10,
        anchored=issued.certificate_chain,
    )
    report = report_on(served, at=_NOW + timedelta(days=8000))
    assert [each.id for each in report.found if each.id.startswith("PW-TLS")] == ["PW-TLS-EXPIRED"]
    assert "Audited E1" in report.found[0].message


@pytest.mark.parametrize(("days", "expected"), [(6, 2), (30, 10), (47, 14), (90, 14), (397, 14)])
def test_the_warning_fits_the_lifetime(days: int, expected: int) -> None:
    """A third of it, and two weeks at most."""
    view = view_certificate(_WORLD.ca.issue([HOST], days=days).certificate)
    assert round(warning_time(view) / timedelta(days=1)) == expected


def test_what_is_right_with_a_chain_is_told_beside_what_is_wrong() -> None:
    """An expired certificate is trusted all the same, and for the right host."""
    issued = _WORLD.ca.issue([HOST], **_LAST_YEAR)
    served = ServedAddress(
        address="192.0.2.1",
        port=443,
        sent=issued.served_chain,
        failure=Failure.UNTRUSTED,
        problem="certificate has expired",
        verify_code=10,
        anchored=issued.certificate_chain,
    )
    report = report_on(served)
    passed = {each.check for each in report.passed if each.area is Area.CHAIN}
    assert passed == {"trust", "name", "order"}

"""Reports in the shape of RFC 7469 section 3."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given

from pinwarden.errors import PinwardenError
from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.material import read_material
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinPolicy
from pinwarden.pinning.report import report_of
from support.pin_samples import AT, certificate, pin, policies, policy

CHAIN = (certificate("www", "int", ca=False), certificate("int", "root", ca=True))
RFC_KEYS = {
    *("date-time", "hostname", "port", "effective-expiration-date", "include-subdomains"),
    *("noted-hostname", "served-certificate-chain", "validated-certificate-chain", "known-pins"),
}


def test_a_report_has_the_keys_and_values_of_the_rfc() -> None:
    pinned = policy(
        "example.com", include_subdomains=True, expires=date(2027, 6, 30), on_expiry="closed"
    )
    at = datetime(2026, 11, 24, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    result = PinSet([pinned]).check(CHAIN, "api.example.com", at=at)
    report = json.loads(json.dumps(report_of(result, port=8443, served=(*CHAIN, *CHAIN))))
    validated = report.pop("validated-certificate-chain")
    served = report.pop("served-certificate-chain")
    assert report == {
        "date-time": "2026-11-24T12:00:00Z",
        "hostname": "api.example.com",
        "port": 8443,
        "effective-expiration-date": "2027-06-30T23:59:59Z",
        "include-subdomains": True,
        "noted-hostname": "example.com",
        "known-pins": [each.hpkp for each in sorted((pin("ca"), pin("spare")))],
        "enforce-pinning": True,
        "reason": "no-pin-matched",
    }
    assert served == validated * 2
    assert [read_material(each.encode())[0].der for each in validated] == list(CHAIN)


def test_what_is_not_known_is_said_so() -> None:
    report = report_of(compare(policy(mode=Mode.REPORT_ONLY), CHAIN, "api.example.com", at=AT))
    assert (report["port"], report["effective-expiration-date"]) == (0, None)
    assert report["served-certificate-chain"] == []
    assert report["enforce-pinning"] is False


@given(policies())
def test_every_policy_can_be_reported_on(pinned: PinPolicy) -> None:
    result = compare(pinned, CHAIN, "a\nhost", at=AT)
    report = report_of(result)
    assert report.keys() == RFC_KEYS | {"enforce-pinning", "reason"}
    assert json.loads(json.dumps(report)) == report


def test_without_a_policy_there_is_nothing_to_report() -> None:
    with pytest.raises(PinwardenError, match="nothing is to report"):
        report_of(PinSet().check(CHAIN, "www.example.net", at=AT))

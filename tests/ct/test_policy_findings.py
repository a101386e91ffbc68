"""What is found about policies: once for each cause."""

from __future__ import annotations

import pytest

from pinwarden.ct.log import LogKind, LogState
from pinwarden.ct.policy import BrowserPolicy, evaluate_policies, forecast_policy
from pinwarden.ct.policy_findings import browser_names, findings_of_policies
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCTSource
from pinwarden.findings import Finding
from support.policy_world import (
    DAY,
    LONG_AGO,
    NOW,
    SHORT,
    SIGNED,
    in_state,
    lasting,
    made_log,
    made_sct,
    scts_of,
)

USABLE = ((LogState.USABLE, None),)
GONE = in_state("gone", LogState.RETIRED, NOW - DAY)
HALF_A_YEAR = lasting(180 * DAY)


def found(scts: list[JudgedSCT], subject: object = SHORT) -> tuple[Finding, ...]:
    """What is found about a certificate with these SCTs."""
    assert subject in (SHORT, HALF_A_YEAR)
    certificate = SHORT if subject is SHORT else HALF_A_YEAR
    results = evaluate_policies(certificate, scts, NOW)
    forecasts = [
        each for policy in BrowserPolicy for each in forecast_policy(policy, certificate, scts, NOW)
    ]
    return findings_of_policies(results, forecasts, scts, "www.example.com")


@pytest.mark.parametrize(
    ("scts", "expected"),
    [
        pytest.param([], "PW-CT-NO-SCTS", id="none"),
        pytest.param(scts_of("A"), "PW-CT-TOO-FEW-SCTS", id="one"),
        pytest.param(scts_of("A", source=SCTSource.TLS), "PW-CT-TOO-FEW-SCTS", id="one-by-tls"),
        pytest.param(
            [made_sct(made_log(each), SIGNED, status=SCTStatus.INVALID) for each in "AB"],
            "PW-CT-TOO-FEW-SCTS",
            id="none-is-valid",
        ),
        pytest.param(scts_of("A", "A"), "PW-CT-TOO-FEW-OPERATORS", id="one-operator"),
        pytest.param(
            [
                made_sct(in_state(each, LogState.RETIRED, NOW - DAY), SIGNED)
                for each in ("first", "second", "third")
            ],
            "PW-CT-NO-CURRENT-LOG",
            id="all-retired",
        ),
        pytest.param(
            [made_sct(in_state(each, LogState.REJECTED, LONG_AGO), SIGNED) for each in "AB"],
            "PW-CT-NO-CURRENT-LOG",
            id="all-rejected",
        ),
    ],
)
def test_one_cause_is_one_finding_for_all_browsers(scts: list[JudgedSCT], expected: str) -> None:
    """It names all three."""
    (finding,) = found(scts)
    assert finding.id == expected
    assert finding.subject == "www.example.com"
    assert "Chrome" in finding.message
    assert "Apple" in finding.message
    assert "Firefox" in finding.message
    assert [name for name, _ in finding.details] == ["policy"] * 3
    assert finding.message.isprintable()


def test_what_is_enough_or_cannot_be_told_is_not_found() -> None:
    """That something was not checked is for the caller to say."""
    assert found(scts_of("A", "B")) == ()
    unchecked = [made_sct(made_log(each), SIGNED, status=SCTStatus.NOT_CHECKED) for each in "AB"]
    assert found(unchecked) == ()


def test_a_cause_of_one_browser_names_that_one() -> None:
    """Apple counts the last second, and wants an RFC 6962 log."""
    (few,) = found(scts_of("A", "B"), HALF_A_YEAR)
    assert few.id == "PW-CT-TOO-FEW-SCTS"
    assert few.message.startswith("Apple: a certificate of up to 825 days needs SCTs of 3 logs")
    static = [made_log(each, kind=LogKind.STATIC) for each in "AB"]
    (other,) = found([made_sct(log, SIGNED, leaf_index=1) for log in static])
    assert other.id == "PW-CT-POLICY-FAILED"
    assert "RFC 6962" in other.message
    assert other.details == (("policy", "apple 2025-08-20"),)


def test_different_causes_are_findings_of_their_own() -> None:
    """Mixed ways with a log of no use to Firefox, and one operator."""
    mixed = [*scts_of("A"), made_sct(made_log("other", "A"), SIGNED, SCTSource.TLS)]
    assert [each.id for each in found(mixed)] == ["PW-CT-TOO-FEW-OPERATORS", "PW-CT-TOO-FEW-SCTS"]


def test_a_day_to_come_is_found_once() -> None:
    """For the browsers that accept the SCTs today."""
    logs = [GONE, in_state("goes", LogState.RETIRED, NOW + DAY)]
    (finding,) = found([made_sct(log, SIGNED) for log in logs])
    assert finding.id == "PW-CT-POLICY-WILL-FAIL"
    assert finding.message == (
        "Chrome, Apple and Firefox will not accept the SCTs from 2026-11-25 on: "
        "goes is retired from 2026-11-25 on"
    )


def test_a_day_to_come_is_not_found_where_today_cannot_be_told() -> None:
    """What is not known to be met cannot cease to be."""
    unchecked = made_sct(made_log("A"), SIGNED, status=SCTStatus.NOT_CHECKED)
    going = made_sct(in_state("goes", LogState.REJECTED, NOW + DAY, earlier=USABLE), SIGNED)
    forecasts = forecast_policy(BrowserPolicy.CHROME, SHORT, [unchecked, going], NOW)
    assert [each.compliant for each in forecasts] == [False]
    assert found([unchecked, going]) == ()


def test_names_of_browsers() -> None:
    """As words of a sentence."""
    assert browser_names([BrowserPolicy.APPLE]) == "Apple"
    assert browser_names(list(BrowserPolicy)[:2]) == "Chrome and Apple"
    assert browser_names([]) == ""

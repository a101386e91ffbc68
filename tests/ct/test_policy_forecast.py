"""What will change, as far as lists and policies announce it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pinwarden.ct.log import LogState, Program
from pinwarden.ct.policy import BrowserPolicy, evaluate_policy, forecast_policy
from pinwarden.ct.sct import SCTSource
from pinwarden.x509.certificate import view_certificate
from support.policy_world import (
    DAY,
    NOW,
    SECOND,
    SHORT,
    SIGNED,
    in_state,
    lasting,
    listing,
    made_log,
    made_sct,
    scts_of,
)

CHROME, APPLE, FIREFOX = BrowserPolicy


def test_nothing_that_is_announced_changes_nothing() -> None:
    """A forecast is no oracle."""
    for policy in BrowserPolicy:
        assert forecast_policy(policy, SHORT, scts_of("A", "B"), NOW) == ()


def test_the_day_on_which_the_last_approved_log_goes() -> None:
    """One retirement is borne, the second is not, and what comes later is no change."""
    logs = [
        in_state("A", LogState.RETIRED, NOW + 5 * DAY),
        in_state("B", LogState.RETIRED, NOW + 9 * DAY),
        in_state("C", LogState.RETIRED, NOW + 2 * DAY, earlier=((LogState.USABLE, None),)),
    ]
    usable, retired = (LogState.USABLE, None), (LogState.RETIRED, NOW + 8 * DAY)
    logs.append(in_state("D", LogState.REJECTED, NOW + 11 * DAY, earlier=(usable, retired)))
    scts = [made_sct(log, SIGNED) for log in logs]
    for policy in BrowserPolicy:
        (forecast,) = forecast_policy(policy, SHORT, scts, NOW)
        assert forecast.policy is policy
        assert forecast.at == NOW + 9 * DAY
        assert forecast.compliant is False
        assert forecast.because == "B is retired from 2026-12-03 on"
        assert evaluate_policy(policy, SHORT, scts, forecast.at - SECOND).compliant is True
        assert evaluate_policy(policy, SHORT, scts, forecast.at).compliant is False


def test_what_is_handed_over_goes_with_its_log() -> None:
    """There the first retirement is one too many, for whoever wants two."""
    logs = [made_log("A"), in_state("B", LogState.RETIRED, NOW + 5 * DAY)]
    scts = [made_sct(log, SIGNED, SCTSource.TLS) for log in logs]
    for policy in BrowserPolicy:
        assert [each.at for each in forecast_policy(policy, SHORT, scts, NOW)] == [NOW + 5 * DAY]


def test_nothing_is_told_of_after_the_end_of_the_certificate() -> None:
    """Nor of today or before."""
    for day, told in ((-1, 0), (0, 0), (1, 1), (90 - 20, 1), (90 - 19, 0)):
        states = [(LogState.USABLE, None)]
        logs = [
            in_state(name, LogState.RETIRED, NOW + day * DAY, earlier=tuple(states))
            for name in "AB"
        ]
        scts = [made_sct(log, SIGNED) for log in logs]
        assert len(forecast_policy(CHROME, SHORT, scts, NOW)) == told, day


def test_editions_to_come_are_told() -> None:
    """As seen from a day before, the end of SCTs in OCSP responses was to come."""
    at = datetime(2026, 4, 20, tzinfo=UTC)
    subject = lasting(90 * DAY, at - DAY)
    logs = [made_log(name) for name in "AB"]
    scts = [made_sct(log, at - DAY, SCTSource.OCSP) for log in logs]
    (forecast,) = forecast_policy(CHROME, subject, scts, at)
    assert forecast.at == datetime(2026, 5, 5, tzinfo=UTC)
    assert "chrome 2026-05-05" in forecast.because
    assert forecast_policy(FIREFOX, subject, scts, at) == ()


def test_better_days_are_told_as_well() -> None:
    """A log that is pending may be announced as usable."""
    states = ((LogState.PENDING, None),)
    log = in_state("B", LogState.USABLE, NOW + DAY, earlier=states)
    scts = [*scts_of("A"), made_sct(log, SIGNED)]
    (forecast,) = forecast_policy(APPLE, SHORT, scts, NOW)
    assert forecast.compliant is True
    assert forecast.because == "B is usable from 2026-11-25 on"


def test_a_list_of_the_user_announces_for_everybody() -> None:
    """It stands for every program."""
    gone = listing(Program.USER, LogState.RETIRED, NOW + DAY)
    scts = [made_sct(made_log(name, None, gone), SIGNED) for name in "AB"]
    for policy in BrowserPolicy:
        assert len(forecast_policy(policy, SHORT, scts, NOW)) == 1


def test_a_list_with_endless_states_costs_little() -> None:
    """What is announced for a day after many others is left out."""
    states = tuple(
        (LogState.RETIRED if each % 2 else LogState.USABLE, NOW + timedelta(minutes=each))
        for each in range(1, 3000)
    )
    logs = [in_state(name, LogState.USABLE, NOW + DAY * 9, earlier=states) for name in "AB"]
    scts = [made_sct(log, SIGNED) for log in logs]
    assert len(forecast_policy(CHROME, SHORT, scts, NOW)) <= 100


def test_a_certificate_without_an_end_has_forecasts() -> None:
    """Nothing is raised for what cannot be read."""
    assert SHORT.der is not None
    end = (SIGNED + 90 * DAY).strftime("%y%m%d%H%M%SZ").encode()
    broken = view_certificate(SHORT.der.replace(end, b"9" * 12 + b"Z"))
    log = in_state("B", LogState.RETIRED, NOW + DAY)
    scts = [made_sct(each, SIGNED, SCTSource.TLS) for each in (made_log("A"), log)]
    (forecast,) = forecast_policy(FIREFOX, broken, scts, NOW)
    assert forecast.compliant is False


def test_what_changes_before_the_certificate_begins_is_no_forecast() -> None:
    """Asked about a day long before, nothing is told of the rules of the years between."""
    for policy in BrowserPolicy:
        assert forecast_policy(policy, SHORT, scts_of("A", "B"), NOW - 9000 * DAY) == ()

"""Chromium's own scenarios: what the browser says, the rules here must say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwarden.ct.log import Log, LogKind, LogState, Program
from pinwarden.ct.policy import BrowserPolicy, PolicyResult, evaluate_policy
from pinwarden.ct.presented import JudgedSCT
from pinwarden.ct.sct import SCTSource
from support.policy_world import certificate, listing, made_log, made_sct

# Between the last rule on RFC 6962 logs and the end of SCTs in OCSP responses.
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
WITH_RFC6962_RULE = datetime(2026, 3, 1, tzinfo=UTC)
SIGNED = NOW - timedelta(days=200)
TEN_YEARS = certificate(SIGNED - timedelta(hours=1), SIGNED + timedelta(days=3650))
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
COMPLIES, NOT_DIVERSE, NOT_ENOUGH = "COMPLIES", "NOT_DIVERSE", "NOT_ENOUGH"
TLS, OCSP, EMBEDDED = SCTSource.TLS, SCTSource.OCSP, SCTSource.EMBEDDED


def chromium_word(result: PolicyResult) -> str:
    """The verdict in Chromium's three words."""
    failed = {rule.rule for rule in result.rules if rule.passed is False}
    assert result.compliant is (not failed)
    if not failed:
        return COMPLIES
    if "current-log" in failed:
        return NOT_ENOUGH
    if failed & {"distinct-operators", "rfc6962-log"}:
        return NOT_DIVERSE
    return NOT_ENOUGH


def scenario_log(raw: dict[str, Any], at: datetime) -> tuple[Log, datetime]:
    """The log of an SCT in a scenario, and when it signed."""
    kind = LogKind.STATIC if raw["log_type"] == "static-ct-api" else LogKind.RFC6962
    previous = [
        (each["name"], SIGNED + timedelta(seconds=int(each["end"][3:-1])))
        for each in raw.get("previous_operators", ())
    ]
    gone = raw.get("log_disqualified")
    signed, states = SIGNED, []
    if gone is not None:
        retired = at - HOUR if gone["disqualified_now"] else at + HOUR
        if gone.get("sct_timestamp") == "after_disqualification":
            retired = SIGNED - HOUR
        states = [listing(Program.CHROME, LogState.RETIRED, retired)]
    log = made_log(raw["log"], raw["operator"], *states, kind=kind, previous=tuple(previous))
    return log, signed


def test_the_scenarios_of_the_corpus(corpus: Path) -> None:
    """All that were transcribed give Chromium's verdict."""
    data = json.loads((corpus / "ct-policy" / "chromium_ct_policy_scenarios.json").read_bytes())
    assert data["scenarios"]
    for scenario in data["scenarios"]:
        at = WITH_RFC6962_RULE if scenario.get("static_ct_policy_enabled") else NOW
        scts = []
        for raw in scenario["scts"]:
            log, signed = scenario_log(raw, at)
            scts.append(made_sct(log, signed, SCTSource(raw["origin"])))
        result = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, scts, at)
        assert chromium_word(result) == scenario["expected"], scenario["name"]


def test_the_tables_of_the_corpus(corpus: Path) -> None:
    """Both tables of lifetimes ask for as many SCTs as Chromium does."""
    data = json.loads((corpus / "ct-policy" / "chromium_ct_policy_scenarios.json").read_bytes())
    for table, at in (
        ("embedded_sct_requirement_2022", NOW),
        ("embedded_sct_requirement_pre2022", datetime(2015, 6, 1, tzinfo=UTC)),
    ):
        assert data[table]
        for row in data[table]:
            subject = certificate(
                datetime.fromisoformat(row["not_before"]), datetime.fromisoformat(row["not_after"])
            )
            for count in range(row["required"] + 1):
                scts = [made_sct(made_log(f"L{each}"), at - HOUR) for each in range(count)]
                result = evaluate_policy(BrowserPolicy.CHROME, subject, scts, at)
                expected = NOT_ENOUGH
                if count == row["required"]:
                    expected = COMPLIES
                elif count == 1 and at is NOW:
                    expected = NOT_DIVERSE
                assert chromium_word(result) == expected, (table, row, count)


def test_the_states_of_the_corpus(corpus: Path) -> None:
    """A log is out from the moment it is retired, and not before."""
    data = json.loads((corpus / "ct-policy" / "chromium_ct_policy_scenarios.json").read_bytes())
    assert data["log_disqualified"]
    for case in data["log_disqualified"]:
        listings = []
        if case["disqualification"] is not None:
            retired = NOW + HOUR * int(case["disqualification"][3:-1])
            listings = [listing(Program.CHROME, LogState.RETIRED, retired)]
        scts = [
            made_sct(made_log("A", None, *listings), SIGNED, TLS),
            made_sct(made_log("B"), SIGNED, TLS),
        ]
        result = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, scts, NOW)
        assert result.compliant is not case["is_disqualified"], case


def good(name: str, source: SCTSource = EMBEDDED, **log: Any) -> JudgedSCT:
    """An SCT of a usable log."""
    return made_sct(made_log(name, **log), SIGNED, source)


def retired(
    source: SCTSource, *, signed_after: bool, name: str = "retired", at: datetime = NOW
) -> JudgedSCT:
    """An SCT of a log that is retired by now."""
    when = SIGNED - HOUR if signed_after else at - HOUR
    log = made_log(name, None, listing(Program.CHROME, LogState.RETIRED, when))
    return made_sct(log, SIGNED, source)


@pytest.mark.parametrize(
    ("scts", "expected"),
    [
        pytest.param([], NOT_ENOUGH, id="none"),
        pytest.param(
            [good("A", TLS), retired(TLS, signed_after=False)], NOT_DIVERSE, id="tls-before"
        ),
        pytest.param(
            [good("A", TLS), retired(TLS, signed_after=True)], NOT_DIVERSE, id="tls-after"
        ),
        pytest.param([good("A"), retired(EMBEDDED, signed_after=False)], NOT_ENOUGH, id="before"),
        pytest.param([good("A"), retired(EMBEDDED, signed_after=True)], NOT_ENOUGH, id="after"),
        pytest.param(
            [good("A", TLS), retired(EMBEDDED, signed_after=False)], COMPLIES, id="mixed-before"
        ),
        pytest.param(
            [good("A", TLS), retired(EMBEDDED, signed_after=True)], COMPLIES, id="mixed-after"
        ),
        pytest.param([good("A", OCSP), good("B", TLS)], COMPLIES, id="pooled-outside"),
        pytest.param([good("A"), good("B", OCSP)], COMPLIES, id="pooled-with-embedded"),
        pytest.param([good("A"), good("B")], NOT_ENOUGH, id="two-embedded"),
        pytest.param([good("A"), good("B"), good("C")], COMPLIES, id="three-embedded"),
        pytest.param([good("A"), good("B"), good("B")], NOT_ENOUGH, id="one-log-twice"),
        pytest.param(
            [good("A"), good("B"), retired(EMBEDDED, signed_after=False)],
            COMPLIES,
            id="retired-later",
        ),
        pytest.param(
            [good("A"), good("B"), retired(EMBEDDED, signed_after=True)],
            NOT_ENOUGH,
            id="retired-earlier",
        ),
        pytest.param(
            [retired(EMBEDDED, signed_after=False, name=name) for name in "ABCDE"],
            NOT_ENOUGH,
            id="all-retired",
        ),
        pytest.param(
            [good("A", TLS, operator="X"), good("B", TLS, operator="X")],
            NOT_DIVERSE,
            id="one-operator",
        ),
        pytest.param(
            [
                good("A", TLS, operator="X"),
                good("B", TLS, operator="Y", previous=(("X", SIGNED + SECOND),)),
            ],
            NOT_DIVERSE,
            id="one-operator-then",
        ),
        pytest.param(
            [
                good("A", TLS, operator="X"),
                good(
                    "B",
                    TLS,
                    operator="Y",
                    previous=(("Z", SIGNED - SECOND), ("X", SIGNED + SECOND)),
                ),
            ],
            NOT_DIVERSE,
            id="one-operator-after-another",
        ),
        pytest.param(
            [good(name, kind=LogKind.STATIC) for name in "ABC"], COMPLIES, id="static-logs-alone"
        ),
    ],
)
def test_more_of_chromiums_cases(scts: list[JudgedSCT], expected: str) -> None:
    """The cases of chrome_ct_policy_enforcer_unittest.cc, for a certificate of ten years."""
    result = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, scts, NOW)
    assert chromium_word(result) == expected


@pytest.mark.parametrize("count", [2, 3])
def test_an_rfc6962_log_was_needed_for_a_year(count: int) -> None:
    """From Chrome 134 until 2026-04-15 static-ct logs alone were not enough."""
    day = timedelta(days=1)
    for at, needed in (
        (datetime(2025, 3, 4, tzinfo=UTC) - SECOND, False),
        (datetime(2025, 3, 4, tzinfo=UTC), True),
        (datetime(2026, 4, 15, tzinfo=UTC) - SECOND, True),
        (datetime(2026, 4, 15, tzinfo=UTC), False),
    ):
        subject = certificate(at - day, at + day * (100 if count == 2 else 300))
        logs = [made_log(f"L{each}", kind=LogKind.STATIC) for each in range(count)]
        scts = [made_sct(log, at - HOUR) for log in logs]
        result = evaluate_policy(BrowserPolicy.CHROME, subject, scts, at)
        assert chromium_word(result) == (NOT_DIVERSE if needed else COMPLIES)


def test_what_the_browser_does_and_its_policy_does_not_say_is_noted() -> None:
    """An embedded SCT beside one by TLS is enough for Chromium alone."""
    mixed = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, [good("A"), good("B", TLS)], NOW)
    pure = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, [good("A", TLS), good("B", TLS)], NOW)
    assert mixed.compliant
    assert mixed.way == "tls-or-ocsp"
    assert any("written policy" in note for note in mixed.notes)
    assert pure.compliant
    assert not pure.notes


def test_ocsp_responses_count_until_chrome_148() -> None:
    """From the fifth of May 2026 on an SCT in an OCSP response is as good as none."""
    scts = [good("A", OCSP), good("B", TLS)]
    begins = datetime(2026, 5, 5, tzinfo=UTC)
    before = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, scts, begins - SECOND)
    after = evaluate_policy(BrowserPolicy.CHROME, TEN_YEARS, scts, begins)
    assert before.compliant is True
    assert after.compliant is False
    assert chromium_word(after) == NOT_DIVERSE
    assert any("OCSP" in reason for reason in after.reasons)

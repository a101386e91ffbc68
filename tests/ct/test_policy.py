"""The rules of the three browsers, at their limits and on real certificates."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinwarden.ct.issuer import issuer_among
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import LogKind
from pinwarden.ct.policy import (
    BrowserPolicy,
    evaluate_policies,
    evaluate_policy,
    list_dates,
)
from pinwarden.ct.policy.editions import policy_rules
from pinwarden.ct.presented import collect_scts, judge_scts
from pinwarden.ct.sct import SCTSource
from pinwarden.x509.certificate import view_certificate
from support.policy_world import (
    DAY,
    NOW,
    SECOND,
    SHORT,
    SIGNED,
    certificate,
    failed,
    lasting,
    made_log,
    made_sct,
    scts_of,
)

CHROME, APPLE, FIREFOX = BrowserPolicy
TLS, OCSP, EMBEDDED = SCTSource.TLS, SCTSource.OCSP, SCTSource.EMBEDDED


@pytest.mark.parametrize(
    ("lifetime", "chrome", "apple"),
    [
        pytest.param(179 * DAY, 2, 2, id="179-days"),
        pytest.param(180 * DAY - SECOND, 2, 2, id="180-days-with-the-last-second"),
        pytest.param(180 * DAY, 2, 3, id="180-days-and-the-last-second"),
        pytest.param(180 * DAY + SECOND, 3, 3, id="a-second-more"),
        pytest.param(398 * DAY, 3, 3, id="398-days"),
        pytest.param(825 * DAY, 3, 4, id="825-days-and-the-last-second"),
    ],
)
def test_how_many_a_lifetime_needs(lifetime: timedelta, chrome: int, apple: int) -> None:
    """Apple counts the last second of the validity in, the others do not."""
    subject = lasting(lifetime)
    for policy, needed in ((CHROME, chrome), (APPLE, apple), (FIREFOX, chrome)):
        for count in (needed - 1, needed):
            scts = scts_of(*"ABCDE"[:count])
            result = evaluate_policy(policy, subject, scts, NOW)
            assert result.compliant is (count == needed), (policy, count)
            assert result.way == "embedded"


@pytest.mark.parametrize(
    ("months", "days", "chrome", "apple"),
    [
        (14, 20, 2, 2),
        (15, 0, 3, 3),
        (27, 0, 3, 3),
        (27, 1, 4, 3),
        (28, 0, 4, 4),
        (39, 0, 4, 4),
        (39, 1, 5, 4),
        (40, 0, 5, 5),
    ],
)
def test_the_tables_in_months(months: int, days: int, chrome: int, apple: int) -> None:
    """Until 2021 and 2022 it was months; Chrome took a part of one for more than the whole."""
    start = datetime(2019, 1, 5, tzinfo=UTC)
    year, month = divmod(months, 12)
    subject = certificate(start, datetime(2019 + year, 1 + month, 5 + days, tzinfo=UTC))
    at = start + DAY
    for policy, needed in ((CHROME, chrome), (APPLE, apple)):
        for count in (needed - 1, needed):
            operators = ["Google", *"ABCDE"][:count]
            scts = [made_sct(made_log(each, each), start) for each in operators]
            result = evaluate_policy(policy, subject, scts, at)
            assert result.compliant is (count == needed), (policy, count)


def test_a_google_log_and_another_were_needed() -> None:
    """Before April 2022 Chrome wanted both, from the second half of 2015 on."""
    for signed, needed in (
        (datetime(2015, 6, 30, tzinfo=UTC), False),
        (datetime(2015, 7, 1, tzinfo=UTC), True),
        (datetime(2022, 4, 14, tzinfo=UTC), True),
        (datetime(2022, 4, 15, tzinfo=UTC), False),
    ):
        subject, at = lasting(90 * DAY, signed), signed + 30 * DAY
        for operators, is_both in (("AB", False), (("Google", "A"), True)):
            scts = [made_sct(made_log(each, each), signed) for each in operators]
            alone = [made_sct(made_log(each, "Google"), signed) for each in "AB"]
            first = signed < datetime(2015, 7, 1, tzinfo=UTC)
            assert evaluate_policy(CHROME, subject, alone, at).compliant is first
            result = evaluate_policy(CHROME, subject, scts, at)
            assert result.compliant is (is_both or not needed)
            if not result.compliant:
                assert failed(result) == ["distinct-operators"]


def test_from_a_day_on_the_rules_of_2022_were_for_all() -> None:
    """By then nothing that was issued before could be valid any more."""
    day = datetime(2023, 5, 18, tzinfo=UTC)
    signed = datetime(2022, 4, 1, tzinfo=UTC)
    scts = [made_sct(made_log(each, each), signed) for each in ("A", "B", "C")]
    for at, edition in ((day - SECOND, "chrome 2015-07-01"), (day, "chrome 2022-04-15")):
        result = evaluate_policy(CHROME, lasting(700 * DAY, signed), scts, at)
        assert result.edition == edition
        assert result.compliant is (at == day)


def test_a_lifetime_that_cannot_be_read_is_never_a_pass() -> None:
    """With enough for any lifetime, or too few for the shortest, something is told."""
    der = SHORT.der
    assert der is not None
    end = (SIGNED + 90 * DAY).strftime("%y%m%d%H%M%SZ").encode()
    broken = view_certificate(der.replace(end, b"99" + b"9" * 10 + b"Z"))
    for policy in BrowserPolicy:
        assert evaluate_policy(policy, broken, scts_of(*"ABCDE"), NOW).compliant is None
        assert evaluate_policy(policy, broken, scts_of("A"), NOW).compliant is False
        handed = scts_of("A", "B", source=TLS)
        assert evaluate_policy(policy, broken, handed, NOW).compliant is True


def test_apple_counts_so_many_of_one_operator() -> None:
    """One for short certificates, two for others."""
    for lifetime, operators, enough in (
        (90, "AA", False),
        (90, "AAB", True),
        (300, "AAA", False),
        (300, "AAAA", False),
        (300, "AAB", True),
    ):
        result = evaluate_policy(APPLE, lasting(lifetime * DAY), scts_of(*operators), NOW)
        assert result.compliant is enough, operators
        if not enough:
            assert failed(result) == ["per-operator-limit"]


def test_the_name_of_an_operator_is_that_of_the_program() -> None:
    """Chrome and Apple may write one operator differently, and each compares its own."""
    first = made_log("L1", "IPng Networks")
    second = made_log("L2", "IPng")
    as_apple = [replace(each, operator="IPng GmbH") for each in second.listings]
    logs = (first, replace(second, listings=tuple(as_apple)))
    scts = [made_sct(each, SIGNED) for each in logs]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is True
    same = replace(second, listings=first.listings)
    scts = [made_sct(each, SIGNED) for each in (first, same)]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is False


def test_an_operator_without_a_name_is_not_another_one() -> None:
    """It may be the same, or not."""
    scts = [made_sct(made_log("L1", "A"), SIGNED), made_sct(made_log("L2", ""), SIGNED)]
    for policy in (CHROME, FIREFOX):
        assert evaluate_policy(policy, SHORT, scts, NOW).compliant is None
    nobody = [made_sct(made_log(each, ""), SIGNED) for each in "AB"]
    assert evaluate_policy(CHROME, SHORT, nobody, NOW).compliant is None


def test_apple_wants_an_rfc6962_log() -> None:
    """By its newest text, which nobody has seen a date on; it said so from 2025 on."""
    logs = [made_log(each, kind=LogKind.STATIC) for each in "AB"]
    scts = [made_sct(each, SIGNED, leaf_index=7) for each in logs]
    assert failed(evaluate_policy(APPLE, SHORT, scts, NOW)) == ["rfc6962-log"]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is True
    assert evaluate_policy(FIREFOX, SHORT, scts, NOW).compliant is True


def test_firefox_wants_the_index_of_a_static_log() -> None:
    """An SCT that does not say where its entry is does not count there."""
    logs = [made_log("A"), made_log("B", kind=LogKind.STATIC)]
    scts = [made_sct(each, SIGNED) for each in logs]
    result = evaluate_policy(FIREFOX, SHORT, scts, NOW)
    assert result.compliant is False
    assert "without a leaf index" in " ".join(result.reasons)
    assert evaluate_policy(APPLE, SHORT, scts, NOW).compliant is True


def test_apple_keeps_logs_to_their_interval() -> None:
    """Half open, and of the end of the certificate; the others do not look."""
    end = SIGNED + 90 * DAY
    for interval, inside in (
        ((end - DAY, end), False),
        ((end - DAY, end + SECOND), True),
        ((end, end + DAY), True),
        ((end + SECOND, end + DAY), False),
    ):
        scts = [made_sct(made_log(each, interval=interval), SIGNED) for each in "AB"]
        assert evaluate_policy(APPLE, SHORT, scts, NOW).compliant is inside
        assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is True


def test_which_ways_can_be_mixed() -> None:
    """Apple and Chrome take one SCT in the certificate and one beside it, Firefox does not."""
    mixed = [*scts_of("A"), made_sct(made_log("other"), SIGNED, TLS)]
    for policy, enough in ((CHROME, True), (APPLE, True), (FIREFOX, False)):
        result = evaluate_policy(policy, SHORT, mixed, NOW)
        assert result.compliant is enough
    beside = scts_of("A", "B", source=TLS)
    for policy in BrowserPolicy:
        result = evaluate_policy(policy, SHORT, beside, NOW)
        assert result.compliant is True
        assert result.way == "tls-or-ocsp"


def test_apple_does_not_ask_beside_the_certificate_for_two_operators() -> None:
    """Two logs are enough there, whoever runs them."""
    beside = scts_of("A", "A", source=OCSP)
    assert evaluate_policy(APPLE, SHORT, beside, NOW).compliant is True
    assert failed(evaluate_policy(FIREFOX, SHORT, beside, NOW)) == ["distinct-operators"]


def test_what_may_have_come_beside_the_certificate_is_no_failure() -> None:
    """Where it is not known what a server hands over, too little is not known either."""
    for policy in BrowserPolicy:
        result = evaluate_policy(policy, SHORT, scts_of("A"), NOW, complete=False)
        assert result.compliant is None
        assert "not known" in " ".join(result.reasons)
        enough = evaluate_policy(policy, SHORT, scts_of("A", "B"), NOW, complete=False)
        assert enough.compliant is True


def test_editions_are_in_order_and_say_where_they_are_written() -> None:
    """Every edition begins after the one before, and is named after its day."""
    for policy in BrowserPolicy:
        rules = policy_rules(policy)
        days = [edition.since for edition in rules.editions]
        assert days == sorted(set(days))
        for edition in rules.editions:
            assert edition.name == f"{policy} {edition.since:%Y-%m-%d}"
            assert len(edition.source) > 20
            assert edition.table[-1][0] == float("inf")


def test_the_page_has_every_edition() -> None:
    """Whoever wonders about a verdict finds the rules it is by."""
    page = (Path(__file__).parents[2] / "docs" / "ct-policies.md").read_text("utf-8")
    for policy in BrowserPolicy:
        for edition in policy_rules(policy).editions:
            assert f"`{edition.name}`" in page


def test_before_the_first_edition_nothing_was_asked() -> None:
    """And the answer says so."""
    for policy in BrowserPolicy:
        first = policy_rules(policy).editions[0].since
        result = evaluate_policy(policy, SHORT, [], first - SECOND)
        assert result.compliant is True
        assert [rule.rule for rule in result.rules] == ["asked"]
        assert evaluate_policy(policy, SHORT, [], first).compliant is False


def test_older_certificates_were_never_asked_and_a_note_says_so() -> None:
    """The rules are told all the same."""
    old = lasting(900 * DAY, datetime(2017, 3, 1, tzinfo=UTC))
    result = evaluate_policy(CHROME, old, [], datetime(2019, 1, 1, tzinfo=UTC))
    assert result.compliant is False
    assert any("2018-05-01" in note for note in result.notes)


def test_what_big_sites_served_was_accepted(corpus: Path) -> None:
    """Real certificates of 2023 to 2026, each on the day it was seen: no browser refused them."""
    lists, outcomes = list_dates(known_logs().logs), Counter[tuple[BrowserPolicy, bool | None]]()
    with gzip.open(corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz", "rt") as lines:
        for line in lines:
            served = json.loads(line)
            leaf, *above = (
                view_certificate(b64decode(each)) for each in (served["leaf"], *served["chain"])
            )
            at = datetime.fromisoformat(served["validation_time"]) + DAY
            presented, problems = collect_scts(leaf)
            assert not problems
            issuer = issuer_among(leaf, above)
            scts = judge_scts(leaf, issuer, presented, known_logs(), at)
            for result in evaluate_policies(leaf, scts, at, lists):
                outcomes[result.policy, result.compliant] += 1
                assert result.compliant is not False, (served["host"], at, result.reasons)
    assert outcomes[CHROME, True] > 100
    assert outcomes[CHROME, None] == 0
    # Apple's lists of before 2026 are not in the table, so that less is known.
    assert outcomes[APPLE, True] > 10

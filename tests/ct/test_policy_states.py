"""What the state of a log is worth, and what cannot be told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.log import LogKind, LogState, Program
from pinwarden.ct.policy import (
    BrowserPolicy,
    evaluate_policies,
    evaluate_policy,
    forecast_policy,
    list_dates,
)
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCTSource
from pinwarden.x509.certificate import CertificateView
from support.policy_world import (
    DAY,
    HOUR,
    LONG_AGO,
    NOW,
    SECOND,
    SHORT,
    SIGNED,
    failed,
    in_state,
    lasting,
    listing,
    made_log,
    made_sct,
    scts_of,
)

CHROME, APPLE, FIREFOX = BrowserPolicy
TLS, OCSP, EMBEDDED = SCTSource.TLS, SCTSource.OCSP, SCTSource.EMBEDDED


@pytest.mark.parametrize(
    ("state", "since", "compliant"),
    [
        (LogState.QUALIFIED, LONG_AGO, True),
        (LogState.READONLY, LONG_AGO, True),
        (LogState.PENDING, LONG_AGO, False),
        (LogState.REJECTED, LONG_AGO, False),
        (LogState.REJECTED, None, False),
        (LogState.UNKNOWN, None, False),
        (LogState.UNREADABLE, None, None),
        (LogState.RETIRED, SIGNED - SECOND, False),
        (LogState.RETIRED, SIGNED, False),
        (LogState.RETIRED, SIGNED + SECOND, True),
        (LogState.RETIRED, None, False),
        (LogState.RETIRED, NOW + DAY, True),
        (LogState.READONLY, NOW + DAY, True),
        (LogState.USABLE, NOW + DAY, None),
        (LogState.REJECTED, NOW + DAY, None),
    ],
)
def test_states(state: LogState, since: datetime | None, compliant: bool | None) -> None:
    """An embedded SCT of a log in each state, beside one of a usable log."""
    scts = [*scts_of("A"), made_sct(in_state("B", state, since), SIGNED)]
    for policy in BrowserPolicy:
        assert evaluate_policy(policy, SHORT, scts, NOW).compliant is compliant


def test_the_state_of_another_day() -> None:
    """What a log was on the day of the question decides, as far as lists tell."""
    log = in_state(
        "B",
        LogState.REJECTED,
        NOW - 3 * DAY,
        earlier=((LogState.USABLE, NOW - 15 * DAY), (LogState.RETIRED, NOW - 9 * DAY)),
    )
    scts = [made_sct(each, SIGNED, TLS) for each in (made_log("A"), log)]
    for days, compliant in ((16, None), (15, True), (10, True), (9, False), (3, False), (0, False)):
        assert evaluate_policy(FIREFOX, SHORT, scts, NOW - days * DAY).compliant is compliant, days


def test_a_retired_log_counts_only_with_one_that_is_not() -> None:
    """The last approved log decides."""
    gone = [made_sct(in_state(each, LogState.RETIRED, NOW - DAY), SIGNED) for each in "ABC"]
    for policy in BrowserPolicy:
        result = evaluate_policy(policy, SHORT, gone, NOW)
        assert result.compliant is False
        assert "current-log" in failed(result)
        assert evaluate_policy(policy, SHORT, [gone[0], *scts_of("D")], NOW).compliant is True


def test_when_a_certificate_was_issued_is_told_by_its_earliest_sct() -> None:
    """A log that signs late and is retired then counts if another signed before."""
    log = in_state("B", LogState.RETIRED, SIGNED + HOUR)
    late = made_sct(log, SIGNED + HOUR - SECOND)
    for first, compliant in ((SIGNED, True), (SIGNED + 2 * HOUR, False)):
        scts = [made_sct(made_log("A"), first), late]
        assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is compliant


def test_a_log_in_no_list_counts_unless_the_list_is_older() -> None:
    """A list of before the SCT may lack a log that was taken in since."""
    scts = [*scts_of("A"), made_sct(None, SIGNED)]
    for date, compliant in ((SIGNED, False), (SIGNED - 2 * DAY, None), (None, False)):
        lists = {Program.CHROME: date, Program.APPLE: date}
        for policy in BrowserPolicy:
            result = evaluate_policy(policy, SHORT, scts, NOW, lists)
            assert result.compliant is compliant, (date, policy)


def test_without_a_list_of_a_program_nothing_is_told() -> None:
    """Chrome's list does not say what Apple thinks."""
    logs = [made_log(each, None, listing(Program.CHROME, as_of=NOW)) for each in "AB"]
    scts = [made_sct(each, SIGNED) for each in logs]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is True
    assert evaluate_policy(FIREFOX, SHORT, scts, NOW).compliant is True
    apple = evaluate_policy(APPLE, SHORT, scts, NOW)
    assert apple.compliant is None
    assert "no log list of Apple" in " ".join(apple.reasons)
    told = evaluate_policy(APPLE, SHORT, scts, NOW, {Program.APPLE: NOW})
    assert told.compliant is False


def test_a_list_of_the_user_stands_for_every_program() -> None:
    """It is what the user wants to know about; without a state nothing is claimed."""
    for state, compliant in (
        (LogState.USABLE, True),
        (LogState.PENDING, False),
        (LogState.UNKNOWN, None),
    ):
        logs = [made_log(each, None, listing(Program.USER, state)) for each in "AB"]
        scts = [made_sct(each, SIGNED) for each in logs]
        assert [each.compliant for each in evaluate_policies(SHORT, scts, NOW)] == [compliant] * 3


def test_a_log_that_fell_off_the_list_is_not_approved() -> None:
    """Newer lists without it say as much as a state would."""
    before = NOW - 10 * DAY
    left = made_log("B", None, listing(Program.CHROME, as_of=before))
    scts = [made_sct(made_log("A", None, listing(Program.CHROME, as_of=NOW)), SIGNED)]
    scts.append(made_sct(left, SIGNED))
    lists = {Program.CHROME: NOW}
    for at, compliant in ((before, True), (NOW - DAY, None), (NOW, False)):
        assert evaluate_policy(CHROME, SHORT, scts, at, lists).compliant is compliant


def test_the_age_of_the_list_is_noted() -> None:
    """Chrome and Firefox ask for nothing while their list is ten weeks old."""
    for age, said in ((70 * DAY - SECOND, False), (70 * DAY, True)):
        lists = {Program.CHROME: NOW - age, Program.APPLE: NOW - age}
        for policy, notes in ((CHROME, said), (FIREFOX, said), (APPLE, False)):
            result = evaluate_policy(policy, SHORT, scts_of("A", "B"), NOW, lists)
            assert bool(result.notes) is notes
            assert result.compliant is True


def test_list_dates_are_those_of_the_newest_lists() -> None:
    """A list without a date is one of today."""
    older, newer = (listing(Program.CHROME, as_of=NOW - each * DAY) for each in (5, 1))
    undated = listing(Program.APPLE)
    logs = [made_log("A", None, older, undated), made_log("B", None, newer)]
    assert list_dates(logs) == {Program.CHROME: NOW - DAY, Program.APPLE: None}


def test_what_is_not_valid_does_not_count() -> None:
    """Refused SCTs are as good as none, and those that could not be checked may be good."""
    for status, compliant in (
        (SCTStatus.VALID, True),
        (SCTStatus.INVALID, False),
        (SCTStatus.NOT_CHECKED, None),
    ):
        scts = [*scts_of("A"), made_sct(made_log("B"), SIGNED, status=status)]
        for policy in BrowserPolicy:
            assert evaluate_policy(policy, SHORT, scts, NOW).compliant is compliant
    gone = in_state("B", LogState.REJECTED, LONG_AGO)
    scts = [*scts_of("A"), made_sct(gone, SIGNED, status=SCTStatus.NOT_CHECKED)]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is False


def test_an_sct_that_cannot_be_read_does_not_count() -> None:
    """It names no log."""
    unreadable = JudgedSCT(source=EMBEDDED, raw=b"?", sct=None, status=SCTStatus.INVALID)
    result = evaluate_policy(CHROME, SHORT, [*scts_of("A"), unreadable], NOW)
    assert result.compliant is False
    assert "an unreadable SCT (invalid)" in " ".join(result.reasons)


_POOL = [
    made_sct(log, SIGNED + hours * HOUR, source, status)
    for hours, log in enumerate(
        [
            *(made_log(each, operator) for each, operator in zip("ABCD", "XXYZ", strict=True)),
            made_log("S", kind=LogKind.STATIC),
            in_state("R", LogState.RETIRED, SIGNED + DAY),
            in_state("J", LogState.REJECTED, LONG_AGO),
            None,
        ]
    )
    for source in SCTSource
    for status in (SCTStatus.VALID, SCTStatus.INVALID, SCTStatus.NOT_CHECKED)
]


@given(
    st.lists(st.sampled_from(_POOL), max_size=8),
    st.sampled_from(_POOL),
    st.sampled_from(list(BrowserPolicy)),
    st.sampled_from([datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC), NOW]),
    st.sampled_from([SHORT, lasting(300 * DAY)]),
)
def test_one_more_sct_never_hurts(
    scts: list[JudgedSCT],
    another: JudgedSCT,
    policy: BrowserPolicy,
    edition: datetime,
    subject: CertificateView,
) -> None:
    """However bad it is, nothing gets worse; and the order does not matter."""
    rank = {False: 0, None: 1, True: 2}
    shift = edition - NOW
    scts, (another,) = _shifted(scts, shift), _shifted([another], shift)
    before = evaluate_policy(policy, subject, scts, edition)
    after = evaluate_policy(policy, subject, [*scts, another], edition)
    assert rank[after.compliant] >= rank[before.compliant]
    mirrored = evaluate_policy(policy, subject, scts[::-1], edition)
    assert mirrored.compliant is before.compliant
    outcomes = [rule.passed for rule in before.rules]
    expected = False if False in outcomes else None if None in outcomes else True
    assert before.compliant is expected
    assert before.reasons
    assert all(reason.isprintable() for reason in before.reasons)


def _shifted(scts: list[JudgedSCT], shift: timedelta) -> list[JudgedSCT]:
    """The same SCTs at another time."""
    moved = []
    for each in scts:
        assert each.sct is not None
        moved.append(replace(each, sct=replace(each.sct, timestamp=each.sct.timestamp + shift)))
    return moved


def test_no_day_is_too_far_away() -> None:
    """A list may be of any day that there is."""
    ends = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    for date in ends:
        for since in ends:
            log = made_log("B", None, listing(Program.CHROME, LogState.RETIRED, since, as_of=date))
            scts = [*scts_of("A"), made_sct(log, SIGNED), made_sct(None, SIGNED)]
            for policy in BrowserPolicy:
                for at in (*ends, NOW):
                    result = evaluate_policy(policy, SHORT, scts, at)
                    assert result.reasons
                    assert forecast_policy(policy, SHORT, scts, at) is not None


def test_an_sct_of_after_the_retirement_does_not_count() -> None:
    """Even if the certificate was issued before, as the other SCT says."""
    log = in_state("B", LogState.RETIRED, SIGNED + HOUR)
    for signed, compliant in ((SIGNED + HOUR - SECOND, True), (SIGNED + HOUR, False)):
        scts = [made_sct(made_log("A"), SIGNED), made_sct(log, signed)]
        for policy in BrowserPolicy:
            assert evaluate_policy(policy, SHORT, scts, NOW).compliant is compliant


def test_a_newer_list_does_not_tell_what_a_log_was_before() -> None:
    """Only on the day of a list that announces a retirement the log is known to be approved."""
    for as_of, compliant in ((NOW, True), (NOW + SECOND, None)):
        gone = listing(Program.CHROME, LogState.RETIRED, NOW + DAY, as_of=as_of)
        scts = [*scts_of("A"), made_sct(made_log("B", None, gone), SIGNED)]
        lists = {Program.CHROME: as_of}
        assert evaluate_policy(CHROME, SHORT, scts, NOW, lists).compliant is compliant


def test_lists_of_the_user_stand_beside_each_other() -> None:
    """A log is not dropped because another of them is newer."""
    dates = (NOW - 9 * DAY, NOW)
    logs = [
        made_log(name, None, listing(Program.USER, as_of=date))
        for name, date in zip("AB", dates, strict=True)
    ]
    scts = [made_sct(log, SIGNED) for log in logs]
    lists = list_dates(logs)
    assert [each.compliant for each in evaluate_policies(SHORT, scts, NOW, lists)] == [True] * 3
    scts = [scts[0], made_sct(None, SIGNED)]
    assert [each.compliant for each in evaluate_policies(SHORT, scts, NOW, lists)] == [False] * 3


def test_an_sct_of_tomorrow_does_not_count_today() -> None:
    """Whatever it was when it was verified."""
    scts = [*scts_of("A"), made_sct(made_log("B"), NOW + SECOND)]
    assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is False
    assert evaluate_policy(CHROME, SHORT, scts, NOW + SECOND).compliant is True


def test_an_operator_goes_at_the_very_moment() -> None:
    """From the end of its time on the log is another's."""
    for until, compliant in ((SIGNED, False), (SIGNED + SECOND, True)):
        log = made_log("B", "A", previous=(("before", until),))
        scts = [*scts_of("A"), made_sct(log, SIGNED)]
        assert evaluate_policy(CHROME, SHORT, scts, NOW).compliant is compliant


def test_what_cannot_be_told_is_said_once_for_all_its_logs() -> None:
    """And a number that may be too small is called that."""
    logs = [in_state(name, LogState.REJECTED, NOW + DAY) for name in ("A", "B")]
    result = evaluate_policy(CHROME, SHORT, [made_sct(log, SIGNED) for log in logs], NOW)
    assert result.compliant is None
    current, count, _ = result.reasons
    assert current == (
        "no SCT in the certificate is of a log that is approved for certain; not known: A, B "
        "(rejected since 2026-11-25, and no list tells what it was before)"
    )
    assert count.endswith("and those of none count for certain")

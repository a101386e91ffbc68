"""Habits of renewal, and plans laid around them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning.policy import OnExpiry, PinRole
from pinwarden.pinning.rotation.habit import Habit, Issuance, habit_of, renewals_from
from pinwarden.pinning.rotation.plan import Circumstances, make_plan
from pinwarden.pinning.rotation.state import NewWas, Rotation, Stage
from pinwarden.pinning.rotation.steps import Step
from support.pin_rotation import authority, policy_of

TODAY = date(2026, 11, 24)


def issuance(start: int, lifetime: int = 90, key: bytes = b"k") -> Issuance:
    """From so many days after the first of the year on."""
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=start)
    return Issuance(not_before=first, not_after=first + timedelta(days=lifetime), spki_sha256=key)


def test_a_habit_that_was_seen() -> None:
    seen = [issuance(0), issuance(60), issuance(120, key=b"l"), issuance(180, key=b"m")]
    habit = habit_of(seen[-1], seen)
    assert habit.renewals == 3
    assert habit.new_keys == 2
    assert habit.period == timedelta(days=60)
    assert habit.lead == timedelta(days=30)


def test_certificates_of_one_day_are_one_renewal() -> None:
    seen = [issuance(0), issuance(0, key=b"rsa"), issuance(1), issuance(60)]
    assert habit_of(seen[-1], seen).renewals == 1


def test_nothing_seen_is_a_guess() -> None:
    habit = habit_of(issuance(0), [])
    assert (habit.renewals, habit.lead) == (0, timedelta(days=30))


def test_late_renewals_have_no_lead() -> None:
    assert habit_of(issuance(200), [issuance(0)]).lead == timedelta()


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 800)), max_size=8), st.integers(0, 900)
)
def test_a_renewal_is_never_before_it_was_asked_for(
    spans: list[tuple[int, int]], later: int
) -> None:
    served = issuance(3000, 90)
    habit = habit_of(served, [issuance(*each) for each in spans])
    start = served.not_before + timedelta(days=later)
    assert renewals_from(served, habit, start) >= start


POLICY = policy_of((authority(0).leaf,), (authority(1).leaf,))
# Ends 90 days after 12 October: the renewal is to be expected on 11 December.
SERVED = issuance(284)
HABIT = Habit(period=timedelta(days=60), lead=timedelta(days=30))


def given_(**more: Any) -> Circumstances:
    usual: dict[str, Any] = {
        "today": TODAY,
        "client_lag": 10,
        "keep": 7,
        "role": PinRole.LEAF,
        "ends": SERVED.not_after.date(),
        "served": SERVED,
        "habit": HABIT,
    }
    return Circumstances(**{**usual, **more})


def days_of(plan: Any) -> dict[Step, date | None]:
    return {each.step: each.done or each.planned for each in plan.steps}


def test_the_new_key_comes_with_the_next_renewal() -> None:
    plan = make_plan(POLICY, None, given_())
    days = days_of(plan)
    assert plan.next_step is Step.PREPARE
    assert plan.renewal == days[Step.SWITCH] == date(2026, 12, 11)
    assert days[Step.RETIRE] == date(2026, 12, 18)
    assert plan.steps[0].no_later == date(2026, 11, 30)
    assert plan.steps[2].no_earlier == date(2026, 12, 5)
    assert plan.warnings == ()


def test_slow_clients_need_a_renewal_with_the_old_key() -> None:
    plan = make_plan(POLICY, None, given_(client_lag=30))
    assert days_of(plan)[Step.SWITCH] == SERVED.not_after.date()
    (warning,) = plan.warnings
    assert "2026-12-11" in warning
    assert "must keep the old key" in warning


def test_too_slow_for_the_certificate() -> None:
    plan = make_plan(POLICY, None, given_(client_lag=90))
    assert any("renew it with the same key once more" in each for each in plan.warnings)
    assert days_of(plan)[Step.SWITCH] >= TODAY + timedelta(days=91)  # type: ignore[operator]


def test_a_ca_is_changed_at_a_renewal_of_the_leaf() -> None:
    plan = make_plan(POLICY, None, given_(client_lag=30, role=PinRole.CA, ends=date(2030, 1, 1)))
    assert days_of(plan)[Step.SWITCH] == date(2027, 2, 9)
    assert plan.warnings == ()


def test_a_policy_that_ends_in_between() -> None:
    policy = policy_of(
        (authority(0).leaf,),
        (authority(1).leaf,),
        expires=date(2026, 12, 1),
        on_expiry=OnExpiry.CLOSED,
    )
    (warning,) = make_plan(policy, None, given_()).warnings
    assert "2026-12-01" in warning
    assert "refuse every connection" in warning


def test_nothing_known_of_the_host() -> None:
    plan = make_plan(POLICY, None, given_(ends=None, served=None, habit=None))
    assert days_of(plan)[Step.SWITCH] == TODAY + timedelta(days=11)
    assert plan.renewal is None


@pytest.mark.parametrize("stage", list(Stage))
def test_what_is_done_stays_done(stage: Stage) -> None:
    stages = list(Stage)
    done = stages[: stages.index(stage) + 1]
    days = {each.value: TODAY - timedelta(days=20 - number) for number, each in enumerate(done)}
    rotation = Rotation(
        stage=stage,
        old=(authority(0).leaf,),
        new=authority(1).leaf,
        client_lag=10,
        new_was=NewWas.BACKUP,
        **days,
    )
    plan = make_plan(POLICY, rotation, given_())
    shown = [each.done for each in plan.steps]
    assert [each for each in shown if each] == list(days.values())
    assert plan.steps[stages.index(stage) + 1].step is plan.next_step
    for each in plan.steps:
        assert each.done or (each.planned is not None and each.planned >= TODAY)

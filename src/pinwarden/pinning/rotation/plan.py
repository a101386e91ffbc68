"""A rotation laid out in days: what is done when, and what stands against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from pinwarden.pinning.policy import OnExpiry, PinPolicy, PinRole
from pinwarden.pinning.rotation.habit import Habit, Issuance, renewals_from
from pinwarden.pinning.rotation.state import Rotation, Stage
from pinwarden.pinning.rotation.steps import Step

__all__ = ["Circumstances", "Plan", "PlannedStep", "make_plan"]

_SHOWN = (Step.PREPARE, Step.PUBLISH, Step.SWITCH, Step.PROMOTE, Step.RETIRE)
_STAGES = (Stage.PREPARED, Stage.PUBLISHED, Stage.SWITCHING, Stage.PROMOTED)

_THEN = {
    OnExpiry.CLOSED: "refuse every connection",
    OnExpiry.OPEN: "connect without pins",
    OnExpiry.REPORT_ONLY: "only report",
    None: "do what is not said",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step: the day on which it was done, or that on which it is planned.

    `no_later` is the last day on which it leaves the rest of the plan as it is, and
    `no_earlier` the first on which it is allowed; None where nothing bounds it.
    """

    step: Step
    done: date | None = None
    planned: date | None = None
    no_earlier: date | None = None
    no_later: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps in their order, the renewal that they are laid around, and warnings."""

    steps: tuple[PlannedStep, ...]
    next_step: Step
    renewal: date | None = None
    ends: date | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan is made of besides the policy.

    `client_lag` and `keep` are in days: how old a client's set may be, and how long the
    old pin stays after the switch. `ends` is the last day of the certificate with the old
    key; `served` the leaf's certificate and `habit` how it is renewed; None if unknown.
    `new_is_alone` says that an address serves the new key and no old one.
    """

    today: date
    client_lag: int
    keep: int
    role: PinRole
    ends: date | None = None
    served: Issuance | None = None
    habit: Habit | None = None
    new_is_alone: bool = False


def make_plan(policy: PinPolicy, rotation: Rotation | None, given: Circumstances) -> Plan:
    """Lay out what is left of a rotation; `rotation` is None if it has not begun.

    The new key goes in with a renewal, since then the certificate changes anyway: the
    first one by which every client has the new pin.
    """
    lag = given.client_lag if rotation is None else rotation.client_lag
    wait = timedelta(days=lag + 1)
    published = rotation.published if rotation is not None else None
    earliest = max((published or given.today) + wait, given.today)
    renewal = _renewal(given, earliest)
    switch = renewal or earliest
    if given.ends is not None and earliest <= given.ends:
        switch = min(switch, given.ends)
    if rotation is not None and rotation.switching is not None:
        switch = max(rotation.switching, given.today)
    retire = switch + timedelta(days=given.keep)
    if rotation is not None and rotation.promoted is not None:
        retire = max(rotation.promoted + timedelta(days=given.keep), given.today)
    last = max(switch - wait, given.today)
    planned = (
        PlannedStep(step=Step.PREPARE, planned=given.today, no_later=last),
        PlannedStep(step=Step.PUBLISH, planned=given.today, no_later=last),
        PlannedStep(step=Step.SWITCH, planned=switch, no_earlier=earliest, no_later=given.ends),
        PlannedStep(step=Step.PROMOTE, planned=switch),
        PlannedStep(step=Step.RETIRE, planned=retire),
    )
    return Plan(
        steps=tuple(_done(each, rotation) for each in planned),
        next_step=_next(rotation),
        renewal=renewal,
        ends=given.ends,
        warnings=_warnings(policy, rotation, given, earliest, switch),
    )


def _renewal(given: Circumstances, earliest: date) -> date | None:
    if given.served is None or given.habit is None:
        return None
    start = datetime.combine(earliest, time(), UTC)
    return renewals_from(given.served, given.habit, start).date()


def _done(step: PlannedStep, rotation: Rotation | None) -> PlannedStep:
    if rotation is None or step.step is Step.RETIRE:
        return step
    stage = _STAGES[_SHOWN.index(step.step)]
    day = getattr(rotation, stage.value)
    return step if day is None else replace(step, done=day, planned=None)


def _next(rotation: Rotation | None) -> Step:
    if rotation is None:
        return Step.PREPARE
    return _SHOWN[_STAGES.index(rotation.stage) + 1]


def _warnings(
    policy: PinPolicy,
    rotation: Rotation | None,
    given: Circumstances,
    earliest: date,
    switch: date,
) -> tuple[str, ...]:
    found = []
    if policy.expires is not None and policy.expires < switch:
        found.append(
            f"the policy's last day is {policy.expires}, before the switch on {switch}: after it "
            f"clients with this set {_THEN[policy.on_expiry]}; move expires first"
        )
    if rotation is not None and rotation.stage in (Stage.SWITCHING, Stage.PROMOTED):
        return tuple(found)
    if given.new_is_alone and given.today < earliest:
        found.append(
            f"the new key is served already, and clients may be without its pin until {earliest}: "
            "go back to the old key until then"
        )
    if given.ends is not None and earliest > given.ends:
        found.append(
            f"the certificate with the old key ends on {given.ends}, and clients may be without "
            f"the new pin until {earliest}: renew it with the same key once more"
        )
    next_renewal = _renewal(given, given.today)
    if given.role is PinRole.LEAF and next_renewal is not None and next_renewal < earliest:
        habit = given.habit
        usual = (
            f" ({habit.new_keys} of the last {habit.renewals} brought a new one)"
            if habit is not None and habit.renewals
            else ""
        )
        found.append(
            f"a renewal is to be expected on {next_renewal}, before clients have the new pin: it "
            f"must keep the old key{usual}"
        )
    return tuple(found)

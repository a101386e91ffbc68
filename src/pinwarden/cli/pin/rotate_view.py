"""A rotation as it is told to a person and to a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pinwarden.names import display
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinPolicy
from pinwarden.pinning.rotation.habit import Habit
from pinwarden.pinning.rotation.plan import Plan, PlannedStep
from pinwarden.pinning.rotation.state import Rotation
from pinwarden.pinning.rotation.steps import Step

__all__ = ["Outcome", "plan_json", "plan_text"]

_WHAT = {
    Step.PREPARE: "put the new pin and another backup into the file",
    Step.PUBLISH: "give clients that file",
    Step.SWITCH: "servers may change to the new key",
    Step.PROMOTE: "every address serves the new key: pin it as one in use",
    Step.RETIRE: "take the old pins out",
    Step.ABORT: "go back to the old key",
}
_THEN = {
    Step.PREPARE: "now give clients the file (a release, or a bundle), then --do publish",
    Step.PUBLISH: "now wait until every client has it",
    Step.SWITCH: "now install the new certificate at every address, then --do promote",
    Step.PROMOTE: "the old pin stays in for going back; then --do retire",
    Step.RETIRE: "now give clients the file; the rotation is over",
    Step.ABORT: "now give clients the file; the rotation is over: serve the old key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the command came to; `plan` is None when the rotation is over."""

    file: str
    policy: PinPolicy
    rotation: Rotation | None
    old: tuple[Pin, ...]
    new: Pin | None
    plan: Plan | None
    habit: Habit | None
    done: tuple[Step, ...]
    written: bool
    difference: str
    not_seen: tuple[str, ...]


def plan_text(outcome: Outcome) -> Iterator[str]:
    """The plan, and what was done, in lines."""
    for step in outcome.done:
        yield f"{'done' if outcome.written else 'would do'}: {step}: {_WHAT[step]}"
    if outcome.done:
        yield f"  {_THEN[outcome.done[-1]]}"
        yield ""
    if outcome.difference:
        for line in outcome.difference.splitlines():
            yield display(line, 2000)
        yield ""
    plan = outcome.plan
    if plan is None:
        return
    yield f"{display(outcome.policy.host, 260)}: {_state(outcome)}"
    for old in outcome.old:
        yield f"  old  {_key(outcome.policy, old)}"
    new = outcome.new
    yield f"  new  {'not chosen yet: --new PIN|FILE' if new is None else _key(outcome.policy, new)}"
    yield from _dates(outcome, plan)
    yield ""
    for each in plan.steps:
        mark = ">" if each.step is plan.next_step else " "
        yield f"{mark} {_when(each):<24} {each.step:<8} {_WHAT[each.step]}{_bounds(each)}"
    for warning in plan.warnings:
        yield f"  warning: {warning}"
    for problem in outcome.not_seen:
        yield f"  not checked: {display(problem, 300)}"


def _state(outcome: Outcome) -> str:
    if outcome.rotation is None:
        return "a rotation that has not begun"
    lag = outcome.rotation.client_lag
    return f"a rotation that is {outcome.rotation.stage}, for clients that lag by {lag} days"


def _key(policy: PinPolicy, pin: Pin) -> str:
    for key in policy.keys:
        if key.pin == pin:
            note = f", {display(key.comment, 100)}" if key.comment else ""
            return f"{pin} ({key.role} pin{note})"
    return f"{pin} (not in the file)"


def _dates(outcome: Outcome, plan: Plan) -> Iterator[str]:
    if plan.ends is not None:
        yield f"  the certificate with the old key ends on {plan.ends}"
    habit = outcome.habit
    if habit is None:
        return
    lead = f"{habit.lead.days} days before the end"
    if habit.renewals:
        yield (
            f"  renewals seen: {habit.renewals}, every {habit.period.days} days, {lead}, "
            f"{habit.new_keys} of them with a new key"
        )
    else:
        yield f"  renewals: none seen; taken to be {lead} (--history learns it from the store)"


def _when(step: PlannedStep) -> str:
    if step.done is not None:
        return f"done on {step.done}"
    return "" if step.planned is None else f"planned for {step.planned}"


def _bounds(step: PlannedStep) -> str:
    if step.done is not None:
        return ""
    parts = []
    if step.no_earlier is not None:
        parts.append(f"not before {step.no_earlier}")
    if step.no_later is not None and step.no_later != step.planned:
        parts.append(f"no later than {step.no_later}")
    return f" ({', '.join(parts)})" if parts else ""


def plan_json(outcome: Outcome) -> dict[str, Any]:
    """The plan, and what was done, as docs/command-line-pin.md has it."""
    plan, habit = outcome.plan, outcome.habit
    return {
        "file": outcome.file,
        "host": outcome.policy.host,
        "stage": None if outcome.rotation is None else str(outcome.rotation.stage),
        "old": [str(pin) for pin in outcome.old],
        "new": None if outcome.new is None else str(outcome.new),
        "client_lag_days": None if outcome.rotation is None else outcome.rotation.client_lag,
        "done": [str(step) for step in outcome.done],
        "written": outcome.written,
        "diff": outcome.difference,
        "next_step": None if plan is None else str(plan.next_step),
        "ends": None if plan is None else _day(plan.ends),
        "renewal": None if plan is None else _day(plan.renewal),
        "habit": None
        if habit is None
        else {
            "renewals": habit.renewals,
            "new_keys": habit.new_keys,
            "period_days": habit.period.days,
            "lead_days": habit.lead.days,
        },
        "steps": [] if plan is None else [_step_json(each) for each in plan.steps],
        "warnings": [] if plan is None else list(plan.warnings),
        "not_checked": list(outcome.not_seen),
    }


def _step_json(step: PlannedStep) -> dict[str, Any]:
    return {
        "step": str(step.step),
        "done": _day(step.done),
        "planned": _day(step.planned),
        "no_earlier": _day(step.no_earlier),
        "no_later": _day(step.no_later),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

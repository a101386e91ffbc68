"""Whether clients that pin would connect."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, finding, nothing_served, places
from pinwarden.audit.facts import Facts, Presentation
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.pinning.policy import Mode, UnpinnedHosts
from pinwarden.pinning.result import PinResult, PinVerdict, Reason

__all__ = ["check_pins"]

_CHECK = "pins"


def check_pins(facts: Facts) -> Iterator[Outcome]:
    """Compare every chain that verified with the policy of the host."""
    pins = facts.pins
    if pins is None:
        yield NotChecked(Area.PINS, _CHECK, "no pin set is named", failed=False)
        return
    policy = pins.policy_for(facts.host)
    if policy is None:
        refused = pins.unpinned_hosts is UnpinnedHosts.REFUSE
        why = "the pin set has no policy for the host"
        why += ", and its clients refuse such hosts" if refused else ""
        yield NotChecked(Area.PINS, _CHECK, why, failed=refused)
        return
    if not facts.shown:
        yield nothing_served(Area.PINS)
        return
    checked = [
        (shown, pins.check(shown.first.verified, facts.host, at=facts.at))
        for shown in facts.shown
        if shown.verified
    ]
    if len(checked) < len(facts.shown):
        why = "clients refuse a chain that does not verify, whatever is pinned"
        yield NotChecked(Area.PINS, _CHECK, why, failed=True)
    if policy.expired(facts.at):
        words = f"the policy for {policy.host} expired on {policy.expires}"
        yield finding(findings.PIN_EXPIRED, facts, words)
    elif checked:
        yield from _compared(checked, facts, reported=policy.mode is Mode.REPORT_ONLY)


def _compared(
    checked: list[tuple[Presentation, PinResult]], facts: Facts, *, reported: bool
) -> Iterator[Outcome]:
    forbidden = [shown for shown, result in checked if result.reason is Reason.FORBIDDEN_KEY]
    unmatched = [shown for shown, result in checked if result.reason is Reason.NO_PIN_MATCHED]
    unclear = [result for _, result in checked if result.verdict is PinVerdict.UNKNOWN]
    if forbidden:
        where = _where(forbidden)
        words = f"a key that the policy forbids is served at {where}"
        yield finding(findings.PIN_FORBIDDEN_SERVED, facts, words, where)
    if unmatched and len(unmatched) == len(checked):
        words = unmatched_words(checked[0][1])
        if reported:
            words += "; the policy is report-only: clients tell of it, and connect"
        yield finding(findings.PIN_LOCKED_OUT, facts, words)
    elif unmatched:
        where = _where(unmatched)
        words = f"no pin matches at {where}, and one does elsewhere"
        yield finding(findings.PIN_ADDRESSES_DISAGREE, facts, words, where)
    if unclear:
        yield NotChecked(Area.PINS, _CHECK, str(unclear[0]), failed=True)
    if all(result.verdict is PinVerdict.MATCH for _, result in checked):
        result = checked[0][1]
        key = result.matched[0]
        yield Passed(Area.PINS, _CHECK, f"{key.role} pin {key.pin.curl} is in the verified chain")


def unmatched_words(result: PinResult) -> str:
    """What was seen, for a person."""
    seen = ", ".join(pin.curl for pin in result.seen[:4])
    return f"no key that is served is pinned: {seen or 'there is none'}"


def _where(shown: list[Presentation]) -> str:
    return places([address for each in shown for address in each.addresses])

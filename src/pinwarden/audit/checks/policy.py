"""Whether Chrome, Apple and Firefox accept the SCTs, today and later."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, nothing_served, place_of
from pinwarden.audit.facts import CTFacts, Facts, Presentation
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.ct.policy import PolicyResult
from pinwarden.ct.policy_findings import browser_names, findings_of_policies
from pinwarden.findings import Finding

__all__ = ["check_policy"]

_CHECK = "policy"


def check_policy(facts: Facts) -> Iterator[Outcome]:
    """A finding for each cause, whichever browser and whichever chain it is met with."""
    if not facts.shown:
        yield nothing_served(Area.POLICY)
        return
    met: dict[str, Finding] = {}
    for shown in facts.shown:
        outcomes = list(_check(shown, facts))
        met |= {each.id: each for each in outcomes if isinstance(each, Finding)} | met
        yield from (each for each in outcomes if not isinstance(each, Finding))
    yield from met.values()


def _check(shown: Presentation, facts: Facts) -> Iterator[Outcome]:
    ct, where = shown.ct, place_of(shown, facts)
    at = f" (at {where})" if where else ""
    if not isinstance(ct, CTFacts):
        yield NotChecked(Area.POLICY, _CHECK, ct.why + at, failed=ct.failed)
        return
    found = findings_of_policies(ct.policies, ct.forecasts, ct.scts, facts.host)
    lacking = [each for each in found if each.kind is not findings.CT_POLICY_WILL_FAIL]
    if shown.handed_problem and lacking:
        # What was not seen could be what is missing.
        why = f"{lacking[0].message}; SCTs beside the certificate: {shown.handed_problem}{at}"
        yield NotChecked(Area.POLICY, _CHECK, why, failed=True)
        found = tuple(each for each in found if each not in lacking)
    elif ct.rests_on_unlisted and lacking:
        # One fault: what those SCTs are worth is what is found already.
        found = tuple(each for each in found if each not in lacking)
    yield from found
    for result in ct.policies:
        if result.compliant is None:
            why = _open_reason(result) + at
            yield NotChecked(Area.POLICY, str(result.policy), why, failed=True)
        elif result.compliant is False and ct.rests_on_unlisted:
            why = f"refused, as far as the lists tell: {result.reasons[0]}{at}"
            yield NotChecked(Area.POLICY, str(result.policy), why, failed=True)
        elif result.compliant:
            words = f"{browser_names([result.policy])} accepts the SCTs ({result.edition}){at}"
            yield Passed(Area.POLICY, str(result.policy), words)


def _open_reason(result: PolicyResult) -> str:
    """What keeps the answer from being told; the report has all the rules besides."""
    unknown = (rule.reason for rule in result.rules if rule.passed is None)
    return next(unknown, "; ".join(result.reasons))

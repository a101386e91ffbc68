"""Whether the CAA answers could be forged."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.audit.checks.caa import shown_policy_name
from pinwarden.audit.checks.outcome import Outcome, finding, nothing_served
from pinwarden.audit.facts import CAAFacts, Facts, NamePolicy
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.caa.lookup import DNSSECState

__all__ = ["check_dnssec", "state_of"]

_CHECK = "signatures"
_MOST_NAMED = 5


def check_dnssec(facts: Facts) -> Iterator[Outcome]:
    """What the resolver says of the answers, at their weakest."""
    caa = facts.caa
    if not isinstance(caa, CAAFacts):
        if not facts.shown and caa.failed:
            yield nothing_served(Area.DNSSEC)
        else:
            why = caa.why if caa.failed else "no CAA answer was asked for"
            yield NotChecked(Area.DNSSEC, _CHECK, why, failed=caa.failed)
        return
    states: dict[DNSSECState, list[NamePolicy]] = {state: [] for state in DNSSECState}
    for policy in caa.policies:
        states[state_of(policy)].append(policy)
    if states[DNSSECState.BOGUS]:
        why = f"the answers for {_names(states[DNSSECState.BOGUS])} fail validation"
        yield NotChecked(Area.DNSSEC, _CHECK, why, failed=True)
    if states[DNSSECState.INSECURE]:
        words = f"the CAA answers for {_names(states[DNSSECState.INSECURE])} are not signed"
        yield finding(findings.AUDIT_UNSIGNED, facts, words)
    if states[DNSSECState.INDETERMINATE]:
        failed = all(each.governing.failed for each in states[DNSSECState.INDETERMINATE])
        why = (
            "the names could not be looked up"
            if failed
            else "the resolver does not validate, or what it says can be changed on the way"
        )
        yield NotChecked(Area.DNSSEC, _CHECK, why, failed=failed)
    if len(states[DNSSECState.SECURE]) == len(caa.policies):
        yield Passed(Area.DNSSEC, _CHECK, "the CAA answers are signed, and the resolver validates")


def state_of(policy: NamePolicy) -> DNSSECState:
    """The weakest state among the answers about one name, at the resolver that decided."""
    return policy.governing.dnssec


def _names(policies: list[NamePolicy]) -> str:
    words = ", ".join(map(shown_policy_name, policies[:_MOST_NAMED]))
    rest = len(policies) - _MOST_NAMED
    return f"{words} and {rest} more" if rest > 0 else words

"""Whether the CA that issued this certificate may issue the next one, for every name in it.

CAA is not for whoever checks a certificate in use (RFC 8659 section 1): what is found here
is about the next renewal, and says nothing against the certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, finding, nothing_served
from pinwarden.audit.facts import CAAFacts, Facts, NamePolicy
from pinwarden.audit.renewal import has_terms
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.evaluate import CAAVerdict
from pinwarden.caa.history.observation import presentation_of
from pinwarden.caa.lookup import Failure
from pinwarden.names import display

__all__ = ["check_caa", "issuer_words", "shown_policy_name"]

_MOST_NAMED = 5


def check_caa(facts: Facts) -> Iterator[Outcome]:
    """Whether the next renewal would pass, as far as CAA is concerned."""
    if facts.silent and facts.shown:
        words = f"{', '.join(facts.silent)} does not answer"
        yield finding(findings.AUDIT_RESOLVER_DOWN, facts, words)
    caa = facts.caa
    if not isinstance(caa, CAAFacts):
        if not facts.shown and caa.failed:
            yield nothing_served(Area.CAA)
        else:
            yield NotChecked(Area.CAA, "renewal", caa.why, failed=caa.failed)
        return
    yield from _judged(caa, facts)
    yield from _disagreement(caa, facts)
    if caa.left_out:
        why = f"{caa.left_out} more names of the certificate were not looked up"
        yield NotChecked(Area.CAA, "more names", why, failed=True)
    if caa.unreadable:
        why = f"names that cannot be asked for: {display('; '.join(caa.unreadable), 300)}"
        yield NotChecked(Area.CAA, "unreadable names", why, failed=True)


def _judged(caa: CAAFacts, facts: Facts) -> Iterator[Outcome]:
    failed = [each for each in caa.policies if _lookup_failed(each)]
    bogus = [each for each in failed if _failure(each) is Failure.BOGUS]
    others = [each for each in failed if each not in bogus]
    denied = [each for each in caa.policies if each.decision.verdict is CAAVerdict.DENIED]
    unsure = [
        each
        for each in caa.policies
        if each.decision.verdict is CAAVerdict.UNKNOWN and each not in failed
    ]
    if denied:
        words = f"{issuer_words(caa)} may not issue for {_names(denied)}: {_why(denied[0])}"
        where = denied[0].decision.relevant_name or ""
        yield finding(findings.AUDIT_RENEWAL_REFUSED, facts, words, where)
    for kind, group in ((findings.CAA_BOGUS, bogus), (findings.CAA_LOOKUP_FAILED, others)):
        if group:
            words = f"CAA for {_names(group)} cannot be looked up: {_why(group[0])}"
            where = group[0].governing.relevant_name or ""
            yield finding(kind, facts, words, where)
    if unsure:
        why = f"{_names(unsure)}: {_why(unsure[0])}"
        if not caa.domains:
            why += " (--ca names the CA as CAA does)"
        yield NotChecked(Area.CAA, "renewal", why, failed=True)
    bound = [
        each
        for each in caa.policies
        if each.decision.verdict is CAAVerdict.ALLOWED and has_terms(each, caa.domains)
    ]
    if bound:
        why = f"CAA of {_names(bound)} names accounts or methods, which your ACME client knows: "
        why += "`pinwarden caa check --account-uri URI --method LABEL` compares them"
        yield NotChecked(Area.CAA, "account and method", why, failed=False)
    if not (denied or failed or unsure):
        yield Passed(Area.CAA, "renewal", _allowed(caa))


def _allowed(caa: CAAFacts) -> str:
    count = len(caa.policies)
    first = shown_policy_name(caa.policies[0])
    bound = [each for each in caa.policies if each.governing.relevant_name is not None]
    if not bound:
        names = first if count == 1 else f"any of {count} names"
        return f"no CAA records for {names}: any CA may issue"
    names = first if count == 1 else f"all {count} names"
    return f"{issuer_words(caa)} may issue for {names}: {_why(bound[0])}"


def issuer_words(caa: CAAFacts) -> str:
    """The CA, as far as it is known, safe to show."""
    if caa.owner:
        return display(caa.owner, 100)
    if caa.domains:
        return display(", ".join(caa.domains[:3]), 100)
    return "the CA that issued"


def shown_policy_name(policy: NamePolicy) -> str:
    """The name as a certificate has it."""
    return f"*.{policy.name.name}" if policy.name.wildcard else policy.name.name


def _names(policies: Sequence[NamePolicy]) -> str:
    words = ", ".join(map(shown_policy_name, policies[:_MOST_NAMED]))
    rest = len(policies) - _MOST_NAMED
    return f"{words} and {rest} more" if rest > 0 else words


def _why(policy: NamePolicy) -> str:
    return "; ".join(display(each, 300) for each in policy.decision.why[:3])


def _lookup_failed(policy: NamePolicy) -> bool:
    return policy.governing.failed and policy.decision.verdict is CAAVerdict.UNKNOWN


def _failure(policy: NamePolicy) -> Failure | None:
    return None if policy.governing.lookup is None else policy.governing.lookup.failure


def _policy(found: RelevantSet) -> tuple[str | None, tuple[str, ...]]:
    """What there is to compare: where the set stands, and what is in it."""
    if found.lookup is None:
        return None, ()
    return found.relevant_name, presentation_of((*found.lookup.records, *found.lookup.broken))


def _disagreement(caa: CAAFacts, facts: Facts) -> Iterator[Outcome]:
    """Names whose policy is another one by another resolver; a failure tells for itself."""
    differing = [
        each
        for each in caa.policies
        if len({_policy(found) for found in each.found if not found.failed}) > 1
    ]
    if differing:
        words = f"the resolvers see different CAA policies for {_names(differing)}"
        yield finding(findings.CAA_RESOLVERS_DISAGREE, facts, words)

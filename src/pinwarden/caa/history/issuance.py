"""Whether a certificate was allowed when it was issued (RFC 8659 section 1, Evaluator).

A certificate is unauthorized only if every policy known to have been in force in the window
before its issuance forbids it, and authorized only if every one permits it and there are looks
before and after. What stands between is possibly authorized, and what cannot be known unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pinwarden.caa.climb import CAAName, parse_caa_name, why_not_applicable
from pinwarden.caa.evaluate import CAAVerdict, Decision, Reason, Request, evaluate_caa
from pinwarden.caa.history.observation import Observation, found_of
from pinwarden.caa.history.timeline import (
    REUSE,
    InForce,
    Spell,
    in_force,
    longest_gap,
    spells_of,
    window_start,
)
from pinwarden.caa.profiles import RFC8659, Profile
from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.verdicts import Verdict


class HistoryReason(StrEnum):
    """Reasons of a verdict about the past, beside those of an evaluation (`Reason`)."""

    POLICY_STABLE = "policy-stable"
    POLICY_AT_ISSUANCE = "policy-at-issuance"
    CHANGED_WITHIN_WINDOW = "changed-within-window"
    NOT_BRACKETED = "not-bracketed"
    NO_OBSERVATION = "no-observation-in-window"
    ACCOUNT_NOT_OBSERVABLE = "account-not-observable"
    METHOD_NOT_OBSERVABLE = "method-not-observable"
    ISSUER_NOT_MAPPED = "issuer-not-mapped"
    NAME_UNREADABLE = "name-unreadable"
    TIME_UNKNOWN = "issuance-time-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """What a certificate shows of its issuance.

    `issuers` are the CAA domains of its CA, None or empty where the CA is not mapped;
    `complete` says that the CA has no others. `earliest_sct` is the time of the earliest
    signed certificate timestamp, `not_before` from the certificate, which a CA may
    backdate. `account_uri` and `method` where the owner knows them.
    """

    names: tuple[str, ...]
    issuers: tuple[str, ...] | None = None
    complete: bool = True
    earliest_sct: datetime | None = None
    not_before: datetime | None = None
    account_uri: str | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHistory:
    """The verdict on one name of a certificate, and the policies that it rests on.

    `since` is when the window begins. `longest_gap` is the longest time between looks
    that a short change could have hidden in, None where nothing was seen.
    """

    name: str
    wildcard: bool
    verdict: Verdict
    reason: str
    why: tuple[str, ...] = ()
    since: datetime | None = None
    longest_gap: timedelta | None = None
    policies: tuple[tuple[Spell, Decision], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryVerdict:
    """The verdict on a certificate: that of its worst name.

    `at` is the time taken as that of issuance; `by_sct` says that an SCT gave it.
    """

    verdict: Verdict
    reason: str
    why: tuple[str, ...]
    at: datetime | None
    by_sct: bool
    names: tuple[NameHistory, ...]


_WORST_FIRST = (
    Verdict.UNAUTHORIZED,
    Verdict.UNKNOWN,
    Verdict.POSSIBLY_AUTHORIZED,
    Verdict.AUTHORIZED,
)


def evaluate_at_issuance(
    observations: Iterable[Observation], issuance: Issuance, profile: Profile = RFC8659
) -> HistoryVerdict:
    """Judge a certificate by the policies seen around its issuance; never raises.

    Every name must be permitted (RFC 8659 section 3), so the worst decides.
    """
    at = issuance.earliest_sct or issuance.not_before
    by_sct = issuance.earliest_sct is not None
    if at is None or not issuance.names:
        what = "time of issuance" if at is None else "name"
        why = (f"the certificate shows no {what}",)
        reason = HistoryReason.TIME_UNKNOWN if at is None else HistoryReason.NAME_UNREADABLE
        return HistoryVerdict(
            verdict=Verdict.UNKNOWN, reason=reason, why=why, at=at, by_sct=by_sct, names=()
        )
    seen = tuple(observations)
    names = tuple(_judge_name(name, seen, issuance, at, profile) for name in issuance.names)
    worst = min(names, key=lambda each: _WORST_FIRST.index(each.verdict))
    notes = list(worst.why)
    if len(names) > 1:
        shown = f"*.{worst.name}" if worst.wildcard else worst.name
        notes = [f"{display(shown, 100)}: {note}" for note in notes]
    if not by_sct:
        notes.append(
            "no SCT, so the certificate's own notBefore was taken as the time of issuance, "
            "which a CA may backdate"
        )
    return HistoryVerdict(
        verdict=worst.verdict,
        reason=worst.reason,
        why=tuple(notes),
        at=at,
        by_sct=by_sct,
        names=names,
    )


def _judge_name(
    text: str, seen: Sequence[Observation], issuance: Issuance, at: datetime, profile: Profile
) -> NameHistory:
    try:
        name = parse_caa_name(text)
    except MalformedError as error:
        return NameHistory(
            name=text,
            wildcard=False,
            verdict=Verdict.UNKNOWN,
            reason=HistoryReason.NAME_UNREADABLE,
            why=(str(error),),
        )
    outside = why_not_applicable(name.name)
    if outside is not None:
        return NameHistory(
            name=name.name,
            wildcard=name.wildcard,
            verdict=Verdict.AUTHORIZED,
            reason=Reason.NOT_APPLICABLE,
            why=(outside,),
        )
    return _Judge(name, issuance, at, profile).judge(
        [each for each in seen if normal_name(each.name) == name.name]
    )


def normal_name(text: str) -> str:
    """The name that an observation is about: CAA for `*.X` is that of X (section 3)."""
    return text.lower().removesuffix(".").removeprefix("*.")


@dataclass(frozen=True, slots=True)
class _Judge:
    """One name of one certificate."""

    name: CAAName
    issuance: Issuance
    at: datetime
    profile: Profile

    def judge(self, seen: Sequence[Observation]) -> NameHistory:
        resolvers = dict.fromkeys(each.resolver for each in seen)
        timelines = [
            spells_of([each for each in seen if each.resolver == one]) for one in resolvers
        ]
        start = min(
            (window_start(spells, self.at) for spells in timelines), default=self.at - REUSE
        )
        states = [in_force(spells, self.at, start) for spells in timelines]
        counted = _in_order(spell for state in states for spell in self._counted(state))
        policies = tuple((spell, self._decide(spell.policy)) for spell in counted)
        verdict, reason, why = self._weigh(policies, states, timelines)
        within = [each for each in seen if _touches(each, start, self.at)]
        if any(each.failed for each in within):
            verdict, reason, why = self._with_failures(within, verdict, reason, why)
        return NameHistory(
            name=self.name.name,
            wildcard=self.name.wildcard,
            verdict=verdict,
            reason=reason,
            why=why,
            since=start,
            longest_gap=longest_gap(counted),
            policies=policies,
        )

    def _counted(self, state: InForce) -> Iterable[Spell]:
        yield from state.certain
        # A refusal that lingered in a cache would have kept the certificate from being
        # issued, so only a permission can have been used like this.
        yield from (
            spell
            for spell in state.lingering
            if self._decide(spell.policy).verdict is not CAAVerdict.DENIED
        )
        # Before and after alike: presumed the same between.
        kinds = {_kind(self._decide(spell.policy)) for spell in state.around}
        if len(state.around) == 2 and len(kinds) == 1:
            yield state.around[0]

    def _decide(self, policy: Observation) -> Decision:
        request = Request(
            name=self.name.name,
            issuers=self.issuance.issuers or (),
            wildcard=self.name.wildcard,
            account_uri=self.issuance.account_uri,
            method=self.issuance.method,
        )
        return evaluate_caa(found_of(policy), request, self.profile)

    def _weigh(
        self,
        policies: Sequence[tuple[Spell, Decision]],
        states: Sequence[InForce],
        timelines: Sequence[Sequence[Spell]],
    ) -> tuple[Verdict, str, tuple[str, ...]]:
        if not policies:
            return Verdict.UNKNOWN, HistoryReason.NO_OBSERVATION, (_nothing_seen(states),)
        decisions = [decision for _, decision in policies]
        last = decisions[-1]
        open_reasons = [self._unmapped(decision) or _unclear(decision) for decision in decisions]
        unclear = next((reason for reason in open_reasons if reason is not None), None)
        if unclear is not None:
            return Verdict.UNKNOWN, unclear, _why(decisions, unclear)
        kinds = {_kind(decision) for decision in decisions}
        if kinds == {CAAVerdict.DENIED}:
            return Verdict.UNAUTHORIZED, last.reason, last.why
        if len(kinds) > 1:
            return Verdict.POSSIBLY_AUTHORIZED, HistoryReason.CHANGED_WITHIN_WINDOW, (_CHANGED,)
        if last.verdict is CAAVerdict.UNKNOWN:
            return Verdict.POSSIBLY_AUTHORIZED, _kind(last), _why(decisions, _kind(last))
        before = any(state.from_before for state in states)
        if not (before and any(self._is_followed(state) for state in states)):
            unconfirmed = "no look before the window, or none soon after the issuance, confirms it"
            return (
                Verdict.POSSIBLY_AUTHORIZED,
                HistoryReason.NOT_BRACKETED,
                (*last.why, unconfirmed),
            )
        if last.reason is not Reason.ISSUER_AUTHORIZED:
            return Verdict.AUTHORIZED, last.reason, last.why
        different = {spell.policy.policy for spells in timelines for spell in spells}
        stable = len(different) == 1
        reason = HistoryReason.POLICY_STABLE if stable else HistoryReason.POLICY_AT_ISSUANCE
        return Verdict.AUTHORIZED, reason, last.why

    def _is_followed(self, state: InForce) -> bool:
        """Whether a look after the issuance confirms that the policy had not changed by then."""
        if state.to_after or state.following is None:
            return state.to_after
        # Another policy, but with the same answer for this CA.
        return self._decide(state.following.policy).verdict is CAAVerdict.ALLOWED

    def _unmapped(self, decision: Decision) -> str | None:
        """Whether a refusal may be one only because not all of the CA's domains are known."""
        known = bool(self.issuance.issuers) and self.issuance.complete
        if known or decision.verdict is not CAAVerdict.DENIED:
            return None
        # A set that authorises nobody at all forbids every CA, known or not.
        if decision.reason is not Reason.ISSUER_NOT_LISTED:
            return None
        return HistoryReason.ISSUER_NOT_MAPPED

    def _with_failures(
        self, within: Sequence[Observation], verdict: Verdict, reason: str, why: tuple[str, ...]
    ) -> tuple[Verdict, str, tuple[str, ...]]:
        """What looks that failed in the window add.

        If all of them did, nobody knows what the CA saw, whatever was seen before and after.
        Otherwise they matter where the profile lets a CA take a failure for permission.
        """
        failures = [each for each in within if each.failed]
        decisions = [self._decide(failure) for failure in failures]
        permitted = any(each.verdict is CAAVerdict.ALLOWED for each in decisions)
        note = f"{sum(each.count for each in failures)} of the looks in the window failed"
        if len(failures) == len(within):
            note = "every look in the window failed"
            if reason != HistoryReason.NO_OBSERVATION:
                note += f"; by those around it the answer were {verdict}, {reason}"
            return Verdict.UNKNOWN, Reason.LOOKUP_FAILURE, (*decisions[-1].why, note)
        if permitted and verdict is Verdict.UNAUTHORIZED:
            return Verdict.POSSIBLY_AUTHORIZED, Reason.LOOKUP_FAILURE_PERMITTED, (*why, note)
        return verdict, reason, (*why, note)


def _in_order(spells: Iterable[Spell]) -> list[Spell]:
    return sorted(spells, key=lambda spell: (spell.first_seen, spell.last_seen))


def _touches(seen: Observation, start: datetime, end: datetime) -> bool:
    return seen.first_seen <= end and seen.last_seen >= start


_NOT_OBSERVABLE = {
    Reason.ACCOUNT_MISMATCH: HistoryReason.ACCOUNT_NOT_OBSERVABLE,
    Reason.ACCOUNT_UNSATISFIABLE: HistoryReason.ACCOUNT_NOT_OBSERVABLE,
    Reason.METHOD_MISMATCH: HistoryReason.METHOD_NOT_OBSERVABLE,
    Reason.METHOD_UNSATISFIABLE: HistoryReason.METHOD_NOT_OBSERVABLE,
}


def _kind(decision: Decision) -> str:
    """What tells two decisions apart: allowed, denied, or what had to be known as well."""
    if decision.verdict is CAAVerdict.UNKNOWN:
        return _NOT_OBSERVABLE.get(decision.reason, decision.reason)
    return decision.verdict


def _unclear(decision: Decision) -> str | None:
    """The reason of a decision that nothing known of a certificate could make clear."""
    if decision.verdict is not CAAVerdict.UNKNOWN or decision.reason in _NOT_OBSERVABLE:
        return None
    return decision.reason


_EXPLAINED = {
    HistoryReason.ACCOUNT_NOT_OBSERVABLE: "a certificate does not show which account asked for it",
    HistoryReason.METHOD_NOT_OBSERVABLE: "a certificate does not show how the name was validated",
    HistoryReason.ISSUER_NOT_MAPPED: "it is not known which CAA domains the CA goes by",
}


def _why(decisions: Sequence[Decision], reason: str) -> tuple[str, ...]:
    explained = _EXPLAINED.get(HistoryReason(reason)) if reason in set(HistoryReason) else None
    return decisions[-1].why if explained is None else (explained,)


_CHANGED = (
    "the policy was not the same all through the time in which a CA may have looked at it, "
    "and not all that was in force forbids the certificate"
)


def _nothing_seen(states: Sequence[InForce]) -> str:
    if any(len(state.around) == 2 for state in states):
        return (
            "no look at the policy in the window, and those before and after it have "
            "different answers"
        )
    return "no look at the policy in the window before the issuance"

"""What the looks of one round at CAA policies amount to: changes, failures, disagreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pinwarden.caa.history.change import (
    is_change,
    policy_text,
    signature_subject_of,
    subject_of,
)
from pinwarden.caa.history.observation import LONGEST_GAP, LastObserved, Observation
from pinwarden.caa.lookup import DNSSECState, Failure
from pinwarden.findings import (
    CAA_BOGUS,
    CAA_CHANGED,
    CAA_LOOKUP_FAILED,
    CAA_LOOSENED,
    CAA_RESOLVERS_DISAGREE,
    CAA_SERVERS_DISAGREE,
    Finding,
    FindingKind,
)
from pinwarden.monitor.caa_crowd import NameReport, Standing, tell_changes, tell_failures
from pinwarden.monitor.caa_unrest import QUIET, is_calm, is_restless
from pinwarden.names import display

STANDING_KINDS = (CAA_LOOKUP_FAILED.id, CAA_BOGUS.id)
"""Kinds of findings of which `judge` must know which stand."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The looks at one name in one round, one for each resolver, and what was known before.

    `second` is empty where the first look showed nothing new.
    """

    name: str
    known: tuple[LastObserved, ...]
    first: tuple[Observation, ...]
    second: tuple[Observation, ...] = ()

    @property
    def final(self) -> tuple[Observation, ...]:
        """The look of each resolver that counts: a second one, unless it failed."""
        if not self.second:
            return self.first
        return tuple(
            before if after.failed and not before.failed else after
            for before, after in zip(self.first, self.second, strict=True)
        )


def is_suspect(looks: Sequence[Observation], known: Sequence[LastObserved]) -> bool:
    """Whether a look shows another policy than the last one through the same resolver."""
    return any(
        is_change(before, look)
        for look in looks
        if not look.failed and (before := _before(look, known)) is not None
    )


def judge(
    looked: Sequence[Looked], at: datetime, patience: timedelta, standing: Standing = frozenset()
) -> list[NameReport]:
    """The report of every name, in order; a failure counts once it has lasted for `patience`.

    What many names share is told of once: one set that governs them, one outage.
    `standing` are the failures (kind id, subject) that were found before.
    """
    reports = [_report(each, at, patience) for each in looked]
    return tell_failures(tell_changes(reports), standing)


def _report(looked: Looked, at: datetime, patience: timedelta) -> NameReport:
    good = [look for look in looked.final if not look.failed]
    observations = (*looked.first, *looked.second)
    if not good:
        # Nothing passes: what fails in one way now and in another then has not recovered.
        return NameReport(
            name=looked.name,
            observations=observations,
            findings=_failure(looked, at, patience),
            failed=True,
        )
    changes, unrest = _changes(looked, good, at)
    findings = (*unrest, *_disagreements(looked, good))
    kinds = {finding.kind for finding in findings}
    passed = [
        (kind.id, subject_of(looked.name))
        for kind in _passing(looked, good, at)
        if kind not in kinds
    ]
    if _is_signed_again(looked, good, at):
        passed.append((CAA_CHANGED.id, signature_subject_of(looked.name)))
    if any(before.policy != after.policy for before, after in changes):
        # Each change is news of its own, whether or not somebody noted the last one.
        passed += [(kind.id, subject_of(looked.name)) for kind in (CAA_CHANGED, CAA_LOOSENED)]
    return NameReport(
        name=looked.name,
        observations=observations,
        findings=findings,
        passed=tuple(passed),
        changes=tuple(changes),
    )


def _passing(looked: Looked, good: Sequence[Observation], at: datetime) -> list[FindingKind]:
    """The kinds of findings that are over, unless this very look makes them again."""
    asked = {look.resolver for look in good}
    failing = [last.failing_since for last in looked.known if last.resolver in asked]
    # One success between failures is no recovery.
    passing = [CAA_LOOKUP_FAILED, CAA_BOGUS] if None in failing or not looked.known else []
    if all(is_calm(_seen(looked, look), at) for look in good):
        passing.append(CAA_SERVERS_DISAGREE)
        if len(good) == len(looked.final) and len({look.policy for look in good}) == 1:
            passing.append(CAA_RESOLVERS_DISAGREE)
    return passing


def _seen(looked: Looked, look: Observation) -> tuple[Observation, ...]:
    """What was seen of late through the resolver of a look, up to this round."""
    now = [each for each in (*looked.first, *looked.second) if each.resolver == look.resolver]
    return (*_recent(looked.known, look), *(each for each in now if not each.failed))


def _recent(known: Sequence[LastObserved], look: Observation) -> tuple[Observation, ...]:
    return next((last.recent for last in known if last.resolver == look.resolver), ())


def _is_signed_again(looked: Looked, good: Sequence[Observation], at: datetime) -> bool:
    unsigned = DNSSECState.INSECURE
    return any(look.dnssec is DNSSECState.SECURE for look in good) and not any(
        each.dnssec is unsigned and abs(at - each.last_seen) < QUIET
        for look in good
        for each in _seen(looked, look)
    )


def _failure(looked: Looked, at: datetime, patience: timedelta) -> tuple[Finding, ...]:
    """The finding of a name that cannot be looked up, if it lasts."""
    bogus = [look for look in looked.final if look.failure is Failure.BOGUS]
    asked = {look.resolver for look in looked.final}
    began = [
        last.failing_since
        for last in looked.known
        if last.failing_since is not None and last.resolver in asked
    ]
    since = min((*began, at))
    if at - since < patience:
        return ()
    look = (bogus or looked.final)[0]
    where = "" if look.relevant_name in (None, looked.name) else f" at {look.relevant_name}"
    minutes = int((at - since).total_seconds() // 60)
    return (
        Finding(
            kind=CAA_BOGUS if bogus else CAA_LOOKUP_FAILED,
            subject=subject_of(looked.name),
            message=(
                f"{looked.name}: the lookup{where} has failed for {minutes} minutes: "
                f"{display(look.problem, 200) or look.failure}"
            ),
            details=(
                ("failing since", since.isoformat()),
                ("asked", ", ".join(sorted(asked))),
            ),
        ),
    )


def _before(look: Observation, known: Sequence[LastObserved]) -> Observation | None:
    """The policy to compare a look with: the last one through its resolver.

    Where that one was not asked of late, any other that was counts.
    """
    policies = [last.policy for last in known if last.policy is not None]
    newest = max(policies, key=lambda each: each.last_seen, default=None)
    if newest is None:
        return None
    current = [each for each in policies if newest.last_seen - each.last_seen <= LONGEST_GAP]
    for likeness in (
        [each for each in current if each.resolver == look.resolver],
        [each for each in current if each.policy == look.policy],
    ):
        if likeness:
            return _with_signature(likeness[0], known)
    return newest


def _with_signature(policy: Observation, known: Sequence[LastObserved]) -> Observation:
    """The same, with what was last known of its signature if that one look did not tell."""
    if policy.dnssec is not DNSSECState.INDETERMINATE:
        return policy
    for each in reversed(_recent(known, policy)):
        if each.dnssec is not DNSSECState.INDETERMINATE:
            return replace(policy, dnssec=each.dnssec)
    return policy


def _changes(
    looked: Looked, good: Sequence[Observation], at: datetime
) -> tuple[list[tuple[Observation, Observation]], list[Finding]]:
    """What changed through each resolver, from what to what; and what goes back and forth."""
    changes: list[tuple[Observation, Observation]] = []
    unrest: list[Finding] = []
    for look in good:
        before = _before(look, looked.known)
        if before is None:
            continue
        recent = _recent(looked.known, look)
        if before.resolver != look.resolver:
            recent = ()
        changed = is_change(before, look)
        if is_restless((*recent, look), at):
            if changed and look.policy in {each.policy for each in recent}:
                unrest.append(_unrest(before, look))
                continue
        elif not changed and recent and is_restless(recent, recent[-1].last_seen):
            # It has settled, and nobody was told on what.
            others = [each for each in recent if each.policy != look.policy]
            changes += [(other, look) for other in others[-1:]]
        if changed:
            changes.append((before, look))
    return changes, unrest[:1]


def _unrest(before: Observation, look: Observation) -> Finding:
    hours = int(QUIET.total_seconds() // 3600)
    return Finding(
        kind=CAA_SERVERS_DISAGREE,
        subject=subject_of(look.name),
        message=(
            f"{look.name}: the policy goes back and forth: {policy_text(before)}, then "
            f"{policy_text(look)}; what it settles on is told when it has lasted {hours} hours"
        ),
    )


def _disagreements(looked: Looked, good: Sequence[Observation]) -> list[Finding]:
    found = []
    if _resolvers_disagree(looked, good):
        found.append(
            Finding(
                kind=CAA_RESOLVERS_DISAGREE,
                subject=subject_of(looked.name),
                message=f"{looked.name}: {_told(good)}",
                details=tuple((look.resolver, _records(look)) for look in good),
            )
        )
    for first, second in zip(looked.first, looked.second, strict=bool(looked.second)):
        if first.failed or second.failed or first.policy == second.policy:
            continue
        found.append(
            Finding(
                kind=CAA_SERVERS_DISAGREE,
                subject=subject_of(looked.name),
                message=(
                    f"{looked.name}: two looks one after the other had different answers: "
                    f"{policy_text(first)}, then {policy_text(second)}"
                ),
            )
        )
        break
    return found


def _resolvers_disagree(looked: Looked, good: Sequence[Observation]) -> bool:
    """Whether resolvers differ now and did before: one cache is always the last to know."""
    asked = {look.resolver for look in good}
    before = {
        last.policy.policy
        for last in looked.known
        if last.policy is not None and last.resolver in asked
    }
    return len({look.policy for look in good}) > 1 and len(before) > 1


def _told(looks: Sequence[Observation]) -> str:
    return "; ".join(
        f"{display(look.resolver, 80)} answers {policy_text(look)}" for look in looks[:3]
    )


def _records(look: Observation) -> str:
    if look.relevant_name is None:
        return "no CAA"
    return f"{', '.join(look.records[:10])} at {look.relevant_name}"

"""What the looks of one round at CAA policies amount to: changes, failures, disagreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pinwarden.caa.history.change import change_finding, subject_of
from pinwarden.caa.history.observation import LastObserved, Observation
from pinwarden.caa.lookup import Failure
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
from pinwarden.names import display

RESOLVERS = "CAA lookups"
"""The subject of a finding that no name can be looked up at all."""

# Failures that say more about the way to the resolver than about a name.
_OURS = frozenset({Failure.TIMEOUT, Failure.UNREACHABLE, Failure.REFUSED})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReport:
    """What to keep of one name: observations, findings, and findings that passed."""

    name: str
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()
    passed: tuple[tuple[str, str], ...] = ()
    changed: bool = False
    failed: bool = False


def is_suspect(looks: Sequence[Observation], known: Sequence[LastObserved]) -> bool:
    """Whether a look shows another policy than the last one through the same resolver."""
    return any(
        change_finding(before, look) is not None
        for look in looks
        if not look.failed and (before := _before(look, known)) is not None
    )


def judge(looked: Sequence[Looked], at: datetime, patience: timedelta) -> list[NameReport]:
    """The report of every name, in order; a failure counts once it has lasted for `patience`.

    If no name at all could be looked up, and it is not the names' fault, there is one
    finding for all of them: it is with the first report.
    """
    reports = [_report(each, at, patience) for each in looked]
    outage = len(reports) > 1 and all(report.failed for report in reports)
    outage = outage and all(look.failure in _OURS for each in looked for look in each.final)
    if not outage:
        passed = (CAA_LOOKUP_FAILED.id, RESOLVERS)
        return [_with_passed(reports[0], passed), *reports[1:]] if reports else []
    told = [finding for report in reports for finding in report.findings]
    reports = [replace(report, findings=()) for report in reports]
    if told:
        reports[0] = replace(reports[0], findings=(_outage(looked),))
    return reports


def _with_passed(report: NameReport, *passed: tuple[str, str]) -> NameReport:
    return replace(report, passed=(*report.passed, *passed))


def _outage(looked: Sequence[Looked]) -> Finding:
    look = looked[0].final[0]
    return Finding(
        kind=CAA_LOOKUP_FAILED,
        subject=RESOLVERS,
        message=(
            f"none of {len(looked)} names can be looked up: {display(look.problem, 200)}; "
            "changes of their CAA policies go unseen"
        ),
        details=(("asked", ", ".join(each.resolver for each in looked[0].final)),),
    )


def _report(looked: Looked, at: datetime, patience: timedelta) -> NameReport:
    subject = subject_of(looked.name)
    good = [look for look in looked.final if not look.failed]
    observations = (*looked.first, *looked.second)
    if not good:
        finding, passing = _failure(looked, at, patience)
        return NameReport(
            name=looked.name,
            observations=observations,
            findings=() if finding is None else (finding,),
            passed=((passing.id, subject),),
            failed=True,
        )
    findings = [*_changes(looked, good), *_disagreements(looked, good)]
    standing = {finding.kind for finding in findings}
    passing_kinds = (CAA_LOOKUP_FAILED, CAA_BOGUS, CAA_RESOLVERS_DISAGREE, CAA_SERVERS_DISAGREE)
    passed = [(kind.id, subject) for kind in passing_kinds if kind not in standing]
    changed = bool(standing & {CAA_CHANGED, CAA_LOOSENED})
    if changed:
        # Each change is news of its own, whether or not somebody noted the last one.
        passed += [(kind.id, subject) for kind in (CAA_CHANGED, CAA_LOOSENED)]
    return NameReport(
        name=looked.name,
        observations=observations,
        findings=tuple(findings),
        passed=tuple(passed),
        changed=changed,
    )


def _failure(
    looked: Looked, at: datetime, patience: timedelta
) -> tuple[Finding | None, FindingKind]:
    """The finding of a name that cannot be looked up, if it lasts; and the kind it is not."""
    bogus = [look for look in looked.final if look.failure is Failure.BOGUS]
    kind, other = (CAA_BOGUS, CAA_LOOKUP_FAILED) if bogus else (CAA_LOOKUP_FAILED, CAA_BOGUS)
    asked = {look.resolver for look in looked.final}
    began = [
        last.failing_since
        for last in looked.known
        if last.failing_since is not None and last.resolver in asked
    ]
    since = min((*began, at))
    if at - since < patience:
        return None, other
    look = (bogus or looked.final)[0]
    where = "" if look.relevant_name in (None, looked.name) else f" at {look.relevant_name}"
    minutes = int((at - since).total_seconds() // 60)
    return (
        Finding(
            kind=kind,
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
        other,
    )


def _before(look: Observation, known: Sequence[LastObserved]) -> Observation | None:
    """The last policy known through the resolver of a look, or else through any."""
    policies = [last.policy for last in known if last.policy is not None]
    own = [policy for policy in policies if policy.resolver == look.resolver]
    return own[0] if own else max(policies, key=lambda each: each.last_seen, default=None)


def _changes(looked: Looked, good: Sequence[Observation]) -> list[Finding]:
    """One finding for the name, the gravest, for a policy that no resolver had shown yet."""
    asked = {look.resolver for look in good}
    found = []
    for look in good:
        before = _before(look, looked.known)
        finding = None if before is None else change_finding(before, look)
        # What another resolver showed before is a change that was told of already.
        others = [
            last.policy.policy
            for last in looked.known
            if last.policy is not None and last.resolver in asked - {look.resolver}
        ]
        if finding is not None and look.policy not in others:
            found.append(finding)
    found.sort(key=lambda each: each.kind is not CAA_LOOSENED)
    return found[:1]


def _disagreements(looked: Looked, good: Sequence[Observation]) -> list[Finding]:
    found = []
    if len({look.policy for look in good}) > 1:
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
                    f"{display(_records(first), 200)}, then {display(_records(second), 200)}"
                ),
            )
        )
        break
    return found


def _told(looks: Sequence[Observation]) -> str:
    return "; ".join(
        f"{display(look.resolver, 80)} answers {display(_records(look), 200)}" for look in looks[:3]
    )


def _records(look: Observation) -> str:
    if look.relevant_name is None:
        return "no CAA"
    return f"{', '.join(look.records[:10])} at {look.relevant_name}"

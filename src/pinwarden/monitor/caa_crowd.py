"""One alert for what many names share: a set that governs all of them, an outage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pinwarden.caa.history.change import change_finding, subject_of
from pinwarden.caa.history.observation import Observation
from pinwarden.findings import CAA_BOGUS, CAA_LOOKUP_FAILED, CAA_LOOSENED, Finding, FindingKind
from pinwarden.names import display

LOOKUPS = "CAA lookups"
"""The subject of a finding that many names cannot be looked up."""

Standing = frozenset[tuple[str, str]]
"""Findings (kind id, subject) that are not resolved."""

# Names that begin to fail, or that change alike in different zones, and are told of each.
_MOST_TOLD = 10
_MOST_NAMED = 50
_FEW_NAMED = 3

_Change = tuple[Observation, Observation]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReport:
    """What to keep of one name: observations, findings, and findings that passed.

    `changes` are policies before and after; `untold` are findings that one of another
    name tells of.
    """

    name: str
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()
    untold: tuple[Finding, ...] = ()
    passed: tuple[tuple[str, str], ...] = ()
    changes: tuple[_Change, ...] = ()
    failed: bool = False

    @property
    def changed(self) -> bool:
        """Whether the policy is another one than before."""
        return bool(self.changes)


def tell_changes(reports: Sequence[NameReport]) -> list[NameReport]:
    """Reports with one finding for each change, with the first of the names that share it."""
    told = list(reports)
    gravest = _Gravest()
    changed = [
        (number, gravest.of(report.changes))
        for number, report in enumerate(reports)
        if report.changes
    ]
    for group in _groups(changed):
        # The name at which the set stands is the one to talk about.
        group.sort(key=lambda each: each[1][1].name != each[1][1].relevant_name)
        lead, (before, after) = group[0]
        others = [reports[number].name for number, _ in group[1:]]
        finding = change_finding(before, after, others)
        assert finding is not None
        told[lead] = replace(told[lead], findings=(*told[lead].findings, finding))
    return told


class _Gravest:
    """Of the changes that several resolvers show, the one that permits more than before."""

    def __init__(self) -> None:
        self._kinds: dict[object, FindingKind | None] = {}

    def of(self, changes: Sequence[_Change]) -> _Change:
        if len(changes) == 1:
            return changes[0]
        return min(changes, key=lambda change: self._kind(change) is not CAA_LOOSENED)

    def _kind(self, change: _Change) -> FindingKind | None:
        key = tuple((each.policy, each.dnssec) for each in change)
        if key not in self._kinds:
            finding = change_finding(*change)
            self._kinds[key] = None if finding is None else finding.kind
        return self._kinds[key]


def _groups(changed: Iterable[tuple[int, _Change]]) -> Iterator[list[tuple[int, _Change]]]:
    """Names whose change is that of one set; or of sets alike in very many places."""
    alike: dict[object, list[tuple[int, _Change]]] = {}
    for number, change in changed:
        key = tuple((frozenset(each.records), each.dnssec) for each in change)
        alike.setdefault(key, []).append((number, change))
    for group in alike.values():
        if len(group) > _MOST_TOLD:
            yield group
            continue
        places: dict[object, list[tuple[int, _Change]]] = {}
        for number, change in group:
            place = tuple(each.relevant_name for each in change)
            # Sets that came, went or moved are one only if they stand at one place.
            places.setdefault(place, []).append((number, change))
        yield from places.values()


def tell_failures(reports: Sequence[NameReport], standing: Standing) -> list[NameReport]:
    """Reports with one finding for many names that begin to fail together.

    When few of them are left, these are told of each: they are what is still broken.
    """
    told = list(reports)
    for kind in (CAA_LOOKUP_FAILED, CAA_BOGUS):
        _tell_failures(told, kind, standing)
    return told


def _tell_failures(told: list[NameReport], kind: FindingKind, standing: Standing) -> None:
    failing = [n for n, report in enumerate(told) if any(f.kind is kind for f in report.findings)]
    fresh = [n for n in failing if (kind.id, subject_of(told[n].name)) not in standing]
    everywhere = len(told) > 1 and all(report.failed for report in told)
    many = (kind.id, LOOKUPS)
    if len(fresh) > _MOST_TOLD or (everywhere and len(fresh) > 1):
        lead = fresh[0]
        crowd = _crowd([told[number] for number in fresh], kind, None if everywhere else len(told))
        for number in fresh:
            # They stand, so that each can pass by itself.
            told[number] = replace(told[number], findings=(), untold=told[number].findings)
        # Another wave is news even while the first is not over.
        told[lead] = _with_passed(replace(told[lead], findings=(crowd,)), many)
    elif many in standing and not (everywhere or len(failing) > _MOST_TOLD):
        told[0] = _with_passed(told[0], many)
        for number in failing:
            told[number] = _with_passed(told[number], (kind.id, subject_of(told[number].name)))


def _with_passed(report: NameReport, passed: tuple[str, str]) -> NameReport:
    return replace(report, passed=(*report.passed, passed))


def _crowd(failing: Sequence[NameReport], kind: FindingKind, total: int | None) -> Finding:
    looks = [report.observations[-1] for report in failing]
    names = [report.name for report in failing]
    if total is None:
        which = f"none of {len(names):,} names can be looked up"
    else:
        which = (
            f"{len(names):,} of {total:,} names cannot be looked up, such as "
            f"{', '.join(names[:_FEW_NAMED])}"
        )
    problem = display(looks[0].problem, 200) or looks[0].failure
    details = dict(failing[0].findings[0].details)
    return Finding(
        kind=kind,
        subject=LOOKUPS,
        message=f"{which}: {problem}; changes of their CAA policies go unseen",
        details=(
            (
                "names",
                ", ".join([*names[:_MOST_NAMED], *["and more"] * (len(names) > _MOST_NAMED)]),
            ),
            ("failing since", details["failing since"]),
            ("asked", details["asked"]),
        ),
    )

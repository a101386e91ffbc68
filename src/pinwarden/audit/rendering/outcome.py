"""What an audit came to in one word and one line: the same in every form of a report.

Unknown is never a pass: an audit that found nothing because it could not look is
*unfinished* and not clear.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from pinwarden.audit.report import AuditReport
from pinwarden.findings import Severity
from pinwarden.render.account import counted, shown

__all__ = [
    "Outcome",
    "line_of",
    "line_of_hosts",
    "named",
    "outcome_of",
    "severities_of",
    "title_of",
]

_LONGEST_TARGET = 260


class Outcome(StrEnum):
    """How one audit ended, the gravest first."""

    PROBLEMS = "problems"
    UNFINISHED = "unfinished"
    REMARKS = "remarks"
    CLEAR = "clear"


def outcome_of(report: AuditReport) -> Outcome:
    """The gravest of what is true of an audit."""
    if any(each.severity.is_serious for each in report.found):
        return Outcome.PROBLEMS
    if not report.finished:
        return Outcome.UNFINISHED
    return Outcome.REMARKS if report.found else Outcome.CLEAR


def severities_of(report: AuditReport) -> dict[Severity, int]:
    """How many findings there are of each severity that occurs, the gravest first."""
    counts = Counter(each.severity for each in report.found)
    return {each: counts[each] for each in reversed(Severity) if each in counts}


def named(report: AuditReport) -> str:
    """The target as the user wrote it, safe to show."""
    return shown(report.target, _LONGEST_TARGET).strip() or "(no name)"


def line_of(report: AuditReport) -> str:
    """What was found, what passed and what was not checked, without the target."""
    failed = sum(each.failed for each in report.not_checked)
    others = len(report.not_checked) - failed
    parts = [_found(report)]
    if failed:
        parts.append(f"{counted(failed, 'check')} could not be made")
    parts.append(f"{len(report.passed):,} passed")
    if others:
        parts.append(f"{others:,} left out")
    return "; ".join(parts)


def _found(report: AuditReport) -> str:
    counts = severities_of(report)
    if counts:
        listed = [f"{number:,} {severity}" for severity, number in counts.items()]
        first = ", ".join(listed[:-1])
        joined = f"{first} and {listed[-1]}" if first else listed[-1]
        return f"{joined} {'finding' if len(report.found) == 1 else 'findings'}"
    return "nothing wrong found" if report.finished else "nothing found, but not finished"


def title_of(reports: Sequence[AuditReport]) -> str:
    """What several audits came to, in one line; of a single one, what it came to."""
    if len(reports) == 1:
        return f"{named(reports[0])}: {line_of(reports[0])}"
    return line_of_hosts(Counter(map(outcome_of, reports)))


def line_of_hosts(outcomes: Mapping[Outcome, int]) -> str:
    """How many hosts there are of each outcome, in one line."""
    words = {
        Outcome.PROBLEMS: "with problems",
        Outcome.UNFINISHED: "not finished",
        Outcome.REMARKS: "with remarks only",
        Outcome.CLEAR: "with nothing wrong found",
    }
    told = [f"{outcomes[each]:,} {words[each]}" for each in Outcome if outcomes.get(each)]
    total = sum(outcomes.values())
    return f"{counted(total, 'host')}: {', '.join(told)}" if told else "no hosts"

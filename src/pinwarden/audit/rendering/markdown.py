"""Audits as Markdown for pull requests and issues.

CommonMark with the tables of GitHub, and no HTML. Nothing foreign becomes markup, a link, a
mention of somebody or of an issue, or a picture that is fetched when a page is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pinwarden.audit.rendering.outcome import Outcome, line_of, named, outcome_of, title_of
from pinwarden.audit.report import AuditReport
from pinwarden.findings import Finding, Severity, where_of
from pinwarden.render import next_step
from pinwarden.render.account import second, shown
from pinwarden.render.text import in_markdown

__all__ = ["render_audit_markdown"]

# GitHub refuses a comment of more than 65,536 characters.
_LONGEST = 60_000
_LONGEST_TEXT = 500
_MOST = 50
_LONGEST_TABLE = 15_000

# What services look for in the text that is left after Markdown was read, where no backslash
# helps: mentions, addresses, references to issues and commits. They do not look into code.
_REFERENCE = re.compile(r"@|#|://|www\.|gh-\d|[0-9a-f]{7}", re.IGNORECASE)
_COMMAND = re.compile("(`[^`]*`)")
_BACKTICKS = re.compile("`+")

_WORDS = {
    Outcome.PROBLEMS: "problems found",
    Outcome.UNFINISHED: "not finished",
    Outcome.REMARKS: "remarks only",
    Outcome.CLEAR: "nothing wrong found",
}


def render_audit_markdown(reports: Sequence[AuditReport]) -> str:
    """The audits as one comment: a table where there are several hosts, then each host.

    What does not fit into a comment is counted; hosts with problems come first.
    """
    ordered = sorted(reports, key=lambda each: tuple(Outcome).index(outcome_of(each)))
    parts = [f"## Pinwarden audit: {_told(title_of(reports))}"]
    if len(reports) > 1:
        # All in the order in which they were named, if all have room.
        parts.append(_table(reports) or _table(ordered, some=True))
    room = _LONGEST - sum(map(len, parts))
    for place, report in enumerate(ordered):
        lines = list(_host(report, alone=len(reports) == 1))
        part = "\n".join(lines)
        if len(part) > room and place:
            rest = len(ordered) - place
            parts.append(f"{rest:,} more are told at length in the JSON report.")
            break
        parts.append(part if len(part) <= room else _cut(lines, room))
        room -= len(part) + 2
    return "\n\n".join(parts) + "\n"


def _cut(lines: Sequence[str], room: int) -> str:
    """As many lines as there is room for."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join((*kept, "", "There is more in the JSON report."))


def _table(reports: Sequence[AuditReport], *, some: bool = False) -> str:
    """A row for each host; empty if they are too many, unless some will do."""
    severities = tuple(reversed(Severity))
    heads = ("host", "outcome", *map(str, severities), "passed", "not made")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    room = _LONGEST_TABLE
    for place, report in enumerate(reports):
        row = _row(report, severities)
        room -= len(row) + 1
        if room < 0:
            return "\n".join((*lines, "", f"and {len(reports) - place:,} more.")) if some else ""
        lines.append(row)
    return "\n".join(lines)


def _row(report: AuditReport, severities: Sequence[Severity]) -> str:
    counts = [sum(f.severity is each for f in report.found) for each in severities]
    failed = sum(each.failed for each in report.not_checked)
    numbers = (f"{each:,}" if each else "" for each in (*counts, len(report.passed), failed))
    return f"| {' | '.join((_cell(named(report)), _WORDS[outcome_of(report)], *numbers))} |"


def _host(report: AuditReport, *, alone: bool) -> Iterator[str]:
    if not alone:
        yield f"### {_code(named(report))}"
        yield ""
        yield f"{_told(line_of(report))}\n"
    yield f"Audited {second(report.at)}."
    if report.found:
        yield "\n**Found**\n"
        yield from _limited([_finding(each) for each in report.found[: _MOST + 1]], report.found)
    if report.not_checked:
        yield "\n**Not checked**\n"
        lines = [
            f"- {each.area}: {'could not be checked: ' if each.failed else ''}"
            f"{_told(shown(each.why, _LONGEST_TEXT))}"
            for each in report.not_checked[: _MOST + 1]
        ]
        yield from _limited(lines, report.not_checked)
    if report.passed:
        yield "\n**Passed**\n"
        lines = [
            f"- {each.area}: {_told(shown(each.message, _LONGEST_TEXT))}"
            for each in report.passed[: _MOST + 1]
        ]
        yield from _limited(lines, report.passed)


def _limited(lines: Sequence[str], items: Sequence[object]) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(items) > _MOST:
        yield f"- and {len(items) - _MOST:,} more"


def _finding(finding: Finding) -> str:
    where = where_of(finding)
    lines = [
        f"- **{finding.severity}: {_told(finding.kind.title)}** ({_code(finding.id)})",
        f"  - What: {_told(shown(finding.message, _LONGEST_TEXT))}",
        *([f"  - Where: {_code(shown(where))}"] if where else []),
        f"  - Next: {_advice(next_step(finding.kind))}",
    ]
    return "\n".join(lines)


def _told(text: str) -> str:
    """Words of ours and others': punctuation escaped, whatever could refer put into code."""
    return " ".join(
        _code(word) if _REFERENCE.search(word) else in_markdown(word) for word in text.split()
    )


def _advice(text: str) -> str:
    """A sentence of ours, in which commands stand in backticks."""
    parts = _COMMAND.split(text)
    return "".join(part if part.startswith("`") else in_markdown(part) for part in parts)


def _code(text: str) -> str:
    """A code span of any text (CommonMark section 6.1)."""
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(text)), default=0) + 1)
    room = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{room}{text}{room}{fence}" if text.strip() else "(empty)"


def _cell(text: str) -> str:
    # GitHub Flavored Markdown, "Tables (extension)": in code too a pipe needs its backslash.
    return _code(text).replace("|", "\\|")

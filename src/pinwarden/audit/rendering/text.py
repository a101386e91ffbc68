"""One audit for a person at a terminal: what it came to, then the three lists, then the facts."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from pinwarden.audit.rendering.outcome import (
    Outcome,
    line_of,
    line_of_hosts,
    named,
    outcome_of,
)
from pinwarden.audit.report import AuditReport, NotChecked, Passed, ReportedCAA, ReportedChain
from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.findings import Finding, where_of
from pinwarden.render import next_step
from pinwarden.render.account import counted, day, second, shown, some

__all__ = ["Summary", "render_audit_text"]

# A person reads no more of one list than that; JSON has ten times as many.
_MOST = 100
_MOST_CHAINS = 4
_LONGEST = 600
_NARROWEST = 40

_Each = TypeVar("_Each")

_MARKS = {
    Outcome.PROBLEMS: "✗",
    Outcome.UNFINISHED: "?",
    Outcome.REMARKS: "✓",
    Outcome.CLEAR: "✓",
}
_COLOURS = {"✗": "31", "?": "33", "✓": "32"}
_SERIOUS_COLOUR = "1;31"
_COMPLIANT = {
    True: "accepts these SCTs",
    False: "refuses these SCTs",
    None: "cannot be told",
}
_RULE_MARKS = {True: "✓", False: "✗", None: "?"}


def render_audit_text(report: AuditReport, *, width: int = 80, colour: bool = False) -> str:
    """One audit in lines of at most `width` columns; colour codes only where asked for."""
    return _Sheet(max(width, _NARROWEST), colour).written(report)


class Summary:
    """What many audits came to, for the end of them; keeps a line of each host that needs one."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._told: dict[Outcome, list[str]] = {Outcome.PROBLEMS: [], Outcome.UNFINISHED: []}

    def add(self, report: AuditReport) -> None:
        """One audit more."""
        outcome = outcome_of(report)
        self._outcomes[outcome] += 1
        told = self._told.get(outcome)
        if told is not None and len(told) < _MOST:
            ids = ", ".join(dict.fromkeys(each.id for each in report.found))
            told.append(f"{named(report)}: {ids or line_of(report)}")

    def text(self, *, width: int = 80, colour: bool = False) -> str:
        """How many hosts came to what, and which are not in order."""
        sheet = _Sheet(max(width, _NARROWEST), colour)
        return "\n".join(sheet.summary(self._outcomes, self._told)) + "\n"


class _Sheet:
    """The lines of one report, of one width and in colour or not."""

    def __init__(self, width: int, colour: bool) -> None:
        self._width = width
        self._colour = colour

    def written(self, report: AuditReport) -> str:
        """The whole report."""
        outcome = outcome_of(report)
        lines = [
            *self._marked(_MARKS[outcome], f"{named(report)}: {line_of(report)}", 0),
            *self._wrapped(f"audited {second(report.at)}{_at(report)}", 2),
        ]
        sections: Sequence[tuple[str, Iterator[str]]] = (
            ("found", self._listed(report.found, self._finding)),
            ("passed", self._listed(report.passed, self._passed)),
            ("not checked", self._listed(report.not_checked, self._not_checked)),
            ("certificates", self._listed(report.chains, self._chain, _MOST_CHAINS)),
            ("SCTs", self._listed(report.scts, self._sct)),
            ("browsers", self._policies(report.policies, report.forecasts)),
            ("CAA", self._caa(report.caa)),
            ("notes", self._listed(report.notes, self._note)),
        )
        for title, body in sections:
            told = list(body)
            if told:
                lines += ["", self._painted(title, "1"), *told]
        return "\n".join(lines) + "\n"

    def summary(
        self, outcomes: Counter[Outcome], told: Mapping[Outcome, Sequence[str]]
    ) -> Iterator[str]:
        """The end of several reports."""
        yield self._painted(line_of_hosts(outcomes), "1")
        for outcome, hosts in told.items():
            for each in hosts:
                yield from self._marked(_MARKS[outcome], each, 2)
            if outcomes[outcome] > len(hosts):
                yield f"  and {outcomes[outcome] - len(hosts):,} more"

    def _listed(
        self, items: Sequence[_Each], told: Callable[[_Each], Iterator[str]], most: int = _MOST
    ) -> Iterator[str]:
        for item in items[:most]:
            yield from told(item)
        if len(items) > most:
            yield f"  and {len(items) - most:,} more (see --json)"

    def _finding(self, finding: Finding) -> Iterator[str]:
        severity = finding.severity
        code = _SERIOUS_COLOUR if severity.is_serious else "33"
        title = f"{severity}: {finding.kind.title} ({finding.id})"
        yield from self._marked("✗" if severity.is_serious else "-", title, 2, code)
        where = where_of(finding)
        yield from self._row("What", shown(finding.message, _LONGEST), 5)
        if where:
            yield from self._row("Where", shown(where), 5)
        yield from self._row("Next", next_step(finding.kind), 5)

    def _passed(self, passed: Passed) -> Iterator[str]:
        yield from self._marked("✓", f"{passed.area:11} {shown(passed.message, _LONGEST)}", 2)

    def _not_checked(self, check: NotChecked) -> Iterator[str]:
        failed = "could not be checked: " if check.failed else ""
        what = f"{shown(check.check, 60)}: " if check.check != check.area else ""
        told = f"{check.area:11} {what}{failed}{shown(check.why, _LONGEST)}"
        yield from self._marked("?" if check.failed else "-", told, 2)

    def _chain(self, chain: ReportedChain) -> Iterator[str]:
        state = "verified" if chain.verified else f"not verified: {shown(chain.problem)}"
        yield from self._wrapped(f"at {some(chain.addresses) or 'no address'}: {state}", 2)
        for each in chain.certificates[:_MOST]:
            sent = "sent" if each.sent else "not sent"
            until = f"until {day(each.not_after)}" if each.not_after else "of unknown validity"
            told = f"{shown(each.subject, 200) or '(no subject)'}, {until}, {shown(each.key, 60)}"
            problem = f"; {shown(each.problem)}" if each.problem else ""
            yield from self._row(shown(each.role, 12), f"{told}, {sent}{problem}", 12)
            yield from self._row("", shown(each.pin, 120), 12)

    def _sct(self, judged: JudgedSCT) -> Iterator[str]:
        mark = "✓" if judged.status is SCTStatus.VALID else "✗"
        if judged.status in (SCTStatus.UNKNOWN_LOG, SCTStatus.NOT_CHECKED):
            mark = "?"
        log = "a log not known" if judged.log is None else shown(judged.log.description, 100)
        when = f", {second(judged.sct.timestamp)}" if judged.sct else ""
        why = f": {shown(judged.reason)}" if judged.reason else ""
        yield from self._marked(mark, f"{judged.status} ({judged.source}), {log}{when}{why}", 2)

    def _policies(
        self, policies: Sequence[PolicyResult], forecasts: Sequence[Forecast]
    ) -> Iterator[str]:
        # What passed is told above.
        for result in (each for each in policies if each.compliant is not True):
            head = f"{result.policy} {_COMPLIANT[result.compliant]} ({shown(result.edition, 60)})"
            yield from self._marked(_RULE_MARKS[result.compliant], head, 2)
            for reason in result.reasons[:_MOST]:
                yield from self._wrapped(shown(reason), 6)
        for forecast in forecasts[:_MOST]:
            answer = _COMPLIANT[forecast.compliant]
            told = f"from {day(forecast.at)}, {forecast.policy} {answer}"
            yield from self._wrapped(f"{told}: {shown(forecast.because)}", 2)

    def _caa(self, caa: ReportedCAA | None) -> Iterator[str]:
        if caa is None:
            return
        issuers, owner = some(caa.issuers), shown(caa.owner, 100)
        who = f"{owner} ({issuers})" if owner and issuers else owner or issuers or "a CA not known"
        yield from self._wrapped(f"{who}: {shown(caa.verdict, 20)}", 2)
        place = f"at {shown(caa.relevant_name, 260)}" if caa.relevant_name else "anywhere"
        count = counted(len(caa.records), "record")
        yield from self._wrapped(f"{count} {place}, DNSSEC {shown(caa.dnssec, 40)}", 2)
        for record in caa.records[:20]:
            yield from self._wrapped(shown(record), 4)
        if len(caa.records) > 20:
            yield f"    and {len(caa.records) - 20:,} more"

    def _note(self, note: str) -> Iterator[str]:
        yield from self._wrapped(shown(note, _LONGEST), 2)

    def _row(self, label: str, text: str, columns: int) -> Iterator[str]:
        return self._wrapped(f"{label:{columns}} {text}", 6, 7 + columns)

    def _marked(self, mark: str, text: str, indent: int, code: str = "") -> Iterator[str]:
        lines = self._wrapped(text, indent + 2)
        first = next(lines, " " * (indent + 2))
        painted = self._painted(mark, code or _COLOURS.get(mark, ""))
        yield f"{' ' * indent}{painted} {first[indent + 2 :]}"
        yield from lines

    def _wrapped(self, text: str, indent: int, hanging: int = -1) -> Iterator[str]:
        hang = min(hanging if hanging >= 0 else indent, self._width // 2)
        yield from textwrap.wrap(
            text,
            self._width,
            initial_indent=" " * indent,
            subsequent_indent=" " * hang,
            break_on_hyphens=False,
        )

    def _painted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text


def _at(report: AuditReport) -> str:
    return f" at {some(report.addresses, 4)}" if report.addresses else ""

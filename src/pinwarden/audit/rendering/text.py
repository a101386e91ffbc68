"""One audit for a person at a terminal: what it came to, then the three lists, then the facts."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pinwarden.audit.rendering.outcome import Outcome, counted, line_of, named, outcome_of
from pinwarden.audit.report import AuditReport, NotChecked, Passed, ReportedCAA, ReportedChain
from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.findings import Finding, where_of
from pinwarden.render import next_step
from pinwarden.render.account import day, second, shown, some

__all__ = ["render_audit_text"]

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
        for result in policies:
            head = f"{result.policy} {_COMPLIANT[result.compliant]} ({shown(result.edition, 60)})"
            yield from self._marked(_RULE_MARKS[result.compliant], head, 2)
            if result.compliant is not True:
                for reason in result.reasons[:_MOST]:
                    yield from self._wrapped(shown(reason), 6)
        for forecast in forecasts[:_MOST]:
            answer = _COMPLIANT[forecast.compliant]
            told = f"from {day(forecast.at)}, {forecast.policy} {answer}"
            yield from self._wrapped(f"{told}: {shown(forecast.because)}", 2)

    def _caa(self, caa: ReportedCAA | None) -> Iterator[str]:
        if caa is None:
            return
        issuers = some(caa.issuers) or "no CAA domain known"
        owner = shown(caa.owner, 100) or "a CA not known"
        verdict = f"{owner} ({issuers}): {shown(caa.verdict, 20)}, {shown(caa.reason)}"
        yield from self._wrapped(verdict, 2)
        place = shown(caa.relevant_name, 260) or "no name"
        count = counted(len(caa.records), "record")
        yield from self._wrapped(f"{count} at {place}, DNSSEC {shown(caa.dnssec, 40)}", 2)
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

"""What `pinwarden ct policy` tells a person, and a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.cli.ct.folding import fold
from pinwarden.cli.ct.target_view import finding_lines, findings_json, note_lines, target_json
from pinwarden.cli.ct.targets import TargetCertificate
from pinwarden.cli.output import ExitCode
from pinwarden.ct.policy import Forecast, PolicyResult, RuleResult
from pinwarden.ct.policy_findings import browser_names
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.render.ct import forecast_json, policy_json

__all__ = ["PolicedTarget", "policies_json", "policy_text"]

_MOST_SHOWN = 900
_MARKS = {True: "✓", False: "✗", None: "?"}
_WORDS = {True: "compliant", False: "not compliant", None: "not known"}
_RULE_WORDS = {True: "passed", False: "failed", None: "not known"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicedTarget:
    """One certificate of a target, and what the policies say of it at a time."""

    target: TargetCertificate
    at: datetime
    results: tuple[PolicyResult, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> ExitCode:
        """Its part in the exit code: unknown is never a pass, and perhaps to be asked again."""
        outcomes = {each.compliant for each in self.results}
        if self.target.certificate is None or outcomes <= {True}:
            return self.target.code
        if self.target.beside_problem and False not in outcomes:
            return ExitCode.UNFINISHED
        return ExitCode.FINDINGS


def policy_text(policed: PolicedTarget, width: int = 0) -> str:
    """The policies of one certificate, a block each, in lines for a person, as `fold` has them."""
    return "\n".join(fold(_lines(policed), width)) + "\n"


def _lines(policed: PolicedTarget) -> Iterator[str]:
    target = policed.target
    if target.certificate is None:
        yield f"{display(target.target)}: not checked: {display(target.problem, _MOST_SHOWN)}"
        return
    yield f"{display(target.target)}: {_summary(policed)}"
    for result in policed.results:
        name, word = browser_names([result.policy]), _WORDS[result.compliant]
        yield f"  {_MARKS[result.compliant]} {name}: {word} [{result.edition}, {result.way}]"
        for rule in result.rules:
            yield from _rule_lines(rule)
        for source in dict.fromkeys(rule.source for rule in result.rules):
            yield f"      source: {source}"
        for forecast in policed.forecasts:
            if forecast.policy is result.policy:
                yield (
                    f"      from {forecast.at:%Y-%m-%d} on {_WORDS[forecast.compliant]}: "
                    f"{display(forecast.because, _MOST_SHOWN)}"
                )
    yield from finding_lines(policed.findings)
    yield from note_lines(policed.notes)


def _summary(policed: PolicedTarget) -> str:
    parts = []
    for outcome, word in _WORDS.items():
        who = [each.policy for each in policed.results if each.compliant is outcome]
        if who:
            parts.append(f"{word} for {browser_names(who)}")
    return f"{'; '.join(parts)} (as of {to_moment(policed.at)})"


def _rule_lines(rule: RuleResult) -> Iterator[str]:
    mark, word = _MARKS[rule.passed], _RULE_WORDS[rule.passed]
    yield f"      {mark} {word:<9} {rule.rule}: {display(rule.reason, _MOST_SHOWN)}"


def policies_json(policed: PolicedTarget) -> dict[str, Any]:
    """The policies of one certificate, as docs/command-line-ct.md has it."""
    target = policed.target
    return {
        **target_json(target, policed.at),
        "policies": [policy_json(each) for each in policed.results],
        "forecasts": [forecast_json(each) for each in policed.forecasts],
        "findings": findings_json(policed.findings),
        "notes": list(dict.fromkeys(policed.notes)),
        "problem": target.problem,
    }

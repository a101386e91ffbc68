"""Findings about CT policies: one for each cause, whichever browsers it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pinwarden import findings
from pinwarden.ct.policy import BrowserPolicy, Forecast, PolicyResult
from pinwarden.ct.policy.editions import policy_rules
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.findings import Finding, FindingKind

__all__ = ["browser_names", "findings_of_policies"]

_LONGEST_MESSAGE = 1500


def findings_of_policies(
    results: Iterable[PolicyResult],
    forecasts: Iterable[Forecast],
    scts: Sequence[JudgedSCT],
    host: str,
) -> tuple[Finding, ...]:
    """What keeps browsers from accepting the SCTs of a certificate, or will.

    The gravest come first; each names the browsers and gives their reasons. A policy that
    cannot be told gives none: that it was not checked is for the caller to say.
    """
    results = tuple(results)
    causes: dict[FindingKind, list[PolicyResult]] = {}
    for result in results:
        if result.compliant is False:
            causes.setdefault(_cause(result, scts), []).append(result)
    found = [_finding(kind, failed, host) for kind, failed in causes.items()]
    met = {each.policy for each in results if each.compliant}
    return findings.by_severity((*found, *_later(forecasts, met, host)))


def browser_names(policies: Iterable[BrowserPolicy]) -> str:
    """The browsers as words of a sentence."""
    names = [policy_rules(each).name for each in policies]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _cause(result: PolicyResult, scts: Sequence[JudgedSCT]) -> FindingKind:
    """The one thing to mend first: with too few SCTs there are too few operators as well."""
    failed = {rule.rule for rule in result.rules if rule.passed is False}
    if not scts:
        return findings.CT_NO_SCTS
    if "current-log" in failed and any(each.status is SCTStatus.VALID for each in scts):
        return findings.CT_NO_CURRENT_LOG
    if failed & {"current-log", "sct-count"}:
        return findings.CT_TOO_FEW_SCTS
    if failed & {"per-operator-limit", "distinct-operators"}:
        return findings.CT_TOO_FEW_OPERATORS
    return findings.CT_POLICY_FAILED


def _finding(kind: FindingKind, failed: Sequence[PolicyResult], host: str) -> Finding:
    if kind is findings.CT_NO_SCTS:
        who = browser_names(each.policy for each in failed)
        message = f"no SCT is in the certificate, and none came with it; {who} want them"
    else:
        by_reason: dict[str, list[BrowserPolicy]] = {}
        for result in failed:
            by_reason.setdefault(_reason(result), []).append(result.policy)
        message = "; ".join(f"{browser_names(who)}: {why}" for why, who in by_reason.items())
    return Finding(
        kind=kind,
        subject=host,
        message=message[:_LONGEST_MESSAGE],
        details=tuple(("policy", result.edition) for result in failed),
    )


def _reason(result: PolicyResult) -> str:
    """That of the first rule that fails, which is the one that gives the cause its name."""
    return next(rule.reason for rule in result.rules if rule.passed is False)


def _later(forecasts: Iterable[Forecast], met: set[BrowserPolicy], host: str) -> Iterable[Finding]:
    """What is met today and will not be; only the first change of each policy counts."""
    first: dict[BrowserPolicy, Forecast] = {}
    for forecast in forecasts:
        if forecast.policy in met and forecast.compliant is False:
            first.setdefault(forecast.policy, forecast)
    causes: dict[tuple[datetime, str], list[BrowserPolicy]] = {}
    for policy, forecast in first.items():
        causes.setdefault((forecast.at, forecast.because), []).append(policy)
    for (at, because), policies in causes.items():
        yield Finding(
            kind=findings.CT_POLICY_WILL_FAIL,
            subject=host,
            message=(
                f"{browser_names(policies)} will not accept the SCTs from {at:%Y-%m-%d} on: "
                f"{because}"
            )[:_LONGEST_MESSAGE],
            details=tuple(("policy", str(policy)) for policy in policies),
        )

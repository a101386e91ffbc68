"""Audits as SARIF 2.1.0, for code scanning services and for whoever collects from many tools.

An audit has no source files. Each host is a place of its own under a relative address, since
GitHub refuses absolute ones, with the host as its logical location beside it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from pinwarden import __version__
from pinwarden.audit.rendering.outcome import named
from pinwarden.audit.report import AuditReport, NotChecked
from pinwarden.findings import Finding, FindingKind, Severity, where_of
from pinwarden.render import next_step
from pinwarden.render.account import shown

__all__ = ["audit_sarif", "page_of"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_FINGERPRINT = "pinwardenFinding/v1"
# The key by which GitHub tells alerts apart.
_GITHUB_FINGERPRINT = "primaryLocationLineHash"
_LONGEST = 1000
# GitHub takes no more of one run.
_MOST_RESULTS = 25_000
_MOST_NOTIFICATIONS = 5_000

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub's scale: over 9 critical, from 7 high, from 4 medium, below that low.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
_PAGES = {
    ("PW-TLS-", "PW-AUDIT-"): "findings-audit.md",
    ("PW-CAA-",): "findings-caa.md",
    ("PW-HPKP-", "PW-EXPECT-CT-"): "findings-headers.md",
    ("PW-PIN-",): "findings-pins.md",
    ("PW-CT-",): "findings-ct.md",
}


def audit_sarif(reports: Sequence[AuditReport], documentation: str = "") -> dict[str, object]:
    """The audits as one run of a log file; a check that could not be made fails the run.

    `documentation` is the address under which the pages of `docs/` stand, if they do.
    """
    found = [(report, each) for report in reports for each in report.found][:_MOST_RESULTS]
    kinds = list(dict.fromkeys(each.kind for _, each in found))
    places = {kind: index for index, kind in enumerate(kinds)}
    driver: dict[str, object] = {
        "name": "Pinwarden",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(kind, documentation) for kind in kinds],
    }
    if documentation:
        driver["informationUri"] = documentation
    run: dict[str, object] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "pinwarden/audit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(reports)],
        "results": list(_results(found, places)),
        "properties": {
            "hosts": len(reports),
            "passed": sum(len(each.passed) for each in reports),
            "notChecked": sum(len(each.not_checked) for each in reports),
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def page_of(kind: FindingKind) -> str:
    """The page and the heading on it that explain a kind of finding."""
    for starts, page in _PAGES.items():
        if kind.id.startswith(starts):
            return f"{page}#{kind.id.lower()}"
    return f"findings.md#{kind.id.lower()}"


def _rule(kind: FindingKind, documentation: str) -> dict[str, object]:
    step, page = next_step(kind), page_of(kind)
    properties: dict[str, object] = {"tags": ["security", "tls"], "precision": "very-high"}
    if kind.severity in _SCORES:
        properties["security-severity"] = _SCORES[kind.severity]
    rule: dict[str, object] = {
        "id": kind.id,
        "name": "".join(word.capitalize() for word in kind.id.split("-")[1:]),
        "shortDescription": {"text": _sentence(kind.title)},
        "fullDescription": {"text": _sentence(kind.title)},
        "help": {
            "text": f"{step} More: docs/{page}",
            "markdown": f"**What to do:** {step}\n\nMore: `docs/{page}`",
        },
        "defaultConfiguration": {"level": _LEVELS[kind.severity]},
        "properties": properties,
    }
    if documentation:
        rule["helpUri"] = f"{documentation.rstrip('/')}/{page}"
    return rule


def _results(
    found: Iterable[tuple[AuditReport, Finding]], places: dict[FindingKind, int]
) -> Iterator[dict[str, object]]:
    met: Counter[str] = Counter()
    for report, finding in found:
        where = where_of(finding)
        key = _fingerprint(report, finding, where)
        met[key] += 1
        text = f"{named(report)}: {shown(finding.message, _LONGEST)}"
        yield {
            "ruleId": finding.id,
            "ruleIndex": places[finding.kind],
            "level": _LEVELS[finding.severity],
            "message": {"text": _sentence(text)},
            "locations": [_location(report, where)],
            "partialFingerprints": {
                _FINGERPRINT: f"{key}:{met[key]}",
                _GITHUB_FINGERPRINT: f"{key}:{met[key]}",
            },
            "properties": {
                "severity": str(finding.severity),
                "subject": shown(finding.subject),
                "advice": next_step(finding.kind),
            },
        }


def _fingerprint(report: AuditReport, finding: Finding, where: str) -> str:
    # The same from day to day: no message, for that has dates and numbers in it.
    told = "\0".join((finding.id, report.host.lower(), str(report.port), finding.subject, where))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _location(report: AuditReport, where: str = "") -> dict[str, object]:
    host = shown(report.host, 260)
    logical: list[dict[str, object]] = [
        {"fullyQualifiedName": f"{host}:{report.port}", "kind": "resource"}
    ]
    if where:
        logical.append({"fullyQualifiedName": shown(where), "kind": "member"})
    # A relative reference without a colon in its first segment (RFC 3986 section 4.2).
    uri = f"{quote(host, safe='') or 'unnamed'}/{report.port}"
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
        "logicalLocations": logical,
    }


def _invocation(reports: Sequence[AuditReport]) -> dict[str, object]:
    unmade = [(report, each) for report in reports for each in report.not_checked if each.failed]
    invocation: dict[str, object] = {
        "executionSuccessful": all(each.finished for each in reports),
        "toolExecutionNotifications": [
            _notification(report, each) for report, each in unmade[:_MOST_NOTIFICATIONS]
        ],
    }
    if reports:
        invocation["startTimeUtc"] = _moment(min(each.at for each in reports))
        invocation["endTimeUtc"] = _moment(max(each.at for each in reports))
    return invocation


def _notification(report: AuditReport, check: NotChecked) -> dict[str, object]:
    why = f"{named(report)}: {check.area} could not be checked: {shown(check.why, _LONGEST)}"
    return {
        "level": "error",
        "message": {"text": _sentence(why)},
        "locations": [_location(report)],
        "descriptor": {"id": f"not-checked/{check.area}"},
    }


def _sentence(text: str) -> str:
    # SARIF 2.1.0 section 3.11.6: a link in brackets works in plain text too.
    text = text.replace("](", "] (")
    return text if text.endswith((".", "…", "!", "?")) else f"{text}."


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

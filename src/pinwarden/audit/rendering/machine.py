"""One audit for programs: the object that `pinwarden audit --json` writes on a line.

Text stays as it was read (JSON carries any string), and every list and string is bounded:
whoever is audited chooses their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from pinwarden.audit.report import (
    AuditReport,
    NotChecked,
    Passed,
    ReportedCAA,
    ReportedCertificate,
    ReportedChain,
)
from pinwarden.findings import Finding, where_of
from pinwarden.render import finding_json, next_step
from pinwarden.render.ct import forecast_json, policy_json, sct_json

__all__ = ["audit_json", "certificate_json", "found_json"]

_VERSION = 1
_MOST_ITEMS = 1000
_LONGEST_TEXT = 1000
_Each = TypeVar("_Each")


def audit_json(report: AuditReport) -> dict[str, object]:
    """One audit as the documented, versioned object."""
    return {
        "type": "audit",
        "version": _VERSION,
        "target": _cut(report.target),
        "host": _cut(report.host),
        "port": report.port,
        "at": _moment(report.at),
        "finished": report.finished,
        "found": [found_json(each) for each in _some(report.found)],
        "passed": [_passed(each) for each in _some(report.passed)],
        "not_checked": [_not_checked(each) for each in _some(report.not_checked)],
        "addresses": _cut_all(report.addresses),
        "chains": [_chain(each) for each in _some(report.chains)],
        "scts": [sct_json(each) for each in _some(report.scts)],
        "policies": [policy_json(each) for each in report.policies],
        "forecasts": [forecast_json(each) for each in _some(report.forecasts)],
        "caa": None if report.caa is None else _caa(report.caa),
        "notes": _cut_all(report.notes),
    }


def found_json(finding: Finding) -> dict[str, object]:
    """One finding, where it was made, and what to do next."""
    where = where_of(finding)
    return finding_json(finding) | {
        "where": _cut(where) if where else None,
        "next": next_step(finding.kind),
    }


def certificate_json(certificate: ReportedCertificate) -> dict[str, object]:
    """One certificate of a chain; `names` has the first of `names_total`."""
    return {
        "role": _cut(certificate.role),
        "subject": _cut(certificate.subject),
        "issuer": _cut(certificate.issuer),
        "names": _cut_all(certificate.names),
        "names_total": max(certificate.names_total, len(certificate.names)),
        "not_before": _moment(certificate.not_before),
        "not_after": _moment(certificate.not_after),
        "public_key": _cut(certificate.key),
        "pin": _cut(certificate.pin),
        "certificate_sha256": _cut(certificate.sha256),
        "sent": certificate.sent,
        "problem": _cut(certificate.problem),
    }


def _chain(chain: ReportedChain) -> dict[str, object]:
    return {
        "addresses": _cut_all(chain.addresses),
        "verified": chain.verified,
        "problem": _cut(chain.problem),
        "certificates": [certificate_json(each) for each in _some(chain.certificates)],
    }


def _caa(caa: ReportedCAA) -> dict[str, object]:
    return {
        "relevant_name": _cut(caa.relevant_name),
        "records": _cut_all(caa.records),
        "dnssec": _cut(caa.dnssec),
        "owner": _cut(caa.owner),
        "issuers": _cut_all(caa.issuers),
        "verdict": _cut(caa.verdict),
        "reason": _cut(caa.reason),
    }


def _passed(passed: Passed) -> dict[str, object]:
    return {
        "area": str(passed.area),
        "check": _cut(passed.check),
        "message": _cut(passed.message),
    }


def _not_checked(check: NotChecked) -> dict[str, object]:
    return {
        "area": str(check.area),
        "check": _cut(check.check),
        "why": _cut(check.why),
        "failed": check.failed,
    }


def _some(items: Sequence[_Each]) -> Iterable[_Each]:
    return islice(items, _MOST_ITEMS)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _cut_all(texts: Sequence[str]) -> list[str]:
    return [_cut(text) for text in texts[:_MOST_ITEMS]]


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

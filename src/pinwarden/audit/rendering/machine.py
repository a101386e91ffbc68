"""One audit for programs: the object that `pinwarden audit --json` writes on a line.

Text stays as it was read (JSON carries any string), and every list and string is bounded:
whoever is audited chooses their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from pinwarden.findings import Finding
from pinwarden.render import finding_json, listed_finding_json
from pinwarden.render.ct import forecast_json, policy_json, sct_json
from pinwarden.render.json_values import MOST_ITEMS, cut, cut_all, moment_or_none

__all__ = ["audit_json"]

_VERSION = 1
_Each = TypeVar("_Each")


def audit_json(report: AuditReport) -> dict[str, object]:
    """One audit as the documented, versioned object."""
    return {
        "type": "audit",
        "version": _VERSION,
        "target": cut(report.target),
        "host": cut(report.host),
        "port": report.port,
        "at": moment_or_none(report.at),
        "finished": report.finished,
        "found": [_found(each) for each in _some(report.found)],
        "passed": [_passed(each) for each in _some(report.passed)],
        "not_checked": [_not_checked(each) for each in _some(report.not_checked)],
        "addresses": cut_all(report.addresses),
        "chains": [_chain(each) for each in _some(report.chains)],
        "scts": [sct_json(each) for each in _some(report.scts)],
        "policies": [policy_json(each) for each in report.policies],
        "forecasts": [forecast_json(each) for each in _some(report.forecasts)],
        "caa": None if report.caa is None else _caa(report.caa),
        "notes": cut_all(report.notes),
    }


def _found(finding: Finding) -> dict[str, object]:
    """One finding with all that is known of it, which is more than a list has."""
    return finding_json(finding) | listed_finding_json(finding)


def _certificate(certificate: ReportedCertificate) -> dict[str, object]:
    """One certificate of a chain; `names` has the first of `names_total`."""
    return {
        "role": cut(certificate.role),
        "subject": cut(certificate.subject),
        "issuer": cut(certificate.issuer),
        "names": cut_all(certificate.names),
        "names_total": max(certificate.names_total, len(certificate.names)),
        "not_before": moment_or_none(certificate.not_before),
        "not_after": moment_or_none(certificate.not_after),
        "public_key": cut(certificate.key),
        "pin": cut(certificate.pin),
        "certificate_sha256": cut(certificate.sha256),
        "sent": certificate.sent,
        "problem": cut(certificate.problem),
    }


def _chain(chain: ReportedChain) -> dict[str, object]:
    return {
        "addresses": cut_all(chain.addresses),
        "verified": chain.verified,
        "problem": cut(chain.problem),
        "certificates": [_certificate(each) for each in _some(chain.certificates)],
    }


def _caa(caa: ReportedCAA) -> dict[str, object]:
    return {
        "relevant_name": cut(caa.relevant_name),
        "records": cut_all(caa.records),
        "dnssec": cut(caa.dnssec),
        "owner": cut(caa.owner),
        "issuers": cut_all(caa.issuers),
        "verdict": cut(caa.verdict),
        "reason": cut(caa.reason),
    }


def _passed(passed: Passed) -> dict[str, object]:
    return {
        "area": str(passed.area),
        "check": cut(passed.check),
        "message": cut(passed.message),
    }


def _not_checked(check: NotChecked) -> dict[str, object]:
    return {
        "area": str(check.area),
        "check": cut(check.check),
        "why": cut(check.why),
        "failed": check.failed,
    }


def _some(items: Sequence[_Each]) -> Iterable[_Each]:
    return islice(items, MOST_ITEMS)

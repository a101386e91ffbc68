"""From facts to the report: every check is made, and what is known is put beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TypeVar

from pinwarden.audit.checks import CHECKS
from pinwarden.audit.checks.dnssec import state_of
from pinwarden.audit.facts import CAAFacts, CTFacts, Facts, Presentation
from pinwarden.audit.presentation import readable
from pinwarden.audit.report import (
    AuditReport,
    NotChecked,
    Passed,
    ReportedCAA,
    ReportedCertificate,
    ReportedChain,
)
from pinwarden.audit.served_names import served_names
from pinwarden.caa.history.observation import presentation_of
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding, by_severity
from pinwarden.names import display
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import CertificateView

__all__ = ["report_of"]

_T = TypeVar("_T")

# Certificates of content networks have thousands of names, and lists of thousands of hosts
# have such certificates.
_MOST_NAMES = 100
_MOST_RECORDS = 100
_MOST_BESIDE = 10
_LARGEST_REMEMBERED = 8192


def report_of(facts: Facts, ignored: Collection[str] = ()) -> AuditReport:
    """The report of a host; a finding whose id is ignored becomes something not checked."""
    found: list[Finding] = []
    passed: list[Passed] = []
    not_checked: list[NotChecked] = []
    for area, check in CHECKS.items():
        for outcome in check(facts):
            if isinstance(outcome, Passed):
                passed.append(outcome)
            elif isinstance(outcome, NotChecked):
                not_checked.append(outcome)
            elif outcome.id in ignored:
                why = "is met, and ignored as asked for"
                not_checked.append(NotChecked(area, outcome.id, why, failed=False))
            else:
                found.append(outcome)
    ct = facts.shown[0].ct if facts.shown else None
    ct = ct if isinstance(ct, CTFacts) else CTFacts(scts=())
    return AuditReport(
        target=facts.target,
        host=facts.host,
        port=facts.endpoint.port,
        at=facts.at,
        found=by_severity(found),
        passed=tuple(passed),
        not_checked=tuple(dict.fromkeys(not_checked)),
        addresses=tuple(map(str, facts.served.addresses)),
        chains=tuple(map(_chain, facts.shown)),
        scts=ct.scts,
        policies=ct.policies,
        forecasts=ct.forecasts,
        caa=_caa(facts),
        notes=_notes(facts),
    )


def _notes(facts: Facts) -> tuple[str, ...]:
    """How the CA was told, where that is less than sure; and what is sent beside the chain."""
    match = facts.caa.match if isinstance(facts.caa, CAAFacts) else None
    notes = [f"the CA that issued: {match.note}"] if match is not None and match.note else []
    for shown in facts.shown[:1]:
        beside = [each for each in shown.first.sent if each not in shown.certificates]
        for each in map(_reported, beside[:_MOST_BESIDE]):
            subject = each.subject or "an unreadable certificate"
            notes.append(f"also sent, and not in the chain: {subject}, {each.pin or 'no pin'}")
        if len(beside) > _MOST_BESIDE:
            rest = len(beside) - _MOST_BESIDE
            notes.append(f"also sent, and not in the chain: {rest} more")
    return tuple(notes)


def _chain(shown: Presentation) -> ReportedChain:
    sent = set(shown.first.sent)
    return ReportedChain(
        addresses=tuple(map(str, shown.addresses)),
        verified=shown.verified,
        problem=shown.first.problem,
        certificates=tuple(
            _certificate(each, position, each in sent)
            for position, each in enumerate(shown.certificates)
        ),
    )


def _certificate(der: bytes, position: int, sent: bool) -> ReportedCertificate:
    make = _made if position == 0 or len(der) > _LARGEST_REMEMBERED else _made_remembered
    return make(der, position, sent)


def _made(der: bytes, position: int, sent: bool) -> ReportedCertificate:
    sha256 = hashlib.sha256(der).hexdigest()
    view = readable(der)
    try:
        pin, problem = pin_of_certificate(der).curl, ""
    except MalformedError as error:
        pin, problem = "", str(error)
    if view is None:
        role = "leaf" if position == 0 else "intermediate"
        return ReportedCertificate(
            role=role, subject="", issuer="", names=(), not_before=None, not_after=None, key="",
            pin=pin, sha256=sha256, sent=sent, problem=problem or "is no certificate",
        )  # fmt: skip
    names = served_names(view) if position == 0 else None
    shown = () if names is None else (*names.dns, *map(str, names.ips))
    return ReportedCertificate(
        role=_role(view, position),
        subject=display(_read(lambda: view.subject_text, "")),
        issuer=display(_read(lambda: view.issuer_text, "")),
        names=tuple(display(each, 255) for each in shown[:_MOST_NAMES]),
        not_before=_read(lambda: view.not_before, None),
        not_after=_read(lambda: view.not_after, None),
        key=_read(lambda: view.key_description, ""),
        pin=pin,
        sha256=sha256,
        sent=sent,
        problem=problem,
        names_total=len(shown),
    )


# Many hosts have the same certificates above their own; reports of thousands share them.
_made_remembered = lru_cache(maxsize=512)(_made)


def _reported(der: bytes) -> ReportedCertificate:
    """One that stands in no chain."""
    return _certificate(der, 1, sent=True)


def _role(view: CertificateView, position: int) -> str:
    if position == 0:
        return "leaf"
    return "root" if view.is_self_issued else "intermediate"


def _read(field: Callable[[], _T], otherwise: _T) -> _T:
    """One field, or something else where it cannot be read: that costs this field alone."""
    try:
        return field()
    except MalformedError:
        return otherwise


def _caa(facts: Facts) -> ReportedCAA | None:
    caa = facts.caa
    if not isinstance(caa, CAAFacts) or not caa.policies:
        return None
    policy = caa.policies[0]
    found, decision = policy.governing, policy.decision
    records: Sequence[str] = ()
    if found.lookup is not None and not found.failed:
        records = presentation_of((*found.lookup.records, *found.lookup.broken))
    return ReportedCAA(
        relevant_name=found.relevant_name or "",
        records=tuple(display(each, 300) for each in records[:_MOST_RECORDS]),
        dnssec=str(state_of(policy)),
        owner=display(caa.owner, 200),
        issuers=caa.domains,
        verdict=str(decision.verdict),
        reason=display("; ".join(decision.why[:3])),
    )

"""What proofs of inclusion, or the lack of them, come to: findings, and the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinwarden.audit.prove import SCTProof
from pinwarden.ct.evidence import Evidence, EvidenceSCT, make_evidence
from pinwarden.ct.inclusion import Breach, Missing, NotYet, Unprovable
from pinwarden.ct.issuer import issuer_among
from pinwarden.ct.log import Log
from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.findings import Finding
from pinwarden.findings.transparency import CT_NOT_INCLUDED, CT_NOT_YET_INCLUDED
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.signature import verify_issued

__all__ = ["BREACHES", "evidence_of_proofs", "findings_of_proofs"]

BREACHES = {
    Breach.OTHER_ENTRY: "another entry stands at the place that it promised",
    Breach.TREE_TOO_SMALL: "its tree does not reach to the place that it promised",
    Breach.ABSENT: "it says, and did not sign, that it has no such entry",
    Breach.WRONG_PROOF: "its proof, which it did not sign, does not lead to its signed root",
}
_MOST_EVIDENCE = 64 * 1024


def findings_of_proofs(proofs: Sequence[SCTProof], subject: str) -> tuple[Finding, ...]:
    """A finding for each promise that was broken, and for each that is not due yet."""
    found = []
    for each in proofs:
        outcome, log = each.outcome, each.judged.log
        if isinstance(outcome, Unprovable) or log is None:
            continue
        name = display(log.description, 100)
        if isinstance(outcome, Missing):
            found.append(
                Finding(
                    kind=CT_NOT_INCLUDED,
                    subject=subject,
                    message=f"log {name} {_verb(outcome.breach)}: {BREACHES[outcome.breach]}",
                    details=(("where", log.description), ("breach", str(outcome.breach))),
                    evidence=_evidence(each, outcome),
                )
            )
        elif isinstance(outcome, NotYet):
            found.append(
                Finding(
                    kind=CT_NOT_YET_INCLUDED,
                    subject=subject,
                    message=f"log {name} has until {outcome.until:%Y-%m-%d %H:%M:%S}Z",
                    details=(("where", log.description),),
                )
            )
    return tuple(found)


def _verb(breach: Breach) -> str:
    """An answer that nobody signed is no proof, to anybody but who got it."""
    return "broke its promise" if breach.is_signed else "does not keep its promise"


def evidence_of_proofs(
    subject: str,
    certificate: CertificateView,
    issuer: CertificateView | None,
    chain: Sequence[CertificateView],
    proofs: Sequence[SCTProof],
    *,
    at: datetime,
    by: str,
) -> Evidence:
    """The bundle of all that was asked; raises `MalformedError`, as `make_evidence` does.

    `chain` is what stands above the certificate. Only what signed what stands below it is
    kept; `issuer` comes first, wherever it was found.
    """
    outcomes: list[tuple[EvidenceSCT, Log | None]] = [
        (EvidenceSCT(each.judged.source, each.judged.raw, each.outcome), each.judged.log)
        for each in proofs
    ]
    above = _above(issuer, chain)
    return make_evidence(subject, certificate, above, outcomes, at=at, by=by)


def _above(
    issuer: CertificateView | None, chain: Sequence[CertificateView]
) -> list[CertificateView]:
    """A path that holds: chains as sent are in any order, and full of what nobody needs."""
    path: list[CertificateView] = []
    while issuer is not None and issuer not in path:
        path.append(issuer)
        issuer = issuer_among(issuer, chain)
    if len(path) > 1 and path[-1].is_self_issued and not _is_signed_by_itself(path[-1]):
        # A new key under an old name, or an algorithm of old: a reader could not verify it.
        path.pop()
    return path


def _is_signed_by_itself(certificate: CertificateView) -> bool:
    try:
        verify_issued(certificate, certificate)
    except (BadSignatureError, MalformedError):
        return False
    return True


def _evidence(proof: SCTProof, missing: Missing) -> tuple[tuple[str, bytes], ...]:
    named = (
        ("sct", proof.judged.raw),
        ("head", missing.head.head.raw),
        ("other entry", missing.other),
        ("answer", missing.answer),
    )
    return tuple((name, data[:_MOST_EVIDENCE]) for name, data in named if data)

"""Evidence bundles: what proves that a certificate is in its logs, in one file that lasts.

One JSON document with one spelling: whoever changes a character has another bundle, which is
refused. It holds what was received, exactly, and beside it what follows from that (the octets
under each signature), so that a third party needs nothing but OpenSSL and SHA-256. Whether it
proves what it says is `evidence_check`'s question; docs/evidence.md has the format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pinwarden.ct.head import Head, signed_input
from pinwarden.ct.inclusion import (
    Missing,
    NotYet,
    Outcome,
    ProofHead,
    Proven,
    Unprovable,
)
from pinwarden.ct.log import Log
from pinwarden.ct.sct import (
    SCT,
    SCTSource,
    SignedEntry,
    embedded_entry,
    parse_sct,
    signed_by_sct,
    x509_entry,
)
from pinwarden.ct.wire import encode_base64
from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = [
    "FORMAT",
    "LARGEST_FILE",
    "MOST_CERTIFICATES",
    "MOST_SCTS",
    "Evidence",
    "EvidenceSCT",
    "bundle_text",
    "make_evidence",
    "outcome_word",
]

FORMAT = "pinwarden-ct-evidence-1"
LARGEST_FILE = 4 << 20
MOST_SCTS, MOST_CERTIFICATES = 200, 20
_LONGEST_TEXT = 300
# hash and signature algorithm, and the length of the signature (RFC 5246 section 4.7)
_BEFORE_SIGNATURE = 4


@dataclass(frozen=True, slots=True)
class EvidenceSCT:
    """One SCT as received, how it came, and what became of its promise."""

    source: SCTSource
    raw: bytes
    outcome: Outcome

    @property
    def sct(self) -> SCT | None:
        """The SCT, or None if it cannot be read."""
        try:
            return parse_sct(self.raw)
        except MalformedError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A bundle, of which nothing is verified.

    `chain` is what stands above the certificate, its issuer first; `logs` are the logs that
    the SCTs name, as far as they were known. `subject`, `by` and the names and addresses of
    logs are words of whoever made the bundle, and nothing proves them.
    """

    subject: str
    made: datetime
    by: str
    certificate: bytes
    chain: tuple[bytes, ...]
    logs: tuple[Log, ...]
    scts: tuple[EvidenceSCT, ...]

    def log_of(self, sct: SCT) -> Log | None:
        """The log that an SCT names, as the bundle has it."""
        return next((log for log in self.logs if log.log_id == sct.log_id), None)

    def entry(self, source: SCTSource) -> SignedEntry:
        """What the SCTs from this source are about.

        Raises `MalformedError` if the certificate cannot be taken apart, or if its issuer
        is needed and not in the bundle.
        """
        if source is not SCTSource.EMBEDDED:
            return x509_entry(self.certificate)
        if not self.chain:
            raise MalformedError("evidence bundle: has no issuer, whose key the SCT signs")
        return embedded_entry(view_certificate(self.certificate), view_certificate(self.chain[0]))

    def to_json(self) -> bytes:
        """The file: canonical JSON in ASCII, with a newline at its end.

        Raises `MalformedError` if it would be larger than a reader takes.
        """
        value = {
            "format": FORMAT,
            "made": f"{self.made.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "by": self.by,
            "subject": self.subject,
            "certificate": encode_base64(self.certificate),
            "chain": [encode_base64(each) for each in self.chain],
            "logs": [_log_json(each) for each in self.logs],
            "scts": [_sct_json(each, self) for each in self.scts],
        }
        data = _canonical({**value, "sha256": sha256(_canonical(value)).hexdigest()})
        if len(data) > LARGEST_FILE:
            raise MalformedError(f"evidence bundle: would be larger than {LARGEST_FILE >> 20} MiB")
        return data

    def signed(self, each: EvidenceSCT) -> bytes | None:
        """The octets that an SCT signs, the MerkleTreeLeaf; None where nothing is claimed.

        What is claimed of an SCT is checked by them. Of all others a hostile server can hand
        over two hundred, with a large certificate.
        """
        sct = each.sct
        if sct is None or isinstance(each.outcome, Unprovable):
            return None
        try:
            return signed_by_sct(sct, self.entry(each.source))
        except MalformedError:
            return None


def make_evidence(
    subject: str,
    certificate: CertificateView,
    chain: Sequence[CertificateView],
    outcomes: Sequence[tuple[EvidenceSCT, Log | None]],
    *,
    at: datetime,
    by: str,
) -> Evidence:
    """The bundle of what is known about a certificate, made at a time by a program.

    Raises `MalformedError` for a certificate of which only the TBSCertificate is there.
    """
    if certificate.der is None:
        raise MalformedError("evidence bundle: needs the certificate, not its TBSCertificate")
    logs = {log.log_id: _told(log) for _, log in outcomes if log is not None}
    return Evidence(
        subject=bundle_text(subject),
        made=at.astimezone(UTC).replace(microsecond=0),
        by=bundle_text(by),
        certificate=certificate.der,
        chain=tuple(each.der for each in chain[:MOST_CERTIFICATES] if each.der is not None),
        logs=tuple(logs.values()),
        scts=tuple(each for each, _ in outcomes[:MOST_SCTS]),
    )


def bundle_text(text: str) -> str:
    """Text as it may stand in a bundle: one bounded line of which every character is seen."""
    return display(text, _LONGEST_TEXT)[:_LONGEST_TEXT]


def outcome_word(outcome: Outcome) -> str:
    """The word for an outcome: included, missing, not-yet or unproven."""
    if isinstance(outcome, Proven):
        return "included"
    if isinstance(outcome, Missing):
        return "missing"
    return "not-yet" if isinstance(outcome, NotYet) else "unproven"


def _told(log: Log) -> Log:
    """As much of a log as a bundle holds."""
    return Log(
        log_id=log.log_id,
        key=log.key,
        description=bundle_text(log.description),
        operator=bundle_text(log.operator),
        kind=log.kind,
        url=bundle_text(log.url),
        origin=bundle_text(log.origin),
        mmd=log.mmd,
    )


def _canonical(value: dict[str, Any]) -> bytes:
    # `jq -a --indent 1` writes the same.
    return json.dumps(value, ensure_ascii=True, indent=1).encode("ascii") + b"\n"


def _log_json(log: Log) -> dict[str, Any]:
    return {
        "log_id": encode_base64(log.log_id),
        "key": encode_base64(log.key),
        "kind": str(log.kind),
        "description": log.description,
        "operator": log.operator,
        "url": log.url,
        "origin": log.origin,
        "mmd": int(log.mmd.total_seconds()),
    }


def _sct_json(each: EvidenceSCT, evidence: Evidence) -> dict[str, Any]:
    sct, outcome, signed = each.sct, each.outcome, evidence.signed(each)
    value: dict[str, Any] = {
        "source": str(each.source),
        "sct": encode_base64(each.raw),
        "log_id": None if sct is None else encode_base64(sct.log_id),
        "timestamp": None if sct is None else sct.timestamp_ms,
        "signed": None if signed is None else encode_base64(signed),
        "signature": None if sct is None else encode_base64(sct.signature[_BEFORE_SIGNATURE:]),
        "outcome": outcome_word(outcome),
        "index": None,
        "proof": [],
        "head": None,
        "breach": None,
        "other": None,
        "answer": None,
        "cause": None,
        "reason": "",
    }
    if isinstance(outcome, Proven | Missing):
        value["index"] = outcome.index
        value["proof"] = [encode_base64(node) for node in outcome.proof]
    if isinstance(outcome, Missing):
        value["breach"] = str(outcome.breach)
        value["other"] = encode_base64(outcome.other)
        value["answer"] = encode_base64(outcome.answer)
    if isinstance(outcome, Proven | Missing | NotYet):
        value["head"] = _head_json(outcome.head)
    else:
        value["cause"] = str(outcome.cause)
        value["reason"] = outcome.reason
    return value


def _head_json(proof_head: ProofHead) -> dict[str, Any]:
    head: Head = proof_head.head
    signed = proof_head.form.is_signed
    return {
        "form": str(proof_head.form),
        "raw": encode_base64(head.raw),
        "size": head.size,
        "root": encode_base64(head.root),
        "timestamp": head.timestamp_ms if signed else None,
        "signed": encode_base64(signed_input(head)) if signed else None,
        "signature": encode_base64(head.signature[_BEFORE_SIGNATURE:]) if signed else None,
    }

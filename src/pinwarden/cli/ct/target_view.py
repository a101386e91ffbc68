"""What the commands of `ct` tell alike: whose certificate it is, what is found, what to note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pinwarden.cli.ct.targets import TargetCertificate
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.render import listed_finding_json, next_step

__all__ = ["MOST_SHOWN", "finding_lines", "findings_json", "note_lines", "target_json"]

MOST_SHOWN = 600
"""How much of a message of others is shown."""


def target_json(target: TargetCertificate, at: datetime) -> dict[str, Any]:
    """The beginning of every object: the certificate, where it is served, and as of when."""
    fingerprint = None if target.certificate is None else target.certificate.fingerprint
    return {
        "target": target.target,
        "at": to_moment(at),
        "verified": target.verified,
        "addresses": list(target.addresses),
        "certificate_sha256": None if fingerprint is None else fingerprint.hex(),
    }


def findings_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Findings as every object has them."""
    return [listed_finding_json(each) for each in findings]


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings, each with what to do about it."""
    for finding in findings:
        yield f"  {finding.severity}: {display(finding.message, MOST_SHOWN)} [{finding.id}]"
        yield f"      do: {next_step(finding.kind)}"


def note_lines(notes: Iterable[str]) -> Iterator[str]:
    """Notes, each of them once."""
    for note in dict.fromkeys(notes):
        yield f"  note: {display(note, MOST_SHOWN)}"

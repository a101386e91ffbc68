"""What was seen in a log, and what is to be said about it.

These values travel from the monitor through the store to every channel. They
hold foreign text as it was read; whoever shows it escapes it
(`names.display`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.findings import Finding
from pinwarden.verdicts import Verdict

__all__ = ["Alert", "LogReference", "Sighting", "SightingKind", "Verdict"]


class SightingKind(StrEnum):
    """Whether the entry could be read."""

    CERTIFICATE = "certificate"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReference:
    """Where in which log an entry stands.

    `verified` says that the entry is covered by a tree head whose signature
    verified and whose root we recomputed from the entries served.
    """

    log_id: bytes
    log: str
    url: str
    index: int
    timestamp: datetime
    entry_type: str
    leaf_hash: bytes
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One issuance that touches the watch list, as seen in one log entry.

    `key` identifies the issuance: SHA-256 of the TBSCertificate without poison
    and SCT list, one value for precertificate and certificate in every log; for
    an entry that cannot be read, its leaf hash. `der` is what was logged: the
    precertificate or certificate, else the TBSCertificate, else the leaf.
    """

    key: bytes
    kind: SightingKind
    tbs_sha256: bytes | None = None
    names: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    issuer: str = ""
    subject: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    spki_sha256: bytes | None = None
    key_description: str = ""
    fingerprint: bytes | None = None
    verdict: Verdict = Verdict.UNKNOWN
    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    der: bytes = b""
    seen: LogReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to tell the user, once: an issuance, or a finding about a log.

    Exactly one of `sighting` and `finding` is set. `again` marks a delivery
    whose first attempt was cut off by a crash, so it may have arrived before.
    """

    id: int
    key: str
    created: datetime
    sighting: Sighting | None = None
    references: tuple[LogReference, ...] = ()
    finding: Finding | None = None
    again: bool = False

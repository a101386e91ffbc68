"""The SCTs that come with a certificate, each verified and called what it is.

Three statuses and no fourth that could pass for the first: *valid* is a signature of a
log that is known, *invalid* whatever is refused for itself, *unknown-log* what nobody
here can verify. What could not be checked for want of the issuer is *not-checked*.
Whether valid SCTs are enough is for `policy` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.ct.head import LogID
from pinwarden.ct.log import Log, LogList
from pinwarden.ct.sct import SCT, SCTSource
from pinwarden.x509.certificate import CertificateView

__all__ = ["Flaw", "JudgedSCT", "PresentedSCT", "SCTStatus", "judge_scts"]


class SCTStatus(StrEnum):
    """What became of the signature."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN_LOG = "unknown-log"
    NOT_CHECKED = "not-checked"


class Flaw(StrEnum):
    """What is wrong with an SCT, or noteworthy about its log at that time.

    The first group makes it invalid; with the second the signature holds, and it is for
    the policies to count the SCT or not.
    """

    UNREADABLE = "unreadable"
    UNKNOWN_VERSION = "unknown-version"
    BAD_SIGNATURE = "bad-signature"
    MIMIC_LOG = "mimic-log"
    FROM_THE_FUTURE = "from-the-future"
    # ---
    OUTSIDE_INTERVAL = "outside-interval"
    AFTER_RETIREMENT = "after-retirement"
    LOG_REJECTED = "log-rejected"
    LOG_PENDING = "log-pending"
    TEST_LOG = "test-log"
    REPEATED = "repeated"
    # Not checked, and why.
    ISSUER_MISSING = "issuer-missing"
    UNKNOWN_LOG = "unknown-log"


@dataclass(frozen=True, slots=True)
class PresentedSCT:
    """One SCT as received, and how it came."""

    source: SCTSource
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSCT:
    """One SCT with what became of it; `sct` is None if it could not be read.

    `reason` is one line for people: why it is not valid, or what there is to note; empty
    where there is nothing to say. `flaws` has the gravest first.
    """

    source: SCTSource
    raw: bytes
    sct: SCT | None
    status: SCTStatus
    log: Log | None = None
    flaws: tuple[Flaw, ...] = ()
    reason: str = ""

    @property
    def log_id(self) -> LogID | None:
        """The log that it names."""
        return None if self.sct is None else self.sct.log_id


def judge_scts(
    certificate: CertificateView,
    issuer: CertificateView | None,
    presented: Sequence[PresentedSCT],
    logs: LogList,
    at: datetime,
) -> tuple[JudgedSCT, ...]:
    """Verify each SCT of a certificate against the logs of a list, as of a time.

    `issuer` is the certificate above, whose key an embedded SCT signs; without it such an
    SCT is not checked. Never raises: what cannot be read is a result.
    """
    raise NotImplementedError

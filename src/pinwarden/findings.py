"""What Pinwarden reports: one vocabulary for terminal, mail, web and machines.

Every kind of finding has a stable id, registered here and explained in
`docs/findings.md` (a test holds the two together).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters to the owner of the watched names."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One registered kind: its stable id, usual severity and one-line meaning.

    A `lasting` one never passes by itself: each case of it stands until a person
    has taken note, and the next case is news again.
    """

    id: str
    severity: Severity
    title: str
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, about one subject.

    `evidence` holds named bytes exactly as received (two conflicting signed
    heads, say), so that a third party can check the claim.
    """

    kind: FindingKind
    subject: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    evidence: tuple[tuple[str, bytes], ...] = ()

    @property
    def id(self) -> str:
        """The stable id of the kind, such as `PW-LOG-FORK`."""
        return self.kind.id

    @property
    def severity(self) -> Severity:
        """The severity of the kind."""
        return self.kind.severity


REGISTER: dict[str, FindingKind] = {}


def _kind(id_: str, severity: Severity, title: str, *, lasting: bool = False) -> FindingKind:
    kind = FindingKind(id_, severity, title, lasting)
    REGISTER[id_] = kind
    return kind


CERTIFICATE_SEEN = _kind(
    "PW-CERT-SEEN", Severity.MEDIUM, "a certificate for a watched name was logged"
)
ENTRY_UNREADABLE = _kind(
    "PW-ENTRY-UNREADABLE",
    Severity.HIGH,
    "a log entry could not be read well enough to rule out a watched name",
)
LOG_FORK = _kind(
    "PW-LOG-FORK",
    Severity.CRITICAL,
    "a log signed two tree heads that cannot both be true",
    lasting=True,
)
LOG_WRONG_ROOT = _kind(
    "PW-LOG-WRONG-ROOT",
    Severity.CRITICAL,
    "the entries a log served do not make the root it signed",
    lasting=True,
)
LOG_SHRUNK = _kind(
    "PW-LOG-SHRUNK",
    Severity.HIGH,
    "a log's newest tree head is smaller than one we verified",
    lasting=True,
)
LOG_BAD_SIGNATURE = _kind(
    "PW-LOG-BAD-SIGNATURE", Severity.HIGH, "a tree head's signature does not verify"
)
LOG_STALLED = _kind(
    "PW-LOG-STALLED", Severity.MEDIUM, "a log's newest tree head is older than it may be"
)
LOG_FUTURE = _kind(
    "PW-LOG-FUTURE", Severity.MEDIUM, "a log's newest tree head is dated in the future"
)
LOG_GARBAGE = _kind("PW-LOG-GARBAGE", Severity.HIGH, "a log answered what is not CT")
LOG_UNREACHABLE = _kind("PW-LOG-UNREACHABLE", Severity.MEDIUM, "a log does not answer")
LOG_JOINED_LATE = _kind(
    "PW-LOG-JOINED-LATE",
    Severity.HIGH,
    "a log did not answer when watching began, so what it logged until then was not read",
    lasting=True,
)
LOG_NOT_DRAINED = _kind(
    "PW-LOG-NOT-DRAINED",
    Severity.MEDIUM,
    "a log left the log list before all its entries were read",
)
LOG_LIST_STALE = _kind(
    "PW-LOG-LIST-STALE", Severity.MEDIUM, "the log list in use is old, so new logs may be missing"
)
LOG_LIST_ROLLED_BACK = _kind(
    "PW-LOG-LIST-ROLLED-BACK", Severity.HIGH, "a log list older than the one in use was offered"
)
LOG_LIST_REFUSED = _kind(
    "PW-LOG-LIST-REFUSED", Severity.HIGH, "a log list, or a log in it, was refused"
)
LOG_LIST_UNREACHABLE = _kind(
    "PW-LOG-LIST-UNREACHABLE",
    Severity.LOW,
    "a log list cannot be fetched, so the last copy is used",
)
LOG_LIST_NOT_KEPT = _kind(
    "PW-LOG-LIST-NOT-KEPT",
    Severity.LOW,
    "the copy of a log list on disk cannot be read or written",
)
DELIVERY_FAILED = _kind(
    "PW-DELIVERY-FAILED", Severity.HIGH, "an alert could not be delivered by a channel"
)
TEST_ALERT = _kind("PW-TEST", Severity.INFO, "a test of the way alerts take")

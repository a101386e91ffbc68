"""Whether the monitor can see: failures as findings, in one place.

A quiet monitor and a broken one must not look the same, and one sick log must
not take the others with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pinwarden.errors import (
    BadSignatureError,
    MalformedError,
    OutsideError,
    PinwardenError,
    VerificationError,
)
from pinwarden.findings import (
    LOG_BAD_SIGNATURE,
    LOG_FUTURE,
    LOG_GARBAGE,
    LOG_LIST_NOT_KEPT,
    LOG_LIST_REFUSED,
    LOG_LIST_STALE,
    LOG_LIST_UNREACHABLE,
    LOG_STALLED,
    LOG_UNREACHABLE,
    LOG_WRONG_ROOT,
    Finding,
    FindingKind,
)

# Findings that end by themselves when the log behaves again. Contradicting
# heads and wrong roots do not: they stay until a person has looked at them.
PASSING = (LOG_UNREACHABLE, LOG_GARBAGE, LOG_BAD_SIGNATURE, LOG_STALLED, LOG_FUTURE)

# The same for a log list. That an older one was offered stays for a person to see.
PASSING_OF_LISTS = (LOG_LIST_STALE, LOG_LIST_REFUSED, LOG_LIST_UNREACHABLE, LOG_LIST_NOT_KEPT)

# An outage shorter than this is ordinary life on the internet.
UNREACHABLE_AFTER = timedelta(minutes=30)


def kind_of(error: PinwardenError) -> FindingKind:
    """The kind of finding that a failure to follow a log amounts to."""
    if isinstance(error, BadSignatureError):
        return LOG_BAD_SIGNATURE
    if isinstance(error, VerificationError):
        return LOG_WRONG_ROOT
    if isinstance(error, MalformedError) or (isinstance(error, OutsideError) and error.evidence):
        return LOG_GARBAGE
    return LOG_UNREACHABLE


def finding_of(error: PinwardenError, subject: str) -> Finding:
    """The finding for a failure, with what the log sent as evidence."""
    evidence = (("as received", error.evidence),) if error.evidence else ()
    return Finding(kind=kind_of(error), subject=subject, message=str(error), evidence=evidence)


@dataclass(slots=True)
class Patience:
    """How long one log has been failing, and whether that is worth an alert."""

    failing_since: datetime | None = None

    def failed(self, error: PinwardenError, at: datetime) -> bool:
        """Note a failure; whether it is to be reported now."""
        if self.failing_since is None:
            self.failing_since = at
        lasting = at - self.failing_since >= UNREACHABLE_AFTER
        return lasting or kind_of(error) is not LOG_UNREACHABLE

    def succeeded(self) -> None:
        """Note that the log answered."""
        self.failing_since = None

"""What watching certificates and logs can find."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

CERTIFICATE_SEEN = register(
    "PW-CERT-SEEN", Severity.MEDIUM, "a certificate for a watched name was logged"
)
ENTRY_UNREADABLE = register(
    "PW-ENTRY-UNREADABLE",
    Severity.HIGH,
    "a log entry could not be read well enough to rule out a watched name",
)
LOG_FORK = register(
    "PW-LOG-FORK",
    Severity.CRITICAL,
    "a log signed two tree heads that cannot both be true",
    lasting=True,
)
LOG_WRONG_ROOT = register(
    "PW-LOG-WRONG-ROOT",
    Severity.CRITICAL,
    "the entries a log served do not make the root it signed",
    lasting=True,
)
LOG_SHRUNK = register(
    "PW-LOG-SHRUNK",
    Severity.HIGH,
    "a log's newest tree head is smaller than one we verified",
    lasting=True,
)
LOG_BAD_SIGNATURE = register(
    "PW-LOG-BAD-SIGNATURE", Severity.HIGH, "a tree head's signature does not verify"
)
LOG_STALLED = register(
    "PW-LOG-STALLED", Severity.MEDIUM, "a log's newest tree head is older than it may be"
)
LOG_FUTURE = register(
    "PW-LOG-FUTURE", Severity.MEDIUM, "a log's newest tree head is dated in the future"
)
LOG_GARBAGE = register("PW-LOG-GARBAGE", Severity.HIGH, "a log answered what is not CT")
LOG_UNREACHABLE = register("PW-LOG-UNREACHABLE", Severity.MEDIUM, "a log does not answer")
LOG_JOINED_LATE = register(
    "PW-LOG-JOINED-LATE",
    Severity.HIGH,
    "a log did not answer when watching began, so what it logged until then was not read",
    lasting=True,
)
LOG_NOT_DRAINED = register(
    "PW-LOG-NOT-DRAINED",
    Severity.MEDIUM,
    "a log left the log list before all its entries were read",
)
LOG_LIST_STALE = register(
    "PW-LOG-LIST-STALE", Severity.MEDIUM, "the log list in use is old, so new logs may be missing"
)
LOG_LIST_ROLLED_BACK = register(
    "PW-LOG-LIST-ROLLED-BACK", Severity.HIGH, "a log list older than the one in use was offered"
)
LOG_LIST_REFUSED = register(
    "PW-LOG-LIST-REFUSED", Severity.HIGH, "a log list, or a log in it, was refused"
)
LOG_LIST_UNREACHABLE = register(
    "PW-LOG-LIST-UNREACHABLE",
    Severity.LOW,
    "a log list cannot be fetched, so the last copy is used",
)
LOG_LIST_NOT_KEPT = register(
    "PW-LOG-LIST-NOT-KEPT",
    Severity.LOW,
    "the copy of a log list on disk cannot be read or written",
)
DELIVERY_FAILED = register(
    "PW-DELIVERY-FAILED", Severity.HIGH, "an alert could not be delivered by a channel"
)
TEST_ALERT = register("PW-TEST", Severity.INFO, "a test of the way alerts take")

# CAA: one record and its value.

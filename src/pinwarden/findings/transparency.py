"""What looking at SCTs, browser policies and inclusion proofs can find."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

CT_NO_SCTS = register(
    "PW-CT-NO-SCTS", Severity.HIGH, "a certificate comes without any SCT, so browsers refuse it"
)
CT_SCT_BAD_SIGNATURE = register(
    "PW-CT-SCT-BAD-SIGNATURE", Severity.HIGH, "the signature of an SCT does not verify"
)
CT_SCT_UNREADABLE = register(
    "PW-CT-SCT-UNREADABLE", Severity.MEDIUM, "an SCT, or the list of them, cannot be read"
)
CT_SCT_MIMIC_LOG = register(
    "PW-CT-SCT-MIMIC-LOG",
    Severity.CRITICAL,
    "an SCT of a mimic log, whose private key is public",
)
CT_SCT_UNKNOWN_LOG = register(
    "PW-CT-SCT-UNKNOWN-LOG", Severity.MEDIUM, "an SCT of a log that no list in use names"
)
CT_SCT_FROM_THE_FUTURE = register(
    "PW-CT-SCT-FROM-THE-FUTURE", Severity.HIGH, "an SCT is dated in the future"
)
CT_SCT_OUTSIDE_INTERVAL = register(
    "PW-CT-SCT-OUTSIDE-INTERVAL",
    Severity.MEDIUM,
    "a log signed for a certificate outside its temporal interval",
)
CT_SCT_AFTER_RETIREMENT = register(
    "PW-CT-SCT-AFTER-RETIREMENT",
    Severity.MEDIUM,
    "an SCT is dated after its log was retired, so that nobody counts it",
)
CT_TOO_FEW_SCTS = register(
    "PW-CT-TOO-FEW-SCTS", Severity.HIGH, "fewer SCTs count than a browser's policy asks for"
)
CT_TOO_FEW_OPERATORS = register(
    "PW-CT-TOO-FEW-OPERATORS",
    Severity.HIGH,
    "the SCTs that count are of fewer log operators than a browser's policy asks for",
)
CT_NO_CURRENT_LOG = register(
    "PW-CT-NO-CURRENT-LOG",
    Severity.HIGH,
    "no SCT is of a log that a browser's policy approves of now",
)
CT_POLICY_FAILED = register(
    "PW-CT-POLICY-FAILED", Severity.HIGH, "another rule of a browser's CT policy is not met"
)
CT_POLICY_WILL_FAIL = register(
    "PW-CT-POLICY-WILL-FAIL",
    Severity.MEDIUM,
    "a browser's CT policy is met today, and will not be while the certificate is valid",
)
CT_NOT_INCLUDED = register(
    "PW-CT-NOT-INCLUDED",
    Severity.CRITICAL,
    "a log broke its promise: it lacks an entry that it signed an SCT for",
)
CT_NOT_YET_INCLUDED = register(
    "PW-CT-NOT-YET-INCLUDED",
    Severity.INFO,
    "an entry is not in its log yet, and the log has time left",
)
CT_BUNDLE_REFUSED = register(
    "PW-CT-BUNDLE-REFUSED", Severity.HIGH, "an evidence bundle does not prove what it claims"
)

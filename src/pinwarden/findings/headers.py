"""What looking at retired headers can find (RFC 7469, RFC 9163)."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

HPKP_PRESENT = register(
    "PW-HPKP-PRESENT", Severity.MEDIUM, "Public-Key-Pins is still sent: obsolete, remove it"
)
HPKP_REPORT_ONLY_PRESENT = register(
    "PW-HPKP-REPORT-ONLY-PRESENT",
    Severity.LOW,
    "Public-Key-Pins-Report-Only is still sent: obsolete, remove it",
)
EXPECT_CT_PRESENT = register(
    "PW-EXPECT-CT-PRESENT", Severity.LOW, "Expect-CT is still sent: obsolete, remove it"
)

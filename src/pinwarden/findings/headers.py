"""What looking at retired headers can find (RFC 7469, RFC 9163)."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

HPKP_PRESENT = register(
    "PW-HPKP-PRESENT", Severity.MEDIUM, "Public-Key-Pins is still sent: obsolete, remove it"
)
HPKP_REPORT_ONLY_PRESENT = register(
    "PW-HPKP-REPORT-ONLY-PRESENT",
    Severity.MEDIUM,
    "Public-Key-Pins-Report-Only is still sent: obsolete, remove it",
)
EXPECT_CT_PRESENT = register(
    "PW-EXPECT-CT-PRESENT", Severity.MEDIUM, "Expect-CT is still sent: obsolete, remove it"
)
HPKP_MALFORMED = register(
    "PW-HPKP-MALFORMED", Severity.LOW, "a pin header does not fit its grammar: all of it is ignored"
)
HPKP_DUPLICATE_DIRECTIVE = register(
    "PW-HPKP-DUPLICATE-DIRECTIVE",
    Severity.LOW,
    "a directive stands twice in a pin header: all of it is ignored",
)
HPKP_MISSING_MAX_AGE = register(
    "PW-HPKP-MISSING-MAX-AGE",
    Severity.LOW,
    "Public-Key-Pins has no max-age: all of it is ignored",
)
HPKP_BAD_PIN = register(
    "PW-HPKP-BAD-PIN", Severity.LOW, "a pin in a header is no SHA-256 in base64"
)
HPKP_NO_PINS = register("PW-HPKP-NO-PINS", Severity.LOW, "a pin header holds no pin")
HPKP_NO_BACKUP_PIN = register(
    "PW-HPKP-NO-BACKUP-PIN", Severity.LOW, "no pin of the header is a backup: it is not kept"
)
HPKP_NO_MATCH = register(
    "PW-HPKP-NO-MATCH", Severity.LOW, "no pin of the header is of a key in the verified chain"
)
HPKP_INCLUDE_SUBDOMAINS = register(
    "PW-HPKP-INCLUDE-SUBDOMAINS", Severity.LOW, "the header pins every name below the host too"
)
HPKP_MAX_AGE_ZERO = register(
    "PW-HPKP-MAX-AGE-ZERO", Severity.INFO, "the header has clients forget the pins"
)
HPKP_UNKNOWN_DIRECTIVE = register(
    "PW-HPKP-UNKNOWN-DIRECTIVE", Severity.INFO, "a pin header has directives that nobody reads"
)
HPKP_MULTIPLE_HEADERS = register(
    "PW-HPKP-MULTIPLE-HEADERS", Severity.LOW, "a pin header is sent twice: only the first counts"
)
HPKP_INSECURE_TRANSPORT = register(
    "PW-HPKP-INSECURE-TRANSPORT", Severity.LOW, "a pin header is sent over plain HTTP"
)
HPKP_IP_ADDRESS = register(
    "PW-HPKP-IP-ADDRESS", Severity.LOW, "a pin header is sent for an IP address"
)
HPKP_REPORT_ONLY_WITHOUT_REPORT_URI = register(
    "PW-HPKP-REPORT-ONLY-WITHOUT-REPORT-URI",
    Severity.LOW,
    "Public-Key-Pins-Report-Only says nowhere to report to",
)
HPKP_META_IGNORED = register(
    "PW-HPKP-META-IGNORED", Severity.LOW, "a page has pins in a meta element, which nobody reads"
)
EXPECT_CT_MALFORMED = register(
    "PW-EXPECT-CT-MALFORMED",
    Severity.LOW,
    "Expect-CT does not fit its grammar: all of it is ignored",
)
EXPECT_CT_DUPLICATE_DIRECTIVE = register(
    "PW-EXPECT-CT-DUPLICATE-DIRECTIVE",
    Severity.LOW,
    "a directive stands twice in Expect-CT: all of it is ignored",
)
EXPECT_CT_MISSING_MAX_AGE = register(
    "PW-EXPECT-CT-MISSING-MAX-AGE",
    Severity.LOW,
    "Expect-CT has no max-age: all of it is ignored",
)
EXPECT_CT_MAX_AGE_ZERO = register(
    "PW-EXPECT-CT-MAX-AGE-ZERO", Severity.INFO, "Expect-CT has clients forget the host"
)
EXPECT_CT_UNKNOWN_DIRECTIVE = register(
    "PW-EXPECT-CT-UNKNOWN-DIRECTIVE", Severity.INFO, "Expect-CT has directives that nobody reads"
)
EXPECT_CT_REPORT_URI_NOT_HTTPS = register(
    "PW-EXPECT-CT-REPORT-URI-NOT-HTTPS",
    Severity.LOW,
    "the report-uri of Expect-CT is not https: no reports go there",
)
EXPECT_CT_NOT_CT_QUALIFIED = register(
    "PW-EXPECT-CT-NOT-CT-QUALIFIED",
    Severity.LOW,
    "Expect-CT is sent with a certificate that does not satisfy it",
)
EXPECT_CT_INSECURE_TRANSPORT = register(
    "PW-EXPECT-CT-INSECURE-TRANSPORT", Severity.LOW, "Expect-CT is sent over plain HTTP"
)
EXPECT_CT_IP_ADDRESS = register(
    "PW-EXPECT-CT-IP-ADDRESS", Severity.LOW, "Expect-CT is sent for an IP address"
)
EXPECT_CT_META_IGNORED = register(
    "PW-EXPECT-CT-META-IGNORED",
    Severity.LOW,
    "a page has Expect-CT in a meta element, which nobody reads",
)

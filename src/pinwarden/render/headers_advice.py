"""What to do next about retired headers; `docs/findings-headers.md` says the same at length."""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind

_REMOVE = "Remove the header; there is no point in repairing it."
_REMOVE_META = "Remove the element; no client ever read it there."

HEADERS_ADVICE: dict[FindingKind, str] = {
    findings.HPKP_PRESENT: "Remove it from the server's configuration. To go on pinning in your "
    "own applications, make a pin set of it (`pinwarden header lint TARGET --pin-set FILE`).",
    findings.HPKP_REPORT_ONLY_PRESENT: "Remove it from the server's configuration, and close the "
    "report endpoint if nothing else uses it.",
    findings.EXPECT_CT_PRESENT: "Remove it from the server's configuration: browsers ask for SCTs "
    "without it (`pinwarden ct policy` says whether yours satisfy them).",
    findings.HPKP_MALFORMED: _REMOVE,
    findings.HPKP_DUPLICATE_DIRECTIVE: _REMOVE,
    findings.HPKP_MISSING_MAX_AGE: _REMOVE,
    findings.HPKP_BAD_PIN: "Remove the header, and take no pin set from the bad pin.",
    findings.HPKP_NO_PINS: _REMOVE,
    findings.HPKP_NO_BACKUP_PIN: "Remove the header; where you pin yourself, have a backup key "
    "(`pinwarden pin backup`).",
    findings.HPKP_NO_MATCH: "Remove the header. If very old clients are locked out by pins they "
    "keep, put the old key back into service for them.",
    findings.HPKP_INCLUDE_SUBDOMAINS: "Remove the header before a name below the host changes "
    "its key.",
    findings.HPKP_MAX_AGE_ZERO: "Remove the header once the max-age it had before has passed.",
    findings.HPKP_UNKNOWN_DIRECTIVE: _REMOVE,
    findings.HPKP_MULTIPLE_HEADERS: "Remove it in every place that sets it: often the application "
    "does, and the server before it too.",
    findings.HPKP_INSECURE_TRANSPORT: _REMOVE,
    findings.HPKP_IP_ADDRESS: _REMOVE,
    findings.HPKP_REPORT_ONLY_WITHOUT_REPORT_URI: _REMOVE,
    findings.HPKP_META_IGNORED: _REMOVE_META,
    findings.EXPECT_CT_MALFORMED: _REMOVE,
    findings.EXPECT_CT_DUPLICATE_DIRECTIVE: _REMOVE,
    findings.EXPECT_CT_MISSING_MAX_AGE: _REMOVE,
    findings.EXPECT_CT_MAX_AGE_ZERO: "Remove the header: no client is left that remembers it.",
    findings.EXPECT_CT_UNKNOWN_DIRECTIVE: _REMOVE,
    findings.EXPECT_CT_REPORT_URI_NOT_HTTPS: _REMOVE,
    findings.EXPECT_CT_NOT_CT_QUALIFIED: "Look at the certificate's SCTs (`pinwarden ct policy`), "
    "which browsers ask for; and remove the header.",
    findings.EXPECT_CT_INSECURE_TRANSPORT: _REMOVE,
    findings.EXPECT_CT_IP_ADDRESS: _REMOVE,
    findings.EXPECT_CT_META_IGNORED: _REMOVE_META,
}
"""By kind, what the reader should do."""

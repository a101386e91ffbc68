"""What to do next about findings of SCTs and CT policies; `docs/findings-ct.md` says more."""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind

_SCTS = {
    findings.CT_NO_SCTS: "Get a certificate from a CA that logs what it issues, as every public "
    "CA does by default; a private CA needs none, and its clients ask for none.",
    findings.CT_SCT_BAD_SIGNATURE: "Check that the SCT belongs to this very certificate and its "
    "issuer: an SCT list configured in the server is usually left over from the certificate "
    "before. If it is inside the certificate, show it to the CA.",
    findings.CT_SCT_UNREADABLE: "Make the SCT list anew, or take it out of the server's "
    "configuration; if it is inside the certificate, show it to the CA.",
    findings.CT_SCT_MIMIC_LOG: "Do not take it for a sign of anything: anybody can make such an "
    "SCT. Find out who put it there, and replace the certificate.",
    findings.CT_SCT_UNKNOWN_LOG: "Bring the lists up to date (`pinwarden log-list update`) or "
    "name the list that has the log (--log-list); browsers do not count it until theirs has it.",
    findings.CT_SCT_FROM_THE_FUTURE: "Check this machine's clock, and the date after --at. If "
    "both are right, the log dates ahead: report it to the browser programs "
    "(ct-policy@chromium.org).",
    findings.CT_SCT_OUTSIDE_INTERVAL: "Nothing if others are enough (`pinwarden ct policy`); tell "
    "the CA, which submits to a wrong shard, and the log's operator, whose log took it.",
    findings.CT_SCT_AFTER_RETIREMENT: "Have the certificate issued again: a CA whose log list is "
    "current uses logs that still count.",
}

_POLICIES = {
    findings.CT_TOO_FEW_SCTS: "Have the certificate issued again: a CA that follows the policy "
    "puts enough SCTs in. Until then the missing ones can be served in the TLS extension.",
    findings.CT_TOO_FEW_OPERATORS: "Have the certificate issued again by a CA that logs with two "
    "operators, or serve an SCT of another operator's log in the TLS extension.",
    findings.CT_NO_CURRENT_LOG: "Have the certificate issued again: all the logs it was shown to "
    "have been given up since.",
    findings.CT_POLICY_FAILED: "Read which rule failed with `pinwarden ct policy`, and have the "
    "certificate issued again if no other SCT can be served.",
    findings.CT_POLICY_WILL_FAIL: "Renew the certificate before the day named; the new one will "
    "have SCTs of logs that stay.",
}

_INCLUSION = {
    findings.CT_NOT_INCLUDED: "Keep the evidence (`pinwarden ct prove -o`). A static log signed "
    "what convicts it; that an RFC 6962 log denies an entry nobody signed, so ask again from "
    "elsewhere. Then send the bundle to ct-policy@chromium.org, and rely on no SCT of the log.",
    findings.CT_NOT_YET_INCLUDED: "Nothing; ask again after the time named, when the log's delay "
    "is over.",
    findings.CT_BUNDLE_REFUSED: "Do not rely on the bundle. Ask whoever made it for another copy, "
    "or make it anew with `pinwarden ct prove`.",
}

CT_ADVICE: dict[FindingKind, str] = {**_SCTS, **_POLICIES, **_INCLUSION}

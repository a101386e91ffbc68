"""What to do next about findings of audits; `docs/findings-audit.md` says the same at length."""

from __future__ import annotations

from pinwarden import findings
from pinwarden.findings import FindingKind

_CONNECTION = {
    findings.TLS_NO_ADDRESS: "Check the spelling, and the A and AAAA records of the name.",
    findings.TLS_UNREACHABLE: "Start the server, open the firewall, or take the address out of "
    "DNS: clients that get it wait in vain.",
    findings.TLS_TIMEOUT: "Look at the load of the server and at what stands before it; audit "
    "again with a longer --timeout to see whether it answers at all.",
    findings.TLS_NOT_TLS: "Check the port; for mail, directory and database servers say how TLS "
    "begins (--starttls, or a URL such as smtp://HOST).",
    findings.TLS_REFUSED: "Look into the server's log for this handshake: it knows no certificate "
    "for the name, wants one of the client, or shares no version or cipher with us.",
    findings.TLS_FORBIDDEN: "Nothing, if the host is inside: this audit is not to go there. If it "
    "should be public, correct its addresses in DNS.",
}

_CHAIN = {
    findings.TLS_EXPIRED: "Renew the certificate and reload the server now; then find out why the "
    "renewal did not run.",
    findings.TLS_NOT_YET_VALID: "Check the clocks of this machine and of whoever issued; until "
    "then serve the certificate from before.",
    findings.TLS_WRONG_NAME: "Get a certificate for this name, or configure the server to show "
    "for it the one that you have.",
    findings.TLS_SELF_SIGNED: "Get a certificate from a CA that clients trust; it is free of "
    "charge and renews itself (ACME).",
    findings.TLS_MISSING_INTERMEDIATE: "Configure the full chain (fullchain.pem), not the "
    "certificate alone.",
    findings.TLS_UNTRUSTED: "For a CA of your own, audit with --cafile and give clients its root; "
    "otherwise use a CA that clients trust, and send its full chain.",
    findings.TLS_NOT_VERIFIED: "The message has the words of the TLS library: clients refuse the "
    "chain for the same reason. Have the certificate issued anew.",
    findings.TLS_EXPIRES_SOON: "Renew now by hand, and see why it did not happen by itself.",
    findings.TLS_CHAIN_UNTIDY: "Send the certificate, then the intermediates in order, and "
    "nothing else: not the root.",
    findings.TLS_ADDRESSES_DISAGREE: "Bring every machine to the same certificate, unless you "
    "serve several on purpose; pins and monitors must then know all of them.",
    findings.TLS_REVOKED: "Replace the certificate now. If you did not have it revoked, ask the "
    "CA why it was.",
    findings.TLS_STAPLE_INVALID: "See why the server does not fetch responses anew (its network, "
    "its clock, a file that nobody replaces); until it does, switch stapling off.",
}

_RENEWAL = {
    findings.AUDIT_RENEWAL_REFUSED: "Add the CA to the CAA records named, or renew with one that "
    "they permit: `pinwarden caa make` writes the records.",
    findings.AUDIT_RESOLVER_DOWN: "Check the network and the resolver (--resolver names another "
    "one), and audit again: CAA and DNSSEC were not looked at.",
    findings.AUDIT_UNSIGNED: "Sign the zone with DNSSEC, and put the DS record into the zone "
    "above it.",
    findings.AUDIT_NOT_IN_CT: "Find out which log has the certificate (`pinwarden ct prove`) and "
    "whether the monitor reads it; a certificate that its logs lack is a broken promise.",
    findings.AUDIT_OTHERS_VALID: "Look through them (`pinwarden sightings list`): each should be "
    "one that you had issued. Have those revoked that are not.",
}

AUDIT_ADVICE: dict[FindingKind, str] = {**_CONNECTION, **_CHAIN, **_RENEWAL}
"""One sentence or two for each kind; the command line never has to be guessed."""

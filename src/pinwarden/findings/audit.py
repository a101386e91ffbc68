"""What an audit of a host finds about its TLS, and about its next renewal."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

# Whoever could not be asked, and why.
TLS_NO_ADDRESS = register("PW-TLS-NO-ADDRESS", Severity.HIGH, "a host's name has no address")
TLS_UNREACHABLE = register(
    "PW-TLS-UNREACHABLE", Severity.HIGH, "an address of a host cannot be connected to"
)
TLS_TIMEOUT = register("PW-TLS-TIMEOUT", Severity.HIGH, "a host does not finish its handshake")
TLS_NOT_TLS = register("PW-TLS-NOT-TLS", Severity.HIGH, "a host answers with other than TLS")
TLS_REFUSED = register("PW-TLS-REFUSED", Severity.HIGH, "a host ends the handshake")
TLS_FORBIDDEN = register(
    "PW-TLS-FORBIDDEN",
    Severity.HIGH,
    "a host's address or port is one that this audit must not be led to",
)

# The chain that is served.
TLS_EXPIRED = register("PW-TLS-EXPIRED", Severity.CRITICAL, "a served certificate has expired")
TLS_NOT_YET_VALID = register(
    "PW-TLS-NOT-YET-VALID", Severity.CRITICAL, "a served certificate is not valid yet"
)
TLS_WRONG_NAME = register(
    "PW-TLS-WRONG-NAME", Severity.CRITICAL, "the served certificate is not for this host"
)
TLS_SELF_SIGNED = register(
    "PW-TLS-SELF-SIGNED", Severity.CRITICAL, "the served certificate is signed by itself alone"
)
TLS_MISSING_INTERMEDIATE = register(
    "PW-TLS-MISSING-INTERMEDIATE",
    Severity.HIGH,
    "the server does not send the intermediate certificate",
)
TLS_UNTRUSTED = register(
    "PW-TLS-UNTRUSTED", Severity.CRITICAL, "the chain does not lead to a trusted root"
)
TLS_NOT_VERIFIED = register(
    "PW-TLS-NOT-VERIFIED", Severity.CRITICAL, "the chain does not verify for another reason"
)
TLS_EXPIRES_SOON = register(
    "PW-TLS-EXPIRES-SOON", Severity.MEDIUM, "a served certificate expires soon"
)
TLS_CHAIN_UNTIDY = register(
    "PW-TLS-CHAIN-UNTIDY", Severity.LOW, "the server sends certificates out of order or needlessly"
)
TLS_ADDRESSES_DISAGREE = register(
    "PW-TLS-ADDRESSES-DISAGREE",
    Severity.MEDIUM,
    "the addresses of a host serve different certificates",
)
TLS_REVOKED = register(
    "PW-TLS-REVOKED", Severity.CRITICAL, "the server's own stapled answer says revoked"
)
TLS_STAPLE_INVALID = register(
    "PW-TLS-STAPLE-INVALID",
    Severity.MEDIUM,
    "the stapled OCSP response does not verify, or is out of date",
)

# The next renewal.
AUDIT_RENEWAL_REFUSED = register(
    "PW-AUDIT-RENEWAL-REFUSED",
    Severity.HIGH,
    "CAA forbids the CA that issued the served certificate: the next renewal would be refused",
)
AUDIT_RESOLVER_DOWN = register(
    "PW-AUDIT-RESOLVER-DOWN", Severity.HIGH, "the DNS resolver does not answer"
)
AUDIT_UNSIGNED = register(
    "PW-AUDIT-UNSIGNED", Severity.LOW, "the zone is not signed, so that CAA answers can be forged"
)
AUDIT_NOT_IN_CT = register(
    "PW-AUDIT-NOT-IN-CT",
    Severity.HIGH,
    "the served certificate is not among those that the monitor saw in the logs",
)
AUDIT_OTHERS_VALID = register(
    "PW-AUDIT-OTHERS-VALID",
    Severity.INFO,
    "other certificates for this host are valid at this time",
)

"""What reading pin sets, and comparing them with what hosts serve, can find."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

PIN_LOCKED_OUT = register(
    "PW-PIN-LOCKED-OUT", Severity.CRITICAL, "a host serves a chain that none of its pins matches"
)
PIN_FORBIDDEN_SERVED = register(
    "PW-PIN-FORBIDDEN-SERVED", Severity.CRITICAL, "a host serves a key that its policy forbids"
)
PIN_ADDRESSES_DISAGREE = register(
    "PW-PIN-ADDRESSES-DISAGREE", Severity.HIGH, "the pins match at some addresses of a host only"
)
PIN_SET_REFUSED = register(
    "PW-PIN-SET-REFUSED", Severity.HIGH, "the set contradicts itself, so that no client loads it"
)
PIN_NO_BACKUP = register(
    "PW-PIN-NO-BACKUP", Severity.HIGH, "a policy has no backup pin, so one lost key locks out"
)
PIN_BACKUP_SERVED = register(
    "PW-PIN-BACKUP-SERVED", Severity.HIGH, "the backup pins are of keys in the served chain"
)
PIN_PLACEHOLDER = register(
    "PW-PIN-PLACEHOLDER", Severity.HIGH, "a pin is a placeholder that no key can match"
)
PIN_CERTIFICATE_HASH = register(
    "PW-PIN-CERTIFICATE-HASH", Severity.HIGH, "a pin is the hash of a whole certificate"
)
PIN_WRONG_OCTETS = register(
    "PW-PIN-WRONG-OCTETS",
    Severity.HIGH,
    "a pin is the hash of something else of a served certificate than its key",
)
PIN_WRONG_ROLE = register(
    "PW-PIN-WRONG-ROLE", Severity.HIGH, "a pin stands in a role in which its key is not served"
)
PIN_MALFORMED = register("PW-PIN-MALFORMED", Severity.HIGH, "a pin is written so that it is none")
PIN_WEAK_HASH = register("PW-PIN-WEAK-HASH", Severity.HIGH, "a pin uses a hash that is broken")
PIN_EXPIRED = register("PW-PIN-EXPIRED", Severity.HIGH, "a pin policy has expired")
PIN_EXPIRING = register("PW-PIN-EXPIRING", Severity.MEDIUM, "a pin policy expires soon")
PIN_NO_EXPIRY = register("PW-PIN-NO-EXPIRY", Severity.LOW, "a pin policy never expires")
PIN_EXPIRY_FAR = register(
    "PW-PIN-EXPIRY-FAR", Severity.LOW, "a pin policy outlives the certificates it is about"
)
PIN_EXPIRY_OPEN = register(
    "PW-PIN-EXPIRY-OPEN", Severity.LOW, "a policy stops pinning on its own when it expires"
)
PIN_KEY_EXPIRES = register(
    "PW-PIN-KEY-EXPIRES", Severity.MEDIUM, "a pinned certificate ends before its policy does"
)
PIN_LEAF_ONLY = register(
    "PW-PIN-LEAF-ONLY", Severity.MEDIUM, "only leaf keys are pinned, which change at renewals"
)
PIN_INTERMEDIATE_ONLY = register(
    "PW-PIN-INTERMEDIATE-ONLY",
    Severity.MEDIUM,
    "only intermediates are pinned, which their CAs change without notice",
)
PIN_ONE_CA = register(
    "PW-PIN-ONE-CA", Severity.MEDIUM, "every pin hangs on one certification authority"
)
PIN_MANY = register(
    "PW-PIN-MANY", Severity.LOW, "so many keys are pinned that the pins restrict little"
)
PIN_ROOT_UNREACHABLE = register(
    "PW-PIN-ROOT-UNREACHABLE",
    Severity.HIGH,
    "some clients' verified chain ends below a pinned root",
)
PIN_TRUST_STORE = register(
    "PW-PIN-TRUST-STORE", Severity.MEDIUM, "whether a pin matches depends on the trust store"
)
PIN_NOT_SERVED = register(
    "PW-PIN-NOT-SERVED", Severity.LOW, "a pin that is no backup matches nothing that is served"
)
PIN_DUPLICATE = register("PW-PIN-DUPLICATE", Severity.LOW, "a pin stands twice in a policy")
PIN_SHADOWED = register(
    "PW-PIN-SHADOWED", Severity.LOW, "a policy takes a name away from the policy above it"
)
PIN_WEAKER_BELOW = register(
    "PW-PIN-WEAKER-BELOW",
    Severity.MEDIUM,
    "a policy protects a name less than the policy above it would",
)
PIN_UNPINNED_ALLOWED = register(
    "PW-PIN-UNPINNED-ALLOWED", Severity.INFO, "hosts that no policy is about connect unpinned"
)
PIN_FOREIGN_HOST = register(
    "PW-PIN-FOREIGN-HOST", Severity.MEDIUM, "a pinned host is not one of your own"
)
PIN_PUBLIC_SUFFIX = register(
    "PW-PIN-PUBLIC-SUFFIX", Severity.HIGH, "a policy covers a whole public suffix"
)
PIN_REPORT_ONLY = register(
    "PW-PIN-REPORT-ONLY", Severity.INFO, "a policy reports and protects nobody"
)
PIN_REPORT_INVALID = register(
    "PW-PIN-REPORT-INVALID", Severity.MEDIUM, "a report address to which nothing can be sent"
)
PIN_REPORT_NOWHERE = register(
    "PW-PIN-REPORT-NOWHERE", Severity.LOW, "a policy that only reports has nowhere to report to"
)
PIN_REPORT_PINNED = register(
    "PW-PIN-REPORT-PINNED", Severity.MEDIUM, "reports go to a host under the pins they report on"
)
PIN_REPORT_REFUSED = register(
    "PW-PIN-REPORT-REFUSED", Severity.LOW, "reports go to a host that the set itself refuses"
)
PIN_REPORT_PLAIN = register(
    "PW-PIN-REPORT-PLAIN", Severity.LOW, "reports of pin failures travel in plain text"
)
PIN_ROTATION_LATE = register(
    "PW-PIN-ROTATION-LATE", Severity.HIGH, "a key rotation that was begun is behind its dates"
)
PIN_ROTATION_BROKEN = register(
    "PW-PIN-ROTATION-BROKEN", Severity.HIGH, "a rotation's notes do not agree with the pins"
)
PIN_NOT_COVERED = register(
    "PW-PIN-NOT-COVERED", Severity.MEDIUM, "a client in this environment is not held to the pins"
)

"""What reading and watching CAA policies can find."""

from __future__ import annotations

from pinwarden.findings.finding import Severity, register

CAA_MALFORMED_VALUE = register(
    "PW-CAA-MALFORMED-VALUE", Severity.HIGH, "a CAA value that breaks its grammar names no CA"
)
CAA_QUOTED_VALUE = register(
    "PW-CAA-QUOTED-VALUE", Severity.HIGH, "a CAA value holds the quotes that should surround it"
)
CAA_BROKEN_RECORD = register("PW-CAA-BROKEN-RECORD", Severity.HIGH, "a CAA record cannot be read")
CAA_ILLEGAL_TAG = register(
    "PW-CAA-ILLEGAL-TAG", Severity.HIGH, "a CAA tag holds other octets than letters and digits"
)
CAA_UNKNOWN_TAG = register(
    "PW-CAA-UNKNOWN-TAG", Severity.MEDIUM, "a CAA tag that nobody knows has no effect"
)
CAA_RESERVED_TAG = register(
    "PW-CAA-RESERVED-TAG", Severity.MEDIUM, "a CAA tag that is reserved and was never defined"
)
CAA_CRITICAL_UNKNOWN = register(
    "PW-CAA-CRITICAL-UNKNOWN",
    Severity.HIGH,
    "a critical CAA tag that CAs need not know can forbid every certificate",
)
CAA_CRITICAL_NEEDLESS = register(
    "PW-CAA-CRITICAL-NEEDLESS", Severity.INFO, "the critical flag on a known CAA tag does nothing"
)
CAA_RESERVED_FLAGS = register(
    "PW-CAA-RESERVED-FLAGS", Severity.MEDIUM, "CAA flags other than 0 and 128 are read in two ways"
)
CAA_UPPER_CASE = register(
    "PW-CAA-UPPER-CASE", Severity.LOW, "upper case in CAA that not everybody reads as lower case"
)
CAA_UNKNOWN_CA = register("PW-CAA-UNKNOWN-CA", Severity.MEDIUM, "CAA names a CA that is not known")
CAA_PARAMETERS_LOST = register(
    "PW-CAA-PARAMETERS-LOST", Severity.MEDIUM, "a CAA value looks cut off where parameters begin"
)
CAA_PARAMETERS_ALONE = register(
    "PW-CAA-PARAMETERS-ALONE", Severity.MEDIUM, "CAA parameters without a CA before them"
)
CAA_BLANKS = register(
    "PW-CAA-BLANKS", Severity.LOW, "blanks in a CAA value are refused by some hosts"
)

# CAA: parameters (RFC 8657), reports and contacts.
CAA_ACCOUNT_INVALID = register(
    "PW-CAA-ACCOUNT-INVALID", Severity.HIGH, "an accounturi that no account can match"
)
CAA_ACCOUNT_STAGING = register(
    "PW-CAA-ACCOUNT-STAGING", Severity.HIGH, "an accounturi of a CA's test service"
)
CAA_METHODS_INVALID = register(
    "PW-CAA-METHODS-INVALID", Severity.HIGH, "a validationmethods list that cannot be read"
)
CAA_METHODS_EMPTY = register(
    "PW-CAA-METHODS-EMPTY", Severity.MEDIUM, "an empty validationmethods list forbids every method"
)
CAA_METHOD_UNKNOWN = register(
    "PW-CAA-METHOD-UNKNOWN", Severity.MEDIUM, "a validation method that is not known, or retired"
)
CAA_METHOD_RENAMED = register(
    "PW-CAA-METHOD-RENAMED",
    Severity.LOW,
    "a validation method under its Baseline Requirements label only",
)
CAA_METHOD_NO_WILDCARD = register(
    "PW-CAA-METHOD-NO-WILDCARD",
    Severity.MEDIUM,
    "wildcards bound to validation methods that cannot prove one",
)
CAA_DUPLICATE_PARAMETER = register(
    "PW-CAA-DUPLICATE-PARAMETER", Severity.HIGH, "a CAA parameter given twice is never satisfied"
)
CAA_UNKNOWN_PARAMETER = register(
    "PW-CAA-UNKNOWN-PARAMETER", Severity.MEDIUM, "a CAA parameter that no standard defines"
)
CAA_BINDING_NOT_MANDATORY = register(
    "PW-CAA-BINDING-NOT-MANDATORY",
    Severity.INFO,
    "a CA need not honour account and method bindings yet",
)
CAA_BINDING_UNSIGNED = register(
    "PW-CAA-BINDING-UNSIGNED", Severity.LOW, "account or method bindings in a zone without DNSSEC"
)
CAA_OPEN_BESIDE_BOUND = register(
    "PW-CAA-OPEN-BESIDE-BOUND", Severity.HIGH, "a CA is bound in one record and free in another"
)
CAA_IODEF_INVALID = register(
    "PW-CAA-IODEF-INVALID", Severity.MEDIUM, "an iodef that is no address for reports"
)
CAA_IODEF_UNSUPPORTED = register(
    "PW-CAA-IODEF-UNSUPPORTED", Severity.LOW, "an iodef address of a kind that CAs need not know"
)
CAA_IODEF_MISSING = register(
    "PW-CAA-IODEF-MISSING", Severity.INFO, "no address for reports of refused requests"
)
CAA_CONTACT_INVALID = register(
    "PW-CAA-CONTACT-INVALID", Severity.MEDIUM, "a contact in CAA that cannot be used"
)
CAA_CONTACT_SUNSET = register(
    "PW-CAA-CONTACT-SUNSET", Severity.LOW, "validation through contacts in CAA comes to its end"
)

# CAA: what a set of records means as a whole, and where it stands.
CAA_NO_POLICY = register("PW-CAA-NO-POLICY", Severity.MEDIUM, "any CA may issue: there is no CAA")
CAA_NOTHING_RESTRICTS = register(
    "PW-CAA-NOTHING-RESTRICTS", Severity.MEDIUM, "a CAA set that restricts no certificate"
)
CAA_CHILD_OPENS_PARENT = register(
    "PW-CAA-CHILD-OPENS-PARENT",
    Severity.HIGH,
    "a CAA set opens to every CA what the set above it restricts",
)
CAA_ISSUEWILD_ONLY = register(
    "PW-CAA-ISSUEWILD-ONLY",
    Severity.MEDIUM,
    "only wildcards are restricted: issuewild stands alone",
)
CAA_NO_ISSUEWILD = register(
    "PW-CAA-NO-ISSUEWILD", Severity.LOW, "who may issue may issue wildcards too: no issuewild"
)
CAA_EMPTY_BESIDE_ISSUER = register(
    "PW-CAA-EMPTY-BESIDE-ISSUER", Severity.MEDIUM, 'a ";" beside a named CA forbids nothing'
)
CAA_LITERAL_WILDCARD = register(
    "PW-CAA-LITERAL-WILDCARD", Severity.MEDIUM, 'CAA at a "*" owner is not about wildcards'
)
CAA_THIRD_PARTY = register(
    "PW-CAA-THIRD-PARTY", Severity.MEDIUM, "another party's CAA decides for a name, by an alias"
)
CAA_ALIAS_OPEN = register(
    "PW-CAA-ALIAS-OPEN", Severity.INFO, "another party could decide for a name, by an alias"
)
CAA_SMIME_OPEN = register(
    "PW-CAA-SMIME-OPEN", Severity.LOW, "any CA may issue for mail addresses: no issuemail"
)
CAA_VMC_OPEN = register(
    "PW-CAA-VMC-OPEN", Severity.INFO, "any CA may issue for brand marks: no issuevmc"
)
CAA_READ_DIFFERENTLY = register(
    "PW-CAA-READ-DIFFERENTLY",
    Severity.MEDIUM,
    "a CA reads this CAA set in another way than the standard",
)
CAA_DUPLICATE_RECORD = register(
    "PW-CAA-DUPLICATE-RECORD", Severity.LOW, "a CAA record stands twice"
)
CAA_TOO_MANY = register(
    "PW-CAA-TOO-MANY", Severity.MEDIUM, "a CAA set so large that answers can fail"
)
CAA_TTL_LONG = register(
    "PW-CAA-TTL-LONG", Severity.LOW, "CAs may rely on a CAA answer for very long"
)
CAA_TTL_DIFFERS = register(
    "PW-CAA-TTL-DIFFERS", Severity.LOW, "the records of one CAA set have different TTLs"
)
CAA_AT_ALIAS = register(
    "PW-CAA-AT-ALIAS", Severity.HIGH, "CAA beside a CNAME, where no other record can stand"
)
CAA_OCCLUDED = register(
    "PW-CAA-OCCLUDED", Severity.MEDIUM, "CAA below a delegation or DNAME is never served"
)
CAA_OWNER_DOUBLED = register(
    "PW-CAA-OWNER-DOUBLED",
    Severity.MEDIUM,
    "CAA at a name that repeats the zone's: a dot is missing",
)

# CAA: looking up, publishing and watching.
CAA_LOOKUP_FAILED = register(
    "PW-CAA-LOOKUP-FAILED", Severity.HIGH, "the CAA records cannot be looked up, so CAs refuse"
)
CAA_BOGUS = register(
    "PW-CAA-BOGUS", Severity.HIGH, "the CAA answer fails DNSSEC validation, so CAs refuse"
)
CAA_RESOLVERS_DISAGREE = register(
    "PW-CAA-RESOLVERS-DISAGREE", Severity.MEDIUM, "two resolvers see different CAA policies"
)
CAA_SERVERS_DISAGREE = register(
    "PW-CAA-SERVERS-DISAGREE", Severity.HIGH, "the name servers of a zone serve different CAA"
)
CAA_NOT_AS_INTENDED = register(
    "PW-CAA-NOT-AS-INTENDED", Severity.HIGH, "a name server serves other CAA than was meant"
)
CAA_CHANGED = register(
    "PW-CAA-CHANGED", Severity.MEDIUM, "the CAA policy of a watched name changed", lasting=True
)
CAA_LOOSENED = register(
    "PW-CAA-LOOSENED",
    Severity.HIGH,
    "the CAA policy of a watched name permits what it refused",
    lasting=True,
)

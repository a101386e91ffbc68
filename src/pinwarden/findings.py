"""What Pinwarden reports: one vocabulary for terminal, mail, web and machines.

Every kind of finding has a stable id, registered here and explained in
`docs/findings.md` and `docs/findings-caa.md` (a test holds them together).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters to the owner of the watched names."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One registered kind: its stable id, usual severity and one-line meaning.

    A `lasting` one never passes by itself: each case of it stands until a person
    has taken note, and the next case is news again.
    """

    id: str
    severity: Severity
    title: str
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, about one subject.

    `evidence` holds named bytes exactly as received (two conflicting signed
    heads, say), so that a third party can check the claim.
    """

    kind: FindingKind
    subject: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    evidence: tuple[tuple[str, bytes], ...] = ()

    @property
    def id(self) -> str:
        """The stable id of the kind, such as `PW-LOG-FORK`."""
        return self.kind.id

    @property
    def severity(self) -> Severity:
        """The severity of the kind."""
        return self.kind.severity


REGISTER: dict[str, FindingKind] = {}


def _kind(id_: str, severity: Severity, title: str, *, lasting: bool = False) -> FindingKind:
    kind = FindingKind(id_, severity, title, lasting)
    REGISTER[id_] = kind
    return kind


CERTIFICATE_SEEN = _kind(
    "PW-CERT-SEEN", Severity.MEDIUM, "a certificate for a watched name was logged"
)
ENTRY_UNREADABLE = _kind(
    "PW-ENTRY-UNREADABLE",
    Severity.HIGH,
    "a log entry could not be read well enough to rule out a watched name",
)
LOG_FORK = _kind(
    "PW-LOG-FORK",
    Severity.CRITICAL,
    "a log signed two tree heads that cannot both be true",
    lasting=True,
)
LOG_WRONG_ROOT = _kind(
    "PW-LOG-WRONG-ROOT",
    Severity.CRITICAL,
    "the entries a log served do not make the root it signed",
    lasting=True,
)
LOG_SHRUNK = _kind(
    "PW-LOG-SHRUNK",
    Severity.HIGH,
    "a log's newest tree head is smaller than one we verified",
    lasting=True,
)
LOG_BAD_SIGNATURE = _kind(
    "PW-LOG-BAD-SIGNATURE", Severity.HIGH, "a tree head's signature does not verify"
)
LOG_STALLED = _kind(
    "PW-LOG-STALLED", Severity.MEDIUM, "a log's newest tree head is older than it may be"
)
LOG_FUTURE = _kind(
    "PW-LOG-FUTURE", Severity.MEDIUM, "a log's newest tree head is dated in the future"
)
LOG_GARBAGE = _kind("PW-LOG-GARBAGE", Severity.HIGH, "a log answered what is not CT")
LOG_UNREACHABLE = _kind("PW-LOG-UNREACHABLE", Severity.MEDIUM, "a log does not answer")
LOG_JOINED_LATE = _kind(
    "PW-LOG-JOINED-LATE",
    Severity.HIGH,
    "a log did not answer when watching began, so what it logged until then was not read",
    lasting=True,
)
LOG_NOT_DRAINED = _kind(
    "PW-LOG-NOT-DRAINED",
    Severity.MEDIUM,
    "a log left the log list before all its entries were read",
)
LOG_LIST_STALE = _kind(
    "PW-LOG-LIST-STALE", Severity.MEDIUM, "the log list in use is old, so new logs may be missing"
)
LOG_LIST_ROLLED_BACK = _kind(
    "PW-LOG-LIST-ROLLED-BACK", Severity.HIGH, "a log list older than the one in use was offered"
)
LOG_LIST_REFUSED = _kind(
    "PW-LOG-LIST-REFUSED", Severity.HIGH, "a log list, or a log in it, was refused"
)
LOG_LIST_UNREACHABLE = _kind(
    "PW-LOG-LIST-UNREACHABLE",
    Severity.LOW,
    "a log list cannot be fetched, so the last copy is used",
)
LOG_LIST_NOT_KEPT = _kind(
    "PW-LOG-LIST-NOT-KEPT",
    Severity.LOW,
    "the copy of a log list on disk cannot be read or written",
)
DELIVERY_FAILED = _kind(
    "PW-DELIVERY-FAILED", Severity.HIGH, "an alert could not be delivered by a channel"
)
TEST_ALERT = _kind("PW-TEST", Severity.INFO, "a test of the way alerts take")

# CAA: one record and its value.
CAA_MALFORMED_VALUE = _kind(
    "PW-CAA-MALFORMED-VALUE", Severity.HIGH, "a CAA value that breaks its grammar names no CA"
)
CAA_QUOTED_VALUE = _kind(
    "PW-CAA-QUOTED-VALUE", Severity.HIGH, "a CAA value holds the quotes that should surround it"
)
CAA_BROKEN_RECORD = _kind("PW-CAA-BROKEN-RECORD", Severity.HIGH, "a CAA record cannot be read")
CAA_ILLEGAL_TAG = _kind(
    "PW-CAA-ILLEGAL-TAG", Severity.HIGH, "a CAA tag holds other octets than letters and digits"
)
CAA_UNKNOWN_TAG = _kind(
    "PW-CAA-UNKNOWN-TAG", Severity.MEDIUM, "a CAA tag that nobody knows has no effect"
)
CAA_RESERVED_TAG = _kind(
    "PW-CAA-RESERVED-TAG", Severity.MEDIUM, "a CAA tag that is reserved and was never defined"
)
CAA_CRITICAL_UNKNOWN = _kind(
    "PW-CAA-CRITICAL-UNKNOWN",
    Severity.HIGH,
    "a critical CAA tag that CAs need not know can forbid every certificate",
)
CAA_CRITICAL_NEEDLESS = _kind(
    "PW-CAA-CRITICAL-NEEDLESS", Severity.INFO, "the critical flag on a known CAA tag does nothing"
)
CAA_RESERVED_FLAGS = _kind(
    "PW-CAA-RESERVED-FLAGS", Severity.MEDIUM, "CAA flags other than 0 and 128 are read in two ways"
)
CAA_UPPER_CASE = _kind(
    "PW-CAA-UPPER-CASE", Severity.LOW, "upper case in CAA that not everybody reads as lower case"
)
CAA_UNKNOWN_CA = _kind("PW-CAA-UNKNOWN-CA", Severity.MEDIUM, "CAA names a CA that is not known")
CAA_PARAMETERS_LOST = _kind(
    "PW-CAA-PARAMETERS-LOST", Severity.MEDIUM, "a CAA value looks cut off where parameters begin"
)
CAA_PARAMETERS_ALONE = _kind(
    "PW-CAA-PARAMETERS-ALONE", Severity.MEDIUM, "CAA parameters without a CA before them"
)
CAA_BLANKS = _kind("PW-CAA-BLANKS", Severity.LOW, "blanks in a CAA value are refused by some hosts")

# CAA: parameters (RFC 8657), reports and contacts.
CAA_ACCOUNT_INVALID = _kind(
    "PW-CAA-ACCOUNT-INVALID", Severity.HIGH, "an accounturi that no account can match"
)
CAA_ACCOUNT_STAGING = _kind(
    "PW-CAA-ACCOUNT-STAGING", Severity.HIGH, "an accounturi of a CA's test service"
)
CAA_METHODS_INVALID = _kind(
    "PW-CAA-METHODS-INVALID", Severity.HIGH, "a validationmethods list that cannot be read"
)
CAA_METHODS_EMPTY = _kind(
    "PW-CAA-METHODS-EMPTY", Severity.MEDIUM, "an empty validationmethods list forbids every method"
)
CAA_METHOD_UNKNOWN = _kind(
    "PW-CAA-METHOD-UNKNOWN", Severity.MEDIUM, "a validation method that is not known, or retired"
)
CAA_METHOD_RENAMED = _kind(
    "PW-CAA-METHOD-RENAMED",
    Severity.LOW,
    "a validation method under its Baseline Requirements label only",
)
CAA_METHOD_NO_WILDCARD = _kind(
    "PW-CAA-METHOD-NO-WILDCARD",
    Severity.MEDIUM,
    "wildcards bound to validation methods that cannot prove one",
)
CAA_DUPLICATE_PARAMETER = _kind(
    "PW-CAA-DUPLICATE-PARAMETER", Severity.HIGH, "a CAA parameter given twice is never satisfied"
)
CAA_UNKNOWN_PARAMETER = _kind(
    "PW-CAA-UNKNOWN-PARAMETER", Severity.MEDIUM, "a CAA parameter that no standard defines"
)
CAA_BINDING_NOT_MANDATORY = _kind(
    "PW-CAA-BINDING-NOT-MANDATORY",
    Severity.INFO,
    "a CA need not honour account and method bindings yet",
)
CAA_BINDING_UNSIGNED = _kind(
    "PW-CAA-BINDING-UNSIGNED", Severity.LOW, "account or method bindings in a zone without DNSSEC"
)
CAA_OPEN_BESIDE_BOUND = _kind(
    "PW-CAA-OPEN-BESIDE-BOUND", Severity.HIGH, "a CA is bound in one record and free in another"
)
CAA_IODEF_INVALID = _kind(
    "PW-CAA-IODEF-INVALID", Severity.MEDIUM, "an iodef that is no address for reports"
)
CAA_IODEF_UNSUPPORTED = _kind(
    "PW-CAA-IODEF-UNSUPPORTED", Severity.LOW, "an iodef address of a kind that CAs need not know"
)
CAA_IODEF_MISSING = _kind(
    "PW-CAA-IODEF-MISSING", Severity.INFO, "no address for reports of refused requests"
)
CAA_CONTACT_INVALID = _kind(
    "PW-CAA-CONTACT-INVALID", Severity.MEDIUM, "a contact in CAA that cannot be used"
)
CAA_CONTACT_SUNSET = _kind(
    "PW-CAA-CONTACT-SUNSET", Severity.LOW, "validation through contacts in CAA comes to its end"
)

# CAA: what a set of records means as a whole, and where it stands.
CAA_NO_POLICY = _kind("PW-CAA-NO-POLICY", Severity.MEDIUM, "any CA may issue: there is no CAA")
CAA_NOTHING_RESTRICTS = _kind(
    "PW-CAA-NOTHING-RESTRICTS", Severity.MEDIUM, "a CAA set that restricts no certificate"
)
CAA_CHILD_OPENS_PARENT = _kind(
    "PW-CAA-CHILD-OPENS-PARENT",
    Severity.HIGH,
    "a CAA set opens to every CA what the set above it restricts",
)
CAA_ISSUEWILD_ONLY = _kind(
    "PW-CAA-ISSUEWILD-ONLY",
    Severity.MEDIUM,
    "only wildcards are restricted: issuewild stands alone",
)
CAA_NO_ISSUEWILD = _kind(
    "PW-CAA-NO-ISSUEWILD", Severity.LOW, "who may issue may issue wildcards too: no issuewild"
)
CAA_EMPTY_BESIDE_ISSUER = _kind(
    "PW-CAA-EMPTY-BESIDE-ISSUER", Severity.MEDIUM, 'a ";" beside a named CA forbids nothing'
)
CAA_LITERAL_WILDCARD = _kind(
    "PW-CAA-LITERAL-WILDCARD", Severity.MEDIUM, 'CAA at a "*" owner is not about wildcards'
)
CAA_THIRD_PARTY = _kind(
    "PW-CAA-THIRD-PARTY", Severity.MEDIUM, "another party's CAA decides for a name, by an alias"
)
CAA_ALIAS_OPEN = _kind(
    "PW-CAA-ALIAS-OPEN", Severity.INFO, "another party could decide for a name, by an alias"
)
CAA_SMIME_OPEN = _kind(
    "PW-CAA-SMIME-OPEN", Severity.LOW, "any CA may issue for mail addresses: no issuemail"
)
CAA_VMC_OPEN = _kind(
    "PW-CAA-VMC-OPEN", Severity.INFO, "any CA may issue for brand marks: no issuevmc"
)
CAA_READ_DIFFERENTLY = _kind(
    "PW-CAA-READ-DIFFERENTLY",
    Severity.MEDIUM,
    "a CA reads this CAA set in another way than the standard",
)
CAA_DUPLICATE_RECORD = _kind("PW-CAA-DUPLICATE-RECORD", Severity.LOW, "a CAA record stands twice")
CAA_TOO_MANY = _kind("PW-CAA-TOO-MANY", Severity.MEDIUM, "a CAA set so large that answers can fail")
CAA_TTL_LONG = _kind("PW-CAA-TTL-LONG", Severity.LOW, "CAs may rely on a CAA answer for very long")
CAA_TTL_DIFFERS = _kind(
    "PW-CAA-TTL-DIFFERS", Severity.LOW, "the records of one CAA set have different TTLs"
)
CAA_AT_ALIAS = _kind(
    "PW-CAA-AT-ALIAS", Severity.HIGH, "CAA beside a CNAME, where no other record can stand"
)
CAA_OCCLUDED = _kind(
    "PW-CAA-OCCLUDED", Severity.MEDIUM, "CAA below a delegation or DNAME is never served"
)
CAA_OWNER_DOUBLED = _kind(
    "PW-CAA-OWNER-DOUBLED",
    Severity.MEDIUM,
    "CAA at a name that repeats the zone's: a dot is missing",
)

# CAA: looking up, publishing and watching.
CAA_LOOKUP_FAILED = _kind(
    "PW-CAA-LOOKUP-FAILED", Severity.HIGH, "the CAA records cannot be looked up, so CAs refuse"
)
CAA_BOGUS = _kind(
    "PW-CAA-BOGUS", Severity.HIGH, "the CAA answer fails DNSSEC validation, so CAs refuse"
)
CAA_RESOLVERS_DISAGREE = _kind(
    "PW-CAA-RESOLVERS-DISAGREE", Severity.MEDIUM, "two resolvers see different CAA policies"
)
CAA_SERVERS_DISAGREE = _kind(
    "PW-CAA-SERVERS-DISAGREE", Severity.HIGH, "the name servers of a zone serve different CAA"
)
CAA_NOT_AS_INTENDED = _kind(
    "PW-CAA-NOT-AS-INTENDED", Severity.HIGH, "a name server serves other CAA than was meant"
)
CAA_CHANGED = _kind(
    "PW-CAA-CHANGED", Severity.MEDIUM, "the CAA policy of a watched name changed", lasting=True
)
CAA_LOOSENED = _kind(
    "PW-CAA-LOOSENED",
    Severity.HIGH,
    "the CAA policy of a watched name permits what it refused",
    lasting=True,
)

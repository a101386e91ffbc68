"""What came of one CAA question, whoever answered it: a resolver, a server or a zone file.

A missing name and a name without CAA are both an empty answer (RFC 8659 section 3);
a failure is neither, and never permission (section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinwarden.caa.record import BrokenRecord, CAARecord


class Outcome(StrEnum):
    """How a question ended."""

    RECORDS = "records"
    NO_DATA = "no-data"
    NO_SUCH_NAME = "nxdomain"
    FAILED = "failed"


class Failure(StrEnum):
    """Why a question could not be answered."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    NOT_IMPLEMENTED = "notimp"
    OTHER_RCODE = "rcode"
    BOGUS = "bogus"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    ALIAS_LOOP = "alias-loop"


class DNSSECState(StrEnum):
    """The states of RFC 4035 section 4.3, as far as a resolver told them in a way to be trusted."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class ExtendedError:
    """An extended DNS error (RFC 8914): its code and the words that came with it."""

    code: int
    text: str = ""

    @property
    def meaning(self) -> str:
        """What the code stands for in the IANA registry; empty for a code that is not there."""
        return _MEANINGS[self.code] if 0 <= self.code < len(_MEANINGS) else ""


# "Extended DNS Error Codes", by code.
_MEANINGS = (
    "other error",
    "unsupported DNSKEY algorithm",
    "unsupported DS digest type",
    "stale answer",
    "forged answer",
    "DNSSEC indeterminate",
    "DNSSEC bogus",
    "signature expired",
    "signature not yet valid",
    "DNSKEY missing",
    "RRSIGs missing",
    "no zone key bit set",
    "NSEC missing",
    "cached error",
    "not ready",
    "blocked",
    "censored",
    "filtered",
    "prohibited",
    "stale NXDOMAIN answer",
    "not authoritative",
    "not supported",
    "no reachable authority",
    "network error",
    "invalid data",
    "signature expired before valid",
    "too early",
    "unsupported NSEC3 iterations value",
    "unable to conform to policy",
    "synthesized",
    "invalid query type",
    "rate limited",
    "over quota",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question for the CAA records of `name`, and what came of it.

    `name` is the question, in lower case and without the final dot; `aliases` are the
    names that CNAME and DNAME records led to, in order, so that the records stand at
    the last of them. `ttl` is in seconds: the least of the answer and its aliases, or
    for an empty answer the negative TTL of RFC 2308 section 5. `broken` are records
    of the answer that have no tag and value to read. `problem` says in one line why
    the question failed. `server` names who answered, `transport` how it was asked.
    """

    name: str
    outcome: Outcome
    records: tuple[CAARecord, ...] = ()
    broken: tuple[BrokenRecord, ...] = ()
    ttl: int | None = None
    aliases: tuple[str, ...] = ()
    rcode: str | None = None
    extended_errors: tuple[ExtendedError, ...] = ()
    dnssec: DNSSECState = DNSSECState.INDETERMINATE
    failure: Failure | None = None
    problem: str = ""
    server: str = ""
    transport: str = ""
    attempts: int = 1

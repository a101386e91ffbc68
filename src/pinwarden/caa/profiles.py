"""How a certification authority reads CAA where the RFCs leave it room, or where it deviates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pinwarden.errors import MalformedError, quoted

# Ballot SC-098v2: from then on every public CA honours accounturi and validationmethods.
RFC8657_MANDATORY = datetime(2027, 3, 15, tzinfo=UTC)

_BR_TAGS = frozenset({"issue", "issuewild", "iodef"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The switches of an evaluation; the defaults are what the RFCs say.

    `known_tags` are the property tags a CA understands, in lower case. With
    `lookup_failure` "br" a failure is permission if it lies outside the CA, was
    retried, and the zone is proven insecure; each of the three is taken from the lookup
    where it is None, and what no lookup can show counts as not given.

    `critical_mask`: which flag bits make an unknown property forbid issuance.
    `wildcard_methods`: the only ways a wildcard name can be validated, None for any.
    `labels_until_match`: a method list is read only as far as the method in use.
    """

    name: str
    source: str
    known_tags: frozenset[str] = _BR_TAGS
    supports_rfc8657: bool = True
    br_label_aliases: bool = False
    lookup_failure: Literal["never", "br"] = "never"
    failure_outside_ca: bool | None = None
    retried: bool | None = None
    zone_insecure: bool | None = None
    critical_mask: int = 0x80
    issuer_case_matters: bool = False
    parameter_case_matters: bool = False
    parameter_hyphens: bool = True
    missing_tld_fails: bool = False
    labels_until_match: bool = False
    wildcard_methods: frozenset[str] | None = None

    def knowing(self, *tags: str) -> Profile:
        """The same CA, which understands these tags as well."""
        return replace(self, known_tags=self.known_tags.union(tags))


RFC8659 = Profile(name="rfc8659", source="RFC 8659, RFC 8657, RFC 9495")

# boulder, va/caa.go: flag value 1 counts as critical, contact tags are unknown, issuers are
# compared byte for byte, parameter tags are letters and digits only, a top level domain that
# does not exist is an error; wildcard names are validated by DNS alone (policy/pa.go).
LETSENCRYPT = Profile(
    name="letsencrypt",
    source="letsencrypt/boulder va/caa.go, read in August 2026",
    known_tags=_BR_TAGS | {"issuemail", "issuevmc"},
    critical_mask=0x81,
    issuer_case_matters=True,
    parameter_case_matters=True,
    parameter_hyphens=False,
    missing_tld_fails=True,
    labels_until_match=True,
    wildcard_methods=frozenset({"dns-01", "dns-account-01", "dns-persist-01"}),
)


def profile_at(at: datetime) -> Profile:
    """What the TLS Baseline Requirements oblige every public CA to do at a moment.

    Until 2027-03-15 a CA may ignore the parameters of RFC 8657 (ballot SC-098v2), so
    that they forbid nothing; from then on it must honour them, and should take a
    `ca-tbr-N` label for its ACME equivalent. A lookup failure may be permission under
    the conditions of section 3.2.2.8; a DNSSEC failure never is.
    """
    mandatory = at >= RFC8657_MANDATORY
    section = "4.2.2.1" if mandatory else "3.2.2.8"
    return Profile(
        name="br",
        source=f"TLS Baseline Requirements, section {section}, as of {at.date().isoformat()}",
        supports_rfc8657=mandatory,
        br_label_aliases=mandatory,
        lookup_failure="br",
    )


PROFILES = ("rfc8659", "br", "letsencrypt")


def profile_named(name: str, at: datetime) -> Profile:
    """One of `PROFILES`, as of a moment; raises `MalformedError` for another name."""
    if name == "br":
        return profile_at(at)
    for profile in (RFC8659, LETSENCRYPT):
        if profile.name == name:
            return profile
    raise MalformedError(f"profile {quoted(name)}: unknown", hint=f"one of {', '.join(PROFILES)}")

"""The facts that the checks of an audit judge: collected once, each known or unknown-because.

Values only. `gather` goes to get them, `presentation` makes them of what a host served.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pinwarden.caa.climb import CAAName, RelevantSet
from pinwarden.caa.evaluate import Decision
from pinwarden.caa.issuers.map import IssuerMatch
from pinwarden.ct.ocsp import OCSPAnswer
from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedAddress, ServedHost
from pinwarden.pinning.pinset import PinSet
from pinwarden.store.contract import StoredSighting
from pinwarden.x509.certificate import CertificateView

__all__ = [
    "CAAFacts",
    "CTFacts",
    "Facts",
    "HistoryFacts",
    "NamePolicy",
    "Presentation",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that is not known, and why.

    `failed` tells one that was to be learnt and could not be from one that nobody asked
    for, or that there is not.
    """

    why: str
    failed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CTFacts:
    """The SCTs that came with a certificate, and what the browsers' policies say of them.

    `problems` are lists of SCTs that could not be read, one line each. `rests_on_unlisted` is
    whether a policy is failed only because of SCTs of logs that no list names.
    """

    scts: tuple[JudgedSCT, ...]
    problems: tuple[str, ...] = ()
    policies: tuple[PolicyResult, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    rests_on_unlisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A chain, and the addresses that show it; one for each chain that a host serves.

    `certificates` are the best chain there is, leaf first: the verified one, else the one
    that verifies but for dates and name (`anchored`), else what was sent. `issuer` is the
    certificate whose key signed the leaf, where there is one among them. `leaf` is None
    for one that cannot be read. `trusted` is whether the chain leads to a trust anchor.
    """

    addresses: tuple[ServedAddress, ...]
    certificates: tuple[bytes, ...]
    trusted: bool
    leaf: CertificateView | None
    issuer: CertificateView | None
    staple: OCSPAnswer | None
    handed_problem: str
    ct: CTFacts | Unknown

    @property
    def staple_problem(self) -> str:
        """Why the stapled OCSP response counts for nothing; empty where that is not certain.

        Without the issuer nobody can tell, and that it is missing is the fault.
        """
        if self.staple is None or self.staple.status is not None or self.issuer is None:
            return ""
        return self.staple.problem

    @property
    def first(self) -> ServedAddress:
        """The address that stands for all."""
        return self.addresses[0]

    @property
    def verified(self) -> bool:
        """Whether it verified for this host at the time of asking."""
        return bool(self.first.verified)

    @property
    def failure(self) -> Failure | None:
        """Why it did not."""
        return self.first.failure


@dataclass(frozen=True, slots=True)
class NamePolicy:
    """The CAA policy of one name of the certificate, and what it says to the CA that issued.

    `found` has one outcome for each resolver, in their order; `decision` is the least
    favourable, `governing` the set behind it.
    """

    name: CAAName
    found: tuple[RelevantSet, ...]
    governing: RelevantSet
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class CAAFacts:
    """CAA for every name of the served certificate, the one that covers the host first.

    `match` is the CA that issued, as far as the map tells; `domains` are the names by which
    that CA goes in CAA, `complete` whether it has no others. `left_out` counts names beyond
    the bound, `unreadable` those of the certificate that are no names.
    """

    policies: tuple[NamePolicy, ...]
    match: IssuerMatch | None
    owner: str
    domains: tuple[str, ...]
    complete: bool
    left_out: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFacts:
    """What a monitor's store has of a host.

    `seen` is the served certificate's issuance, None if it is not there. `others` are
    issuances for the host that are valid now. `known` is how many issuances for the host
    the store has; `expected_in` names a log that was read past the time of one of the
    certificate's SCTs, from before it: there the certificate must have been met.
    """

    seen: StoredSighting | None
    others: tuple[StoredSighting, ...]
    known: int
    expected_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of a host at a time.

    `shown` is empty if no address showed a certificate. `silent` are the resolvers that
    do not answer. `head` is the head of the host's answer to an HTTP request.
    """

    target: str
    endpoint: Endpoint
    at: datetime
    served: ServedHost
    shown: tuple[Presentation, ...]
    caa: CAAFacts | Unknown
    silent: tuple[str, ...]
    head: bytes | Unknown
    pins: PinSet | None
    history: HistoryFacts | Unknown

    @property
    def host(self) -> str:
        """The host as a normalised name or address."""
        return self.endpoint.host

"""Going to get the facts: the host's servers, the resolvers, the store, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pinwarden.audit.facts import CAAFacts, CTFacts, Facts, HistoryFacts, Presentation, Unknown
from pinwarden.audit.history import read_history
from pinwarden.audit.presentation import presentations
from pinwarden.audit.renewal import (
    IssuingCA,
    RenewalNames,
    issuing_ca,
    judge_names,
    renewal_names,
)
from pinwarden.audit.transparency import CTJudge
from pinwarden.caa.climb import CAAName, RelevantSet, climb_asking
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.lookup import Failure as LookupFailure
from pinwarden.caa.lookup import Lookup
from pinwarden.ct.log import LogList
from pinwarden.errors import StoreError
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, HostAsker, ServedAddress, ServedHost
from pinwarden.pinning.pinset import PinSet
from pinwarden.store.contract import Store

__all__ = ["AuditTarget", "Gatherer", "Limits", "Sources"]

_T = TypeVar("_T")

# A name that every resolver has in its memory, to tell one that is down from a zone that is.
_PROBE = "com"
_SILENCE = (LookupFailure.TIMEOUT, LookupFailure.UNREACHABLE)
# Questions about the names of one certificate that are under way at the same time.
_PARALLEL_NAMES = 16
# X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT.
_SELF_SIGNED = 18
_PRIVATE = (
    "the issuer is none that is known: a private CA does not look up CAA "
    "(--ca or --resolver has it done)"
)
_NO_CERTIFICATE = "no certificate was served"


@dataclass(frozen=True, slots=True)
class AuditTarget:
    """A host as the user wrote it, where that is, and addresses to ask instead of its own."""

    text: str
    endpoint: Endpoint
    addresses: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """In seconds: for all handshakes and the request, for all CAA questions, for the store."""

    asking: float = 60.0
    names: float = 60.0
    store: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Whom an audit consults; what is not there is not checked, and the report says so.

    `ca_domains` name the CA in CAA instead of the map. `always_ct` has SCTs looked for in
    certificates of CAs that nobody knows as well. `logs` None means that there is no list.
    """

    asker: HostAsker
    issuers: IssuerMap
    resolvers: tuple[CAAResolver, ...] = ()
    logs: LogList | None = None
    always_ct: bool = False
    always_caa: bool = False
    ca_domains: tuple[str, ...] = ()
    pins: PinSet | None = None
    store: Store | None = None
    limits: Limits = field(default_factory=Limits)


class Gatherer:
    """Gathers facts about hosts; remembers which resolvers were found not to answer."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._judge = CTJudge(sources.logs, sources.issuers, always=sources.always_ct)
        self._silent: set[int] = set()

    async def facts(self, target: AuditTarget, at: datetime) -> Facts:
        """What is known of a host; raises nothing for what it, DNS or the store does."""
        served = await self._served(target)
        shown = presentations(served.addresses, self._judge, at)
        caa, history = await asyncio.gather(
            self._caa(shown, target.endpoint.host, at), self._history(shown, target, at)
        )
        return Facts(
            target=target.text,
            endpoint=target.endpoint,
            at=at,
            served=served,
            shown=shown,
            caa=caa,
            silent=self._silent_ones() if self._asked_for(caa) else (),
            head=_head(served),
            pins=self._sources.pins,
            history=history,
        )

    def _asked_for(self, caa: CAAFacts | Unknown) -> bool:
        return self._sources.always_caa or isinstance(caa, CAAFacts) or caa.failed

    def _silent_ones(self) -> tuple[str, ...]:
        return tuple(self._sources.resolvers[each].description for each in sorted(self._silent))

    async def _served(self, target: AuditTarget) -> ServedHost:
        limit = self._sources.limits.asking
        asked = self._sources.asker.ask(target.endpoint, target.addresses)
        served = await _within(asked, limit)
        if served is None:
            host, port = target.endpoint.host, target.endpoint.port
            problem = f"did not finish its handshakes within {limit:g} s"
            silent = ServedAddress(
                address=host, port=port, failure=Failure.TIMEOUT, problem=problem
            )
            return ServedHost(endpoint=target.endpoint, addresses=(silent,))
        return served

    # CAA.

    async def _caa(
        self, shown: Sequence[Presentation], host: str, at: datetime
    ) -> CAAFacts | Unknown:
        if not self._sources.resolvers:
            return Unknown("no resolver was asked", failed=False)
        if not shown:
            return Unknown(_NO_CERTIFICATE)
        if shown[0].leaf is None:
            return Unknown("the served certificate cannot be read")
        if shown[0].first.verify_code == _SELF_SIGNED:
            return Unknown("no CA issued the certificate, so none would renew it", failed=False)
        issuer = issuing_ca(shown[0], self._sources.issuers, self._sources.ca_domains)
        if not self._sources.always_caa and _is_private(shown[0], issuer):
            return Unknown(_PRIVATE, failed=False)
        names = renewal_names(shown[0], host)
        limit = self._sources.limits.names
        if not names.names:
            if self._sources.always_caa:
                await _within(self._probe(), limit)
            why = "CAA is not consulted for addresses, and the certificate has no other names"
            return Unknown(why, failed=False)
        found = await _within(self._look_up(names), limit)
        if found is None:
            return Unknown(f"CAA could not be looked up within {limit:g} s")
        if not found:
            return Unknown("the resolver does not answer")
        return judge_names(names, found, issuer, at)

    async def _look_up(self, names: RenewalNames) -> list[tuple[RelevantSet, ...]]:
        """The policy of each name as each resolver has it that answers; empty if none does."""
        first, *others = names.names
        tried = await asyncio.gather(
            *(self._first(number, first) for number in range(len(self._sources.resolvers)))
        )
        answering = [number for number, each in enumerate(tried) if each is not None]
        if not answering:
            return []
        slots = asyncio.Semaphore(_PARALLEL_NAMES)

        async def one(name: CAAName) -> tuple[RelevantSet, ...]:
            async with slots:
                return tuple(
                    await asyncio.gather(
                        *(
                            climb_asking(name.name, self._sources.resolvers[number].look_up)
                            for number in answering
                        )
                    )
                )

        known = tuple(each for each in tried if each is not None)
        return [known, *await asyncio.gather(*map(one, others))]

    async def _first(self, number: int, name: CAAName) -> RelevantSet | None:
        """The policy of a name; None from a resolver that does not answer at all."""
        if number in self._silent:
            return None
        resolver = self._sources.resolvers[number]
        found = await climb_asking(name.name, resolver.look_up)
        if found.lookup is None or not _is_silence(found.lookup):
            return found
        if not _is_silence(await resolver.look_up(_PROBE)):
            return found
        self._silent.add(number)
        return None

    async def _probe(self) -> None:
        """Find out which resolvers do not answer at all, where there is nothing to ask them."""
        for number, resolver in enumerate(self._sources.resolvers):
            if number not in self._silent and _is_silence(await resolver.look_up(_PROBE)):
                self._silent.add(number)

    # History.

    async def _history(
        self, shown: Sequence[Presentation], target: AuditTarget, at: datetime
    ) -> HistoryFacts | Unknown:
        store = self._sources.store
        if store is None:
            return Unknown("no store of a monitor is named", failed=False)
        if not shown or shown[0].leaf is None:
            return Unknown(_NO_CERTIFICATE)
        limit = self._sources.limits.store
        try:
            found = await _within(read_history(store, target.endpoint.host, shown[0], at), limit)
        except StoreError as error:
            return Unknown(str(error))
        return Unknown(f"the store did not answer within {limit:g} s") if found is None else found


def _is_private(shown: Presentation, issuer: IssuingCA) -> bool:
    """Whether no public CA can be seen behind a certificate: none is known, and no log had it."""
    logged = isinstance(shown.ct, CTFacts) and bool(shown.ct.scts)
    return issuer.match is None and not issuer.domains and not logged


def _is_silence(lookup: Lookup) -> bool:
    """Whether nobody said anything, as opposed to one who said that it failed."""
    return lookup.failure in _SILENCE and lookup.rcode is None


def _head(served: ServedHost) -> bytes | Unknown:
    """The head of the first address that gave one."""
    for each in served.addresses:
        if each.response:
            return each.response
    if not any(each.verified or each.sent for each in served.addresses):
        return Unknown(_NO_CERTIFICATE)
    for each in served.addresses:
        if each.response_problem:
            hint = " (--no-http leaves the question out)" if each.verified else ""
            return Unknown(each.response_problem + hint)
    if not any(each.verified for each in served.addresses):
        return Unknown("nothing is said to a host whose certificate does not verify")
    return Unknown("no request was made", failed=False)


async def _within(work: Awaitable[_T], seconds: float) -> _T | None:
    """The result, or None if it takes longer."""
    try:
        # Not asyncio.timeout(): that can lose a cancellation (Python before 3.12).
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return None

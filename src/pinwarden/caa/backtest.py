"""A CAA policy tried on the certificates that were really issued, before it is published.

A refusal here is a renewal that will fail there: RFC 8659 section 3 asks every name of a
certificate, so one that is refused refuses it whole. What cannot be told (a CA that is not
mapped, an account that no certificate shows) is neither refused nor allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from pinwarden.caa.climb import CAAName, RelevantSet, parse_caa_name, why_not_applicable
from pinwarden.caa.evaluate import CAAVerdict, Decision, Reason, Request, evaluate_caa
from pinwarden.caa.issuers.map import How, IssuerMap, IssuerMatch
from pinwarden.caa.issuers.past import issuer_of_past, organisation_in, view_of_past
from pinwarden.caa.profiles import Profile
from pinwarden.errors import MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.names import UNREADABLE_LABEL

__all__ = [
    "BacktestReason",
    "BacktestVerdict",
    "CAABacktest",
    "Policy",
    "Tally",
    "TriedIssuance",
    "TriedName",
    "backtest_policy",
]

Policy: TypeAlias = Callable[[str], RelevantSet | None]
"""What stands above a name (without `*.`), or None for a name that the policy is not about."""


class BacktestVerdict(StrEnum):
    """What the policy would have done to an issuance."""

    REFUSED = "refused"
    UNKNOWN = "unknown"
    ALLOWED = "allowed"


class BacktestReason(StrEnum):
    """Reasons beside those of an evaluation (`Reason`): why it cannot be told."""

    ISSUER_NOT_MAPPED = "issuer-not-mapped"
    ISSUER_NOT_CERTAIN = "issuer-not-certain"
    FORMER_DOMAIN = "former-domain"
    ACCOUNT_NOT_OBSERVABLE = "account-not-observable"
    METHOD_NOT_OBSERVABLE = "method-not-observable"
    NAME_UNREADABLE = "name-unreadable"


_WORST_FIRST = tuple(BacktestVerdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedName:
    """One name of a certificate (`*.` before a wildcard) under the policy, and why."""

    name: str
    verdict: BacktestVerdict
    reason: str
    relevant_name: str | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedIssuance:
    """One certificate under the policy: as its worst name, of those that the policy is about.

    `ca` names the CA for a person: its owner, else the organisation that the certificate
    gives, foreign text. `how` says what told the CA, None where it is not mapped. `domain` is
    one by which a policy could allow the CA, empty where none is known for certain. `valid`
    says whether the certificate has begun and has not ended.
    """

    issuance: PastIssuance
    names: tuple[TriedName, ...]
    ca: str
    how: How | None
    domain: str
    valid: bool

    @property
    def deciding(self) -> TriedName:
        """The first of the worst names."""
        return min(self.names, key=lambda each: _WORST_FIRST.index(each.verdict))

    @property
    def verdict(self) -> BacktestVerdict:
        """What would have become of the issuance."""
        return self.deciding.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The issuances of one CA, or for one name: how many, and from when to when.

    Times are notBefore; those of refusals are None where there were none.
    """

    of: str
    refused: int
    unknown: int
    allowed: int
    first: datetime
    last: datetime
    first_refused: datetime | None
    last_refused: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CAABacktest:
    """What a policy would have done to a history; `tried` is in the order of time.

    `elsewhere` counts certificates without a name that the policy is about.
    """

    at: datetime
    tried: tuple[TriedIssuance, ...]
    elsewhere: int

    def of(self, verdict: BacktestVerdict) -> tuple[TriedIssuance, ...]:
        """Those that would have ended like this, the oldest first."""
        return tuple(each for each in self.tried if each.verdict is verdict)

    @property
    def verdict(self) -> BacktestVerdict:
        """The worst; unknown where there was nothing to try the policy on."""
        found = {each.verdict for each in self.tried} or {BacktestVerdict.UNKNOWN}
        return min(found, key=_WORST_FIRST.index)

    @property
    def failing(self) -> tuple[TriedIssuance, ...]:
        """Refused ones that are valid now, so that their renewal fails; first to end first."""
        refused = (each for each in self.of(BacktestVerdict.REFUSED) if each.valid)
        return tuple(sorted(refused, key=lambda each: each.issuance.not_after))

    @property
    def replaced(self) -> tuple[TriedIssuance, ...]:
        """Those of `failing` whose names all have a newer certificate that is valid and allowed.

        Perhaps they were replaced, and perhaps another machine holds them and renews them still.
        """
        newest: dict[str, datetime] = {}
        for each in self.of(BacktestVerdict.ALLOWED):
            for name in each.names if each.valid else ():
                newest[name.name] = each.issuance.not_before
        return tuple(
            each
            for each in self.failing
            if all(
                name.name in newest and newest[name.name] > each.issuance.not_before
                for name in each.names
            )
        )

    def by_ca(self) -> tuple[Tally, ...]:
        """One tally for each CA, most refusals first."""
        return _tallies((each.ca, each.verdict, each.issuance.not_before) for each in self.tried)

    def by_name(self) -> tuple[Tally, ...]:
        """One tally for each name, most refusals first."""
        return _tallies(
            (name.name, name.verdict, each.issuance.not_before)
            for each in self.tried
            for name in each.names
        )


def backtest_policy(
    policy: Policy,
    issuances: Iterable[PastIssuance],
    issuers: IssuerMap,
    profile: Profile,
    at: datetime,
) -> CAABacktest:
    """Try a policy on a history; never raises.

    `policy` is asked once for each name. It is the policy that is judged, not the
    certificates: whether each was allowed when it was issued is another question
    (`caa.history.issuance`).
    """
    bench = _Bench(policy, issuers, profile, at)
    ordered = sorted(issuances, key=lambda each: (each.not_before, each.not_after, each.serial))
    tried = [bench.tried(each) for each in ordered]
    kept = tuple(each for each in tried if each is not None)
    return CAABacktest(at=at, tried=kept, elsewhere=len(tried) - len(kept))


@dataclass(frozen=True, slots=True)
class _Bench:
    policy: Policy
    issuers: IssuerMap
    profile: Profile
    at: datetime
    _found: dict[str, RelevantSet | None] = field(default_factory=dict)
    _judged: dict[tuple[str, _Candidates], TriedName] = field(default_factory=dict)

    def tried(self, issuance: PastIssuance) -> TriedIssuance | None:
        match = issuer_of_past(issuance, self.issuers)
        candidates = _candidates(match)
        names = tuple(self._names(dict.fromkeys(issuance.names), candidates))
        names += tuple(map(_unreadable, _unread_fields(issuance)))
        if not names:
            return None
        return TriedIssuance(
            issuance=issuance,
            names=names,
            ca=_called(issuance, match),
            how=None if match is None else match.how,
            domain=next(iter(candidates[0].domains), "") if len(candidates) == 1 else "",
            valid=issuance.not_before <= self.at <= issuance.not_after,
        )

    def _names(self, texts: Iterable[str], candidates: _Candidates) -> Iterator[TriedName]:
        for text in texts:
            try:
                name = parse_caa_name(text)
            except MalformedError as error:
                yield _unreadable(str(error), text)
                continue
            found = self._relevant(name)
            if found is not None:
                yield self._judge(name, found, candidates)

    def _relevant(self, name: CAAName) -> RelevantSet | None:
        if why_not_applicable(name.name) is not None:
            return None
        if name.name not in self._found:
            self._found[name.name] = self.policy(name.name)
        return self._found[name.name]

    def _judge(self, name: CAAName, found: RelevantSet, candidates: _Candidates) -> TriedName:
        shown = f"*.{name.name}" if name.wildcard else name.name
        known = self._judged.get((shown, candidates))
        if known is None:
            answers = [self._answer(name, shown, found, each) for each in candidates]
            known = answers[0] if len({each.verdict for each in answers}) == 1 else _torn(answers)
            self._judged[shown, candidates] = known
        return known

    def _answer(
        self, name: CAAName, shown: str, found: RelevantSet, candidate: _Candidate
    ) -> TriedName:
        decision = self._decide(name, found, candidate.domains)
        verdict, reason, why = _VERDICTS[decision.verdict], str(decision.reason), decision.why
        unclear = _NOT_OBSERVABLE.get(decision.reason)
        if decision.verdict is CAAVerdict.UNKNOWN and unclear is not None:
            reason, why = unclear[0], (unclear[1],)
        # A set that authorises nobody at all forbids every CA, known or not.
        elif decision.reason is Reason.ISSUER_NOT_LISTED:
            if not candidate.domains:
                verdict, reason = BacktestVerdict.UNKNOWN, BacktestReason.ISSUER_NOT_MAPPED
                why = (_NOT_MAPPED,)
            elif candidate.former and self._decide(name, found, candidate.former).allowed:
                verdict, reason = BacktestVerdict.UNKNOWN, BacktestReason.FORMER_DOMAIN
                why = (_FORMER,)
        return TriedName(
            name=shown,
            verdict=verdict,
            reason=reason,
            relevant_name=decision.relevant_name,
            why=why,
        )

    def _decide(self, name: CAAName, found: RelevantSet, domains: tuple[str, ...]) -> Decision:
        request = Request(name=name.name, issuers=domains, wildcard=name.wildcard)
        return evaluate_caa(found, request, self.profile)


_VERDICTS = {
    CAAVerdict.ALLOWED: BacktestVerdict.ALLOWED,
    CAAVerdict.DENIED: BacktestVerdict.REFUSED,
    CAAVerdict.UNKNOWN: BacktestVerdict.UNKNOWN,
}
_NOT_OBSERVABLE = {
    Reason.ACCOUNT_MISMATCH: (
        BacktestReason.ACCOUNT_NOT_OBSERVABLE,
        "the policy is bound to an account, and a certificate does not show which one asked for it",
    ),
    Reason.METHOD_MISMATCH: (
        BacktestReason.METHOD_NOT_OBSERVABLE,
        "the policy is bound to a method, and a certificate does not show how it was validated",
    ),
}
_NOT_MAPPED = "it is not known which CAA domains the CA goes by"
_FORMER = "the policy has a domain of this CA that newer sources do not list any more"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A CA that may have issued: the domains that authorise it now, and those that once did."""

    domains: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


_Candidates: TypeAlias = tuple[_Candidate, ...]


def _candidates(match: IssuerMatch | None) -> _Candidates:
    """The CAs that may have issued; one without domains stands for a CA that is not known."""
    if match is None:
        return (_Candidate(),)
    if match.how is How.BY_KEY:
        honoured = {each for owner in match.owners for each in owner.honoured}
        gone = {each for owner in match.owners for each in owner.former} - honoured
        # The CA's own first, as it has them itself.
        own = [each for owner in match.owners for each in owner.domains if each in match.domains]
        domains = tuple(dict.fromkeys((*own, *sorted(match.domains - gone))))
        return (_Candidate(domains, tuple(sorted(match.domains & gone))),)
    return tuple(
        _Candidate(
            (*owner.domains, *sorted(owner.recognised)),
            tuple(each for each in owner.former if each not in owner.honoured),
        )
        for owner in match.owners
    ) or (_Candidate(),)


def _unread_fields(issuance: PastIssuance) -> tuple[str, ...]:
    """What in the certificate may hold a name that the policy is about, one problem at most.

    Only octets can tell: a source without them has problems with what is no name at all,
    such as the organisations that crt.sh gives among names.
    """
    view = view_of_past(issuance) if issuance.problems else None
    unread = () if view is None else view.identifiers().unreadable
    return tuple(map(str, unread[:1]))


def _unreadable(problem: str, name: str = UNREADABLE_LABEL) -> TriedName:
    return TriedName(
        name=name,
        verdict=BacktestVerdict.UNKNOWN,
        reason=BacktestReason.NAME_UNREADABLE,
        why=(problem,),
    )


def _torn(answers: Sequence[TriedName]) -> TriedName:
    """The answer where CAs that may have issued would have fared differently."""
    one = answers[0]
    return TriedName(
        name=one.name,
        verdict=BacktestVerdict.UNKNOWN,
        reason=BacktestReason.ISSUER_NOT_CERTAIN,
        relevant_name=one.relevant_name,
        why=("one of several CAs issued it, and the policy allows some of them only",),
    )


def _called(issuance: PastIssuance, match: IssuerMatch | None) -> str:
    if match is not None:
        called = " or ".join(owner.name for owner in match.owners)
        return called or ", ".join(sorted(match.domains))
    return organisation_in(issuance.issuer) or issuance.issuer or "a CA that is not named"


def _tallies(items: Iterable[tuple[str, BacktestVerdict, datetime]]) -> tuple[Tally, ...]:
    found: dict[str, list[tuple[BacktestVerdict, datetime]]] = {}
    for of, verdict, moment in items:
        found.setdefault(of, []).append((verdict, moment))
    tallies = (_tally(of, entries) for of, entries in found.items())
    return tuple(
        sorted(tallies, key=lambda each: (-each.refused, -each.unknown, -each.allowed, each.of))
    )


def _tally(of: str, entries: Sequence[tuple[BacktestVerdict, datetime]]) -> Tally:
    verdicts = [verdict for verdict, _ in entries]
    moments = [moment for _, moment in entries]
    refused = [moment for verdict, moment in entries if verdict is BacktestVerdict.REFUSED]
    return Tally(
        of=of,
        refused=len(refused),
        unknown=verdicts.count(BacktestVerdict.UNKNOWN),
        allowed=verdicts.count(BacktestVerdict.ALLOWED),
        first=min(moments),
        last=max(moments),
        first_refused=min(refused, default=None),
        last_refused=max(refused, default=None),
    )

"""Whether the next renewal would pass: which names a CA must ask CAA for, and what it learns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from pinwarden.audit.facts import CAAFacts, NamePolicy, Presentation
from pinwarden.audit.served_names import covers, served_names
from pinwarden.caa.climb import CAAName, RelevantSet, parse_caa_name, why_not_applicable
from pinwarden.caa.evaluate import (
    CAAVerdict,
    Decision,
    JudgedRecord,
    Purpose,
    Reason,
    Request,
    evaluate_caa,
    governing_tag,
)
from pinwarden.caa.issuers.map import IssuerMap, IssuerMatch, normal_domain
from pinwarden.caa.profiles import profile_at
from pinwarden.caa.value import parse_issue_value
from pinwarden.errors import MalformedError
from pinwarden.names import display

__all__ = ["IssuingCA", "RenewalNames", "has_terms", "issuing_ca", "judge_names", "renewal_names"]

# Let's Encrypt takes 100 names, the largest CAs 250; beyond that are a few content networks.
_MOST_NAMES = 256
# Each label is a question, and whoever is audited chooses the names.
_MOST_QUESTIONS = 2048
# Asks for whoever it is: no CA has such a domain.
_NOBODY = "unknown.invalid"
# How a sentence about a record ends that names another CA than the one asked for.
_NOT_THIS = ", not this CA"
_TERMS = ("accounturi", "validationmethods")
_LEAST_FAVOURABLE_FIRST = (CAAVerdict.DENIED, CAAVerdict.UNKNOWN, CAAVerdict.ALLOWED)


@dataclass(frozen=True, slots=True)
class RenewalNames:
    """The names that CAA is asked for; that which makes the certificate good for the host first.

    `left_out` counts those beyond the bound, `unreadable` are those that are no names.
    """

    names: tuple[CAAName, ...]
    left_out: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IssuingCA:
    """Who issued, and the names by which it goes in CAA; empty where these are not known.

    `complete` is whether it has no others, so that CAA without any of them forbids it.
    """

    match: IssuerMatch | None
    owner: str
    domains: tuple[str, ...]
    complete: bool


def renewal_names(shown: Presentation, host: str) -> RenewalNames:
    """The names of the served certificate; the host alone where it has none."""
    names = served_names(shown.leaf) if shown.leaf is not None else None
    found: dict[str, CAAName] = {}
    unreadable = list(names.unreadable) if names is not None else []
    covering = covers(names, host) if names is not None else None
    texts = names.dns if names is not None else ()
    for text in sorted(texts, key=lambda each: each != covering):
        try:
            name = parse_caa_name(text)
        except MalformedError as error:
            unreadable.append(str(error))
            continue
        if not name.is_ip and why_not_applicable(name.name) is None:
            found[text] = name
    if not found:
        name = parse_caa_name(host)
        if not name.is_ip and why_not_applicable(name.name) is None:
            found[host] = name
    every = tuple(found.values())
    asked = accumulate(each.name.count(".") + 1 for each in every[:_MOST_NAMES])
    count = sum(questions <= _MOST_QUESTIONS for questions in asked)
    return RenewalNames(every[:count], len(every) - count, tuple(unreadable[:5]))


def issuing_ca(shown: Presentation, issuers: IssuerMap, given: Sequence[str]) -> IssuingCA:
    """The CA of the served certificate by the map.

    Where that does not know all its domains in CAA, they are those that the user gave.
    """
    spki = None if shown.issuer is None else shown.issuer.spki_hash
    match = issuers.issuer_of(shown.leaf, issuer_spki_sha256=spki)
    owner = "" if match is None else " or ".join(each.name for each in match.owners)
    if given and (match is None or not match.complete):
        domains = dict.fromkeys(map(normal_domain, given))
        owners = [found for each in domains if (found := issuers.owner_of(each)) is not None]
        domains |= dict.fromkeys(each for found in owners for each in sorted(found.honoured))
        owner = owner or " or ".join(dict.fromkeys(each.name for each in owners))
        return IssuingCA(match, owner, tuple(domains), complete=True)
    if match is None:
        return IssuingCA(None, "", (), complete=False)
    return IssuingCA(match, owner, tuple(sorted(match.domains)), match.complete)


def judge_names(
    names: RenewalNames,
    found: Sequence[Sequence[RelevantSet]],
    issuer: IssuingCA,
    at: datetime,
) -> CAAFacts:
    """The decision about each name; `found` has the outcome for each resolver, name by name."""
    return CAAFacts(
        policies=tuple(
            _judge(name, tuple(each), issuer, at)
            for name, each in zip(names.names, found, strict=True)
        ),
        match=issuer.match,
        owner=issuer.owner,
        domains=issuer.domains,
        complete=issuer.complete,
        left_out=names.left_out,
        unreadable=names.unreadable,
    )


def _judge(
    name: CAAName, found: tuple[RelevantSet, ...], issuer: IssuingCA, at: datetime
) -> NamePolicy:
    request = Request(name=name.name, wildcard=name.wildcard, issuers=issuer.domains or (_NOBODY,))
    profile = profile_at(at)
    decided = [
        (_as_far_as_known(evaluate_caa(each, request, profile), each, name, issuer), each)
        for each in found
    ]
    # A CA needs permission from every place it looks from (Baseline Requirements 3.2.2.9).
    decision, governing = min(
        decided, key=lambda pair: _LEAST_FAVOURABLE_FIRST.index(pair[0].verdict)
    )
    return NamePolicy(name, found, governing, decision)


def _as_far_as_known(
    decision: Decision, found: RelevantSet, name: CAAName, issuer: IssuingCA
) -> Decision:
    """The same, but unknown where it rests on not being a CA of which not all names are known."""
    if issuer.complete or decision.verdict is not CAAVerdict.DENIED:
        return decision
    if decision.reason is Reason.UNKNOWN_CRITICAL or not _names_anybody(found, name):
        return decision
    if issuer.domains:
        why = f"other names of {display(issuer.owner, 80)} in CAA may be among those permitted"
    else:
        why = "it is not known by which name the CA that issued goes in CAA"
    judged: tuple[JudgedRecord, ...] = decision.judged
    # "Not this CA" is what must not be said of one that is not known.
    told = (each.removesuffix(_NOT_THIS) for each in decision.why)
    return Decision(
        CAAVerdict.UNKNOWN, decision.reason, decision.relevant_name, (why, *told), judged
    )


def has_terms(policy: NamePolicy, domains: Collection[str]) -> bool:
    """Whether the records of these CAs name an account or a method (RFC 8657).

    Only the ACME client knows its own; and not every CA looks at them.
    """
    lookup = policy.governing.lookup
    for record in lookup.records if lookup is not None else ():
        if record.property not in ("issue", "issuewild"):
            continue
        try:
            value = parse_issue_value(record.value)
        except MalformedError:
            continue
        if any(value.named(tag) for tag in _TERMS) and normal_domain(value.issuer or "") in domains:
            return True
    return False


def _names_anybody(found: RelevantSet, name: CAAName) -> bool:
    """Whether any property that decides names a CA at all."""
    if found.lookup is None:
        return False
    tag = governing_tag(found.lookup.records, wildcard=name.wildcard, purpose=Purpose.TLS)
    for record in found.lookup.records:
        if record.property != tag:
            continue
        try:
            if parse_issue_value(record.value).issuer is not None:
                return True
        except MalformedError:
            continue
    return False

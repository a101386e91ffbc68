"""The least CAA policy that certificates already issued would have passed.

Evidence is a certificate's names and the CA that the issuer map knows for it. What the
map does not know is told, never guessed: a policy that leaves it out would refuse its
next renewal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pinwarden.caa.intent import Grant, Intent
from pinwarden.caa.issuers.map import How, IssuerMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One certificate: its DNS names in lower case, wildcards as `*.`, and its CA if known.

    `issuer` and `serial` name the certificate to a person; they are foreign text.
    """

    names: tuple[str, ...]
    issuer: str
    serial: str
    match: IssuerMatch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What certificates say of one name and the names below it.

    `choices` are CAs with several domains of their own, of which the first was taken.
    `doubts` are domains of different CAs, any of which may have issued: all are permitted.
    `unmapped` are certificates whose CA has no known domain: the policy refuses them.
    """

    name: str
    intent: Intent | None
    certificates: int
    choices: tuple[tuple[str, ...], ...] = ()
    doubts: tuple[tuple[str, ...], ...] = ()
    unmapped: tuple[Evidence, ...] = ()


@dataclass(slots=True)
class _Found:
    plain: dict[str, None] = field(default_factory=dict)
    wild: dict[str, None] = field(default_factory=dict)
    choices: dict[tuple[str, ...], None] = field(default_factory=dict)
    doubts: dict[tuple[str, ...], None] = field(default_factory=dict)
    unmapped: list[Evidence] = field(default_factory=list)
    certificates: int = 0


def topmost_names(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """The names in certificates that are not below another one of them, without `*.`."""
    named = {name.removeprefix("*.") for each in evidence for name in each.names}
    return tuple(sorted(name for name in named if not _covered(name, named)))


def propose_policies(names: Sequence[str], evidence: Iterable[Evidence]) -> tuple[Proposal, ...]:
    """One proposal for each of `names`; the nearest of them above a certificate's name counts."""
    wanted = dict.fromkeys(names)
    found = {name: _Found() for name in wanted}
    for each in evidence:
        for name, (plain, wild) in _governed(each, wanted).items():
            _add(found[name], each, plain=plain, wild=wild)
    return tuple(_proposal(name, found[name]) for name in wanted)


def _governed(each: Evidence, wanted: dict[str, None]) -> dict[str, tuple[bool, bool]]:
    kinds: dict[str, tuple[bool, bool]] = {}
    for name in each.names:
        wild = name.startswith("*.")
        governing = next((n for n in _upwards(name.removeprefix("*.")) if n in wanted), None)
        if governing is not None:
            before = kinds.get(governing, (False, False))
            kinds[governing] = (before[0] or not wild, before[1] or wild)
    return kinds


def _add(found: _Found, each: Evidence, *, plain: bool, wild: bool) -> None:
    found.certificates += 1
    alternatives = _alternatives(each.match) if each.match is not None else ()
    if not alternatives:
        found.unmapped.append(each)
    if len(alternatives) > 1:
        found.doubts[tuple(domains[0] for domains in alternatives)] = None
    for domains in alternatives:
        if len(domains) > 1:
            found.choices[domains] = None
        if plain:
            found.plain[domains[0]] = None
        if wild:
            found.wild[domains[0]] = None


def _alternatives(match: IssuerMatch) -> tuple[tuple[str, ...], ...]:
    """For each CA that it may be, its domains: its own first, in its own order.

    Domains that the CA listed for the very key are of one CA. An owner without a known
    domain might be the one, and then no policy for the others would do.
    """
    if not match.domains or not match.complete:
        return ()
    owned = [
        tuple(domain for domain in owner.domains if domain in match.domains)
        for owner in match.owners
    ]
    if match.how is How.BY_KEY or not all(owned):
        listed = dict.fromkeys(domain for domains in owned for domain in domains)
        return (tuple(listed) or tuple(sorted(match.domains)),)
    return tuple(owned)


def _proposal(name: str, found: _Found) -> Proposal:
    intent = None
    if found.plain or found.wild:
        intent = Intent(
            name=name,
            issuers=tuple(Grant(domain=domain) for domain in sorted(found.plain)),
            wildcard=tuple(Grant(domain=domain) for domain in sorted(found.wild)),
        )
    return Proposal(
        name=name,
        intent=intent,
        certificates=found.certificates,
        choices=tuple(found.choices),
        doubts=tuple(found.doubts),
        unmapped=tuple(found.unmapped),
    )


def _upwards(name: str) -> Iterable[str]:
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _covered(name: str, named: set[str]) -> bool:
    above = iter(_upwards(name))
    next(above)
    return any(each in named for each in above)

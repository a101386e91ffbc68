"""What a change of CAA policy means: who may issue now and might not before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.evaluate import CAAVerdict, Purpose, Request, evaluate_caa
from pinwarden.caa.history.observation import Observation, found_of
from pinwarden.caa.lookup import DNSSECState
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import parse_issue_value
from pinwarden.errors import MalformedError, quoted
from pinwarden.findings import CAA_CHANGED, CAA_LOOSENED, Finding

# Nobody's: whoever is allowed beside these is anybody.
_ANYBODY = "any-other-ca.invalid"
_ANY_ACCOUNT = "https://any-other-account.invalid/"
_ANY_METHOD = "ca-any-other-method"

# Bounds on hostile sets: of each kind so many are compared, those that differ first.
_MOST_ISSUERS = 32
_MOST_PARAMETERS = 4
_MOST_SHOWN = 5
_LONGEST = 200

_PROPERTIES = frozenset({"issue", "issuewild", "issuemail", "issuevmc"})

# The tags that every CA knows by now; a critical one of these forbids nothing.
_PROFILE = RFC8659.knowing("issuemail", "issuevmc", "contactemail", "contactphone")


@dataclass(frozen=True, slots=True)
class _Scope:
    """One kind of certificate, in the words of a message."""

    words: str
    wildcard: bool = False
    purpose: Purpose = Purpose.TLS


_SCOPES = (
    _Scope("certificates"),
    _Scope("wildcard certificates", wildcard=True),
    _Scope("S/MIME certificates", purpose=Purpose.SMIME),
    _Scope("mark certificates", purpose=Purpose.VMC),
)


@dataclass(frozen=True, slots=True)
class _Named:
    """Everybody and everything that a set names."""

    issuers: tuple[str, ...]
    accounts: tuple[str, ...]
    methods: tuple[str, ...]


def subject_of(name: str) -> str:
    """What a finding about the CAA policy of a name is about."""
    return f"CAA of {name}"


def change_finding(before: Observation, after: Observation) -> Finding | None:
    """The finding for a policy that is not what it was; None where it is.

    It is `CAA_LOOSENED` if anything is permitted that was refused, `CAA_CHANGED`
    otherwise. Both observations are of policies, not of failures.
    """
    unsigned = (before.dnssec, after.dnssec) == (DNSSECState.SECURE, DNSSECState.INSECURE)
    if before.policy == after.policy and not unsigned:
        return None
    grants = newly_permitted(found_of(before), found_of(after))
    what = "; ".join(grants) or "nobody may issue who might not before"
    if before.policy == after.policy:
        what = "the answer is no longer signed with DNSSEC"
    elif unsigned:
        what += "; the answer is no longer signed with DNSSEC"
    return Finding(
        kind=CAA_LOOSENED if grants else CAA_CHANGED,
        subject=subject_of(after.name),
        message=f"{after.name}: {what}; before: {_shown(before)}; now: {_shown(after)}",
        details=(
            ("before", _listed(before)),
            ("now", _listed(after)),
            ("last seen before", before.last_seen.isoformat()),
            ("seen now", after.first_seen.isoformat()),
            ("asked", after.resolver),
        ),
    )


def newly_permitted(before: RelevantSet, after: RelevantSet) -> tuple[str, ...]:
    """Who may issue after that was refused before, a sentence for each kind of certificate."""
    named = _named(before, after)
    sentences: dict[str, list[str]] = {}
    for scope in _SCOPES:
        gained = _gained(before, after, scope, named)
        if gained:
            sentences.setdefault(gained, []).append(scope.words)
    return tuple(f"{who} for {' and '.join(kinds)}" for who, kinds in sentences.items())


def _gained(before: RelevantSet, after: RelevantSet, scope: _Scope, named: _Named) -> str:
    if _allowed(after, scope, named, _ANYBODY) - _allowed(before, scope, named, _ANYBODY):
        return "any CA may issue now"
    wider = []
    for issuer in named.issuers:
        was, now = (_allowed(found, scope, named, issuer) for found in (before, after))
        if now - was:
            how = "" if not was else " for other accounts or by other methods"
            wider.append(f"{quoted(issuer, 80)} may issue now{how}")
    more = f" and {len(wider) - _MOST_SHOWN} more CAs" if len(wider) > _MOST_SHOWN else ""
    return ", ".join(wider[:_MOST_SHOWN]) + more


def _allowed(
    found: RelevantSet, scope: _Scope, named: _Named, issuer: str
) -> frozenset[tuple[str, str]]:
    """The accounts and methods with which a CA may issue."""
    return frozenset(
        (account, method)
        for account, method in product(named.accounts, named.methods)
        if evaluate_caa(
            found,
            Request(
                name=found.name,
                issuers=(issuer,),
                wildcard=scope.wildcard,
                account_uri=account,
                method=method,
                purpose=scope.purpose,
            ),
            _PROFILE,
        ).verdict
        is not CAAVerdict.DENIED
    )


def _named(before: RelevantSet, after: RelevantSet) -> _Named:
    old, new = _records(before), _records(after)
    # What is new, or gone, comes before what stands on both sides.
    ordered = [*(r for r in new if r not in old), *(r for r in old if r not in new), *new]
    issuers, accounts, methods = [], [], [_ANY_METHOD]
    accounts.append(_ANY_ACCOUNT)
    for record in ordered:
        try:
            value = parse_issue_value(record.value)
        except MalformedError:
            continue
        if value.issuer is not None:
            issuers.append(value.issuer.lower())
        accounts += value.named("accounturi")
        for listed in value.named("validationmethods"):
            methods += listed.split(",")[:_MOST_PARAMETERS]
    return _Named(
        tuple(dict.fromkeys(issuers))[:_MOST_ISSUERS],
        tuple(dict.fromkeys(accounts))[:_MOST_PARAMETERS],
        tuple(dict.fromkeys(methods))[:_MOST_PARAMETERS],
    )


def _records(found: RelevantSet) -> dict[CAARecord, None]:
    if found.lookup is None:
        return {}
    return dict.fromkeys(r for r in found.lookup.records if r.property in _PROPERTIES)


def _shown(observation: Observation) -> str:
    if observation.relevant_name is None:
        return "no CAA"
    where = (
        ""
        if observation.relevant_name == observation.name
        else (f" at {quoted(observation.relevant_name, 80)}")
    )
    return f"{_some(observation.records)}{where}"


def _some(records: Sequence[str]) -> str:
    texts = [quoted(record, 120) for record in records[:_MOST_SHOWN]]
    more = len(records) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


def _listed(observation: Observation) -> str:
    """The records for the details of a finding, which are escaped where they are shown."""
    if observation.relevant_name is None:
        return "no CAA"
    return f"{observation.relevant_name}: {'; '.join(_cut(observation.records))}"


def _cut(records: Iterable[str]) -> Iterator[str]:
    for number, record in enumerate(records):
        if number == 10 * _MOST_SHOWN:
            yield "and more"
            return
        yield record[:_LONGEST]

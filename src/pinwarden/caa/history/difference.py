"""Who may issue under one set of CAA records and not under another, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.evaluate import (
    CAAVerdict,
    Purpose,
    Request,
    evaluate_caa,
    governing_tag,
    unknown_critical,
)
from pinwarden.caa.lookup import Lookup, Outcome
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import IssueValue, parse_issue_value
from pinwarden.errors import MalformedError, quoted

# Nobody's: whoever is allowed beside these is anybody.
_ANYBODY = "any-other-ca.invalid"
_ANY_ACCOUNT = "https://any-other-account.invalid/"
_ANY_METHOD = "ca-any-other-method"
_NAME = "name.invalid"

# Bounds on hostile sets. Whoever has more accounts and methods than are compared is
# said to have gained something.
_MOST_TRIED = 64
_MOST_METHODS = 16
_MOST_SHOWN = 5

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


def newly_permitted(before: RelevantSet, after: RelevantSet) -> tuple[str, ...]:
    """Who may issue after that was refused before, a sentence for each kind of certificate.

    With the two exchanged: who may not any more, in the words of `newly_refused`.
    """
    return _sentences(before, after, "may issue now", "any CA may issue now")


def newly_refused(before: RelevantSet, after: RelevantSet) -> tuple[str, ...]:
    """Who may not issue after that was permitted before."""
    return _sentences(after, before, "may issue no more", "not any CA may issue now")


def _sentences(before: RelevantSet, after: RelevantSet, how: str, anybody: str) -> tuple[str, ...]:
    sentences: dict[str, list[str]] = {}
    sets = _Set(before), _Set(after)
    for scope in _SCOPES:
        gained = _gained(*sets, scope, how, anybody)
        if gained:
            sentences.setdefault(gained, []).append(scope.words)
    return tuple(f"{who} for {_joined(kinds)}" for who, kinds in sentences.items())


def _joined(kinds: Sequence[str]) -> str:
    if len(kinds) == len(_SCOPES):
        return "certificates of every kind"
    return " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))


def _gained(before: _Set, after: _Set, scope: _Scope, how: str, anybody: str) -> str:
    if before.permits(scope, _ANYBODY):
        return ""
    if after.permits(scope, _ANYBODY):
        return anybody
    wider: dict[str, list[str]] = {}
    for issuer in after.issuers(scope):
        kind = _gain(before, after, scope, issuer)
        if kind is not None:
            wider.setdefault(kind, []).append(quoted(issuer, 80))
    return ", ".join(f"{_some(issuers)} {how}{kind}" for kind, issuers in wider.items())


def _some(issuers: Sequence[str]) -> str:
    rest = len(issuers) - _MOST_SHOWN
    more = f" and {rest} more CAs" if rest > 0 else ""
    return ", ".join(issuers[:_MOST_SHOWN]) + more


def _gain(before: _Set, after: _Set, scope: _Scope, issuer: str) -> str | None:
    """What one issuer gains: "" for everything, words for a part of it, None for nothing."""
    uses = after.uses(scope, issuer, but_first=before)
    tried = list(islice(uses, _MOST_TRIED))
    gained = [use for use in tried if not before.permits(scope, issuer, use)]
    if not gained and next(uses, None) is None:
        return None
    had = any(before.permits(scope, issuer, use) for use in before.uses(scope, issuer))
    return " for other accounts or by other methods" if had else ""


@dataclass(frozen=True, slots=True)
class _Use:
    """An account and a method with which a CA may be asked."""

    account: str = _ANY_ACCOUNT
    method: str = _ANY_METHOD


class _Set:
    """A set, split so that one issuer's part of it is judged without all the others.

    An issuer is permitted if any record of the property permits it, so that one record
    of each property stands for all those that do not name it.
    """

    def __init__(self, found: RelevantSet) -> None:
        lookup = found.lookup
        records = () if lookup is None else lookup.records
        self._broken = () if lookup is None else lookup.broken[:1]
        self._open = lookup is None
        # One that nobody understands is enough to forbid everything.
        self._forbidding = tuple(unknown_critical(records, _PROFILE)[:1])
        self._named: dict[str, dict[CAARecord, IssueValue]] = {}
        self._nobody: dict[str, CAARecord] = {}
        self._somebody: dict[str, dict[str, CAARecord]] = {}
        for record in records:
            if record.property is not None and record.property in _PROPERTIES:
                self._add(record.property, record)

    def _add(self, tag: str, record: CAARecord) -> None:
        value = _value(record)
        if value is None or value.issuer is None:
            self._nobody.setdefault(tag, record)
            return
        issuer = value.issuer.lower()
        self._named.setdefault(issuer, {})[record] = value
        some = self._somebody.setdefault(tag, {})
        if len(some) < 2:
            some.setdefault(issuer, record)

    def issuers(self, scope: _Scope) -> Iterator[str]:
        """Everybody named by a record that counts in a scope."""
        tag = self._tag(scope)
        for issuer, records in self._named.items():
            if any(record.property == tag for record in records):
                yield issuer

    def permits(self, scope: _Scope, issuer: str, use: _Use | None = None) -> bool:
        """Whether an issuer is not refused."""
        return self._judged(scope, issuer, self._named.get(issuer, ()), use or _Use())

    def uses(self, scope: _Scope, issuer: str, *, but_first: _Set | None = None) -> Iterator[_Use]:
        """The ways in which the records that name an issuer permit it.

        What `but_first` does not name comes first.
        """
        tag, seen = self._tag(scope), set[_Use]()
        known = {} if but_first is None else but_first._named.get(issuer, {})
        labels = {label for value in known.values() for label in _labels(value)}
        records = [each for each in self._named.get(issuer, {}) if each.property == tag]
        for record in sorted(records, key=lambda each: each in known):
            value = self._named[issuer][record]
            methods = sorted(_labels(value), key=lambda each: each in labels)[:_MOST_METHODS]
            accounts = value.named("accounturi")[:1] or (_ANY_ACCOUNT,)
            for use in (_Use(*each) for each in product(accounts, methods or [_ANY_METHOD])):
                if use not in seen and self._judged(scope, issuer, (record,), use):
                    seen.add(use)
                    yield use

    def _tag(self, scope: _Scope) -> str:
        some = [
            *self._nobody.values(),
            *(r for all_ in self._somebody.values() for r in all_.values()),
        ]
        return governing_tag(some, wildcard=scope.wildcard, purpose=scope.purpose)

    def _judged(
        self, scope: _Scope, issuer: str, records: Collection[CAARecord], use: _Use
    ) -> bool:
        if self._open:
            return True
        others = [
            record
            for some in self._somebody.values()
            for named, record in some.items()
            if named != issuer
        ]
        lookup = Lookup(
            name=_NAME,
            outcome=Outcome.RECORDS,
            records=(*self._forbidding, *records, *others, *self._nobody.values()),
            broken=self._broken,
        )
        request = Request(
            name=_NAME,
            issuers=(issuer,),
            wildcard=scope.wildcard,
            account_uri=use.account,
            method=use.method,
            purpose=scope.purpose,
        )
        found = RelevantSet(_NAME, _NAME, lookup, (lookup,))
        return evaluate_caa(found, request, _PROFILE).verdict is not CAAVerdict.DENIED


def _value(record: CAARecord) -> IssueValue | None:
    try:
        return parse_issue_value(record.value)
    except MalformedError:
        return None


def _labels(value: IssueValue) -> tuple[str, ...]:
    return tuple(
        label for text in value.named("validationmethods")[:1] for label in text.split(",")
    )

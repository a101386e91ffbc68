"""The two ways to meet a policy, rule by rule.

Every rule only gets better with more SCTs, so that it holds for certain if it does with those
that count for certain, and fails for certain if it does with all that could count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pinwarden.ct.log import LogKind
from pinwarden.ct.policy.counting import CountedSCT, Tally
from pinwarden.ct.policy.editions import Edition, Operators, Policy, Pool, Requirement
from pinwarden.ct.policy.result import RuleResult
from pinwarden.names import display

__all__ = ["EMBEDDED", "TLS_OR_OCSP", "Way", "ways_of"]

EMBEDDED = "embedded"
TLS_OR_OCSP = "tls-or-ocsp"
_LEAST_EXTERNAL = Requirement(2)
_GOOGLE = "Google"
_MOST_NAMED = 6

_Held = tuple[bool, str]
"""Whether a rule holds, and the numbers that say so."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to meet a policy, and how its rules turned out."""

    name: str
    rules: tuple[RuleResult, ...]

    @property
    def met(self) -> bool | None:
        """Whether all rules hold; None where it cannot be told."""
        outcomes = [rule.passed for rule in self.rules]
        if False in outcomes:
            return False
        return None if None in outcomes else True


def ways_of(
    policy: Policy, edition: Edition, tally: Tally, validity: tuple[datetime, datetime] | None
) -> tuple[Way, Way]:
    """Both ways, embedded SCTs first; `validity` is None if it cannot be read."""
    lifetime = None if validity is None else edition.lifetime.measure(*validity)

    def rules(embedded: bool) -> tuple[RuleResult, ...]:
        certain = _Counting(policy, edition, tally.certain, lifetime, embedded).rules()
        possible = _Counting(policy, edition, tally.possible, lifetime, embedded).rules()
        told = [_told(word, certain[word], possible[word], edition.source) for word in certain]
        if embedded and lifetime is None:
            told.append(
                RuleResult(
                    rule="lifetime",
                    passed=None,
                    reason="how long the certificate is valid cannot be read",
                    source=edition.source,
                )
            )
        return tuple(_with_remarks(told, tally.remarks))

    return Way(EMBEDDED, rules(True)), Way(TLS_OR_OCSP, rules(False))


def _told(word: str, certain: _Held, possible: _Held, source: str) -> RuleResult:
    """What one rule comes to; where it may hold all the same, the numbers are the least ones."""
    passed = True if certain[0] else None if possible[0] else False
    reason = f"{certain[1]} for certain" if passed is None else certain[1]
    return RuleResult(rule=word, passed=passed, reason=reason, source=source)


def _with_remarks(rules: Sequence[RuleResult], remarks: str) -> Iterator[RuleResult]:
    """Says once which SCTs do not count: where they are missed first."""
    missed = [rule.rule for rule in rules if not rule.passed]
    where = missed[0] if missed else ""
    for rule in rules:
        yield replace(rule, reason=rule.reason + remarks) if rule.rule == where else rule


class _Counting:
    """One way, counted with certain SCTs."""

    def __init__(
        self,
        policy: Policy,
        edition: Edition,
        scts: Sequence[CountedSCT],
        lifetime: float | None,
        embedded: bool,
    ) -> None:
        self._name = policy.name
        self._edition = edition
        self._embedded = embedded
        self._lifetime = lifetime
        self._current = [each for each in scts if each.current and each.embedded is embedded]
        self._counted = self._current
        self._together = self._current
        if embedded:
            self._required = self._embedded_requirement()
            self._counted = _once_or_now(scts)
            own = edition.pool is Pool.OWN or edition.operators is Operators.ANY
            self._together = self._counted if own else [each for each in scts if each.embedded]
        else:
            self._required = _LEAST_EXTERNAL
            if edition.pool is Pool.CURRENT:
                self._together = self._counted = [each for each in scts if each.current]
            elif edition.pool is Pool.ALL:
                self._together = self._counted = list(scts)

    def rules(self) -> dict[str, _Held]:
        """Every rule of the way by its word."""
        rules: dict[str, Callable[[], _Held]] = {
            "current-log": self._current_log,
            "sct-count": self._count,
        }
        if self._required.per_operator is not None:
            rules["per-operator-limit"] = self._per_operator
        if self._edition.operators is not Operators.ANY:
            rules["distinct-operators"] = self._operators
        if self._edition.rfc6962_log:
            rules["rfc6962-log"] = self._rfc6962
        return {word: rule() for word, rule in rules.items()}

    def _embedded_requirement(self) -> Requirement:
        """What is asked for; the least there is if the lifetime is not known."""
        return self._edition.requirement(0 if self._lifetime is None else self._lifetime)

    def _current_log(self) -> _Held:
        where = "in the certificate" if self._embedded else "beside the certificate"
        names = _names(each.log for each in self._current)
        if not names:
            return False, f"no SCT {where} is of a log that is approved"
        return True, f"an SCT {where} is of a log that is approved: {names}"

    def _count(self) -> _Held:
        found = len({each.log_id for each in self._counted})
        asked = self._required.scts
        if self._embedded and self._lifetime is not None:
            span = self._edition.span(self._lifetime)
            asking = f"a certificate of {span} needs SCTs of {asked} logs in it"
        else:
            asking = f"SCTs of {asked} logs are needed"
        return found >= asked, f"{asking}, and those of {found or 'none'} count"

    def _per_operator(self) -> _Held:
        most = self._required.per_operator
        assert most is not None
        operators = {each.log_id: each.operator for each in self._counted}
        found = sum(min(most, number) for number in Counter(operators.values()).values())
        return found >= self._required.scts, (
            f"of one operator no more than {most} count, which leaves {found} "
            f"of the {self._required.scts} SCTs needed ({_operators(self._counted)})"
        )

    def _operators(self) -> _Held:
        found = {each.operator for each in self._together if each.operator}
        who = _operators(self._together)
        if self._edition.operators is Operators.TWO:
            return len(found) >= 2, f"logs of 2 operators are needed, and there are: {who}"
        google = _GOOGLE in found and len(found) >= 2
        return (
            google,
            f"a log of Google and one of another operator are needed, and there are: {who}",
        )

    def _rfc6962(self) -> _Held:
        looked_at = self._together if self._edition.pool is Pool.ALL else self._counted
        names = _names(each.log for each in looked_at if each.kind is LogKind.RFC6962)
        if not names:
            return False, "one SCT has to be of an RFC 6962 log, and none is"
        return True, f"one SCT has to be of an RFC 6962 log: {names}"


def _once_or_now(scts: Sequence[CountedSCT]) -> list[CountedSCT]:
    """Embedded SCTs of logs approved now, or retired only after the certificate was issued.

    When that was is told by the earliest SCT of a log approved now, however it came.
    """
    issued = min((each.timestamp for each in scts if each.current), default=None)
    return [
        each
        for each in scts
        if each.embedded
        and (
            each.current
            or (
                issued is not None
                and each.retired_at is not None
                and max(issued, each.timestamp) < each.retired_at
            )
        )
    ]


def _operators(scts: Iterable[CountedSCT]) -> str:
    return _names(display(each.operator, 60) or "nobody that is named" for each in scts) or "none"


def _names(names: Iterable[str]) -> str:
    """Names as words of a sentence, each once."""
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - _MOST_NAMED
    if more > 0:
        distinct = [*distinct[:_MOST_NAMED], f"{more} more"]
    return " and ".join(filter(None, (", ".join(distinct[:-1]), *distinct[-1:])))

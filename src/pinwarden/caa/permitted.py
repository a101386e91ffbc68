"""Whom a relevant set lets issue, without asking for one CA in particular."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinwarden.caa.climb import RelevantSet, why_not_applicable
from pinwarden.caa.evaluate import Purpose, governing_tag, unknown_critical
from pinwarden.caa.judge import Terms, judge
from pinwarden.caa.lookup import Outcome
from pinwarden.caa.profiles import RFC8659, Profile
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import IssueValue, parse_issue_value
from pinwarden.errors import MalformedError


class Whom(StrEnum):
    """How far a set opens the door."""

    ANYONE = "anyone"
    LISTED = "listed"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Permitted:
    """Who may issue; `values` are the properties that let somebody issue, in their order."""

    whom: Whom
    values: tuple[IssueValue, ...] = ()


def evaluate_permitted(
    found: RelevantSet,
    *,
    wildcard: bool = False,
    purpose: Purpose = Purpose.TLS,
    profile: Profile = RFC8659,
) -> Permitted:
    """Whom the set authorises for one kind of certificate; never raises.

    Unknown where a question failed, and where only a record that cannot be read may
    stand between everybody and a certificate.
    """
    lookup = found.lookup
    if lookup is None or why_not_applicable(found.name) is not None:
        return Permitted(Whom.ANYONE)
    if lookup.outcome is Outcome.FAILED:
        return Permitted(Whom.UNKNOWN)
    if unknown_critical(lookup.records, profile.knowing(purpose.tag)):
        return Permitted(Whom.NOBODY)
    tag = governing_tag(lookup.records, wildcard=wildcard, purpose=purpose)
    governing = [record for record in lookup.records if record.property == tag]
    if not governing:
        return Permitted(Whom.UNKNOWN if lookup.broken else Whom.ANYONE)
    values = []
    for record in governing:
        try:
            value = parse_issue_value(record.value)
        except MalformedError:
            continue
        if value.issuer is not None and can_be_satisfied(record, value, wildcard, profile):
            values.append(value)
    return Permitted(Whom.LISTED if values else Whom.NOBODY, tuple(values))


def can_be_satisfied(
    record: CAARecord, value: IssueValue, wildcard: bool, profile: Profile = RFC8659
) -> bool:
    """Whether some account and method of the CA that a property names satisfy it (RFC 8657)."""
    if value.issuer is None:
        return False
    judgement = judge(record, Terms((value.issuer,), None, None, wildcard), profile)
    return judgement.reason is None or judgement.open

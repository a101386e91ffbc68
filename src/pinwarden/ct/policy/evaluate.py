"""The verdict of a policy at one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pinwarden.ct.policy.counting import Tally, tally_scts
from pinwarden.ct.policy.editions import Edition, Policy, Pool, edition_at, policy_rules
from pinwarden.ct.policy.result import BrowserPolicy, PolicyResult, RuleResult
from pinwarden.ct.policy.rules import EMBEDDED, Way, ways_of
from pinwarden.ct.policy.standing import ListDates, list_dates
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView

__all__ = ["evaluate_policies", "evaluate_policy"]


def evaluate_policy(
    policy: BrowserPolicy,
    certificate: CertificateView,
    scts: Sequence[JudgedSCT],
    at: datetime,
    lists: ListDates | None = None,
    *,
    complete: bool = True,
) -> PolicyResult:
    """Whether the SCTs of a certificate meet one policy at a time.

    What each log was to the program at that time comes from the listings of `JudgedSCT.log`.
    `lists` are the dates of the lists in use (`list_dates` of all their logs); without it the
    logs of the SCTs tell, and less can be told of a log that a program does not list.
    `complete` is False if it is not known what the server hands over beside the certificate:
    then what is there may be enough, but nothing can be too little. Never raises.
    """
    rules = policy_rules(policy)
    dates = _known_dates(scts) if lists is None else lists
    not_before, not_after = validity_of(certificate)
    edition = edition_at(rules, at, not_before, _earliest(scts))
    if edition is None:
        return _nothing_asked(policy, rules, at)
    tally = tally_scts(rules, edition, scts, dates, at, not_after)
    validity = None if not_before is None or not_after is None else (not_before, not_after)
    embedded, external = ways_of(rules, edition, tally, validity)
    if not complete:
        external = _unknown(external)
    way, compliant = _nearest((embedded, external), tally)
    notes = [
        *_notes_about_asking(rules, not_before),
        *_notes_about_age(rules, dates, at),
    ]
    if compliant and edition.pool is Pool.ALL:
        notes.extend(_notes_about_pooling(rules, edition, tally, validity))
    return PolicyResult(
        policy=policy,
        at=at,
        compliant=compliant,
        edition=edition.name,
        way=way.name,
        rules=way.rules,
        notes=tuple(notes),
    )


def evaluate_policies(
    certificate: CertificateView,
    scts: Sequence[JudgedSCT],
    at: datetime,
    lists: ListDates | None = None,
    *,
    complete: bool = True,
) -> tuple[PolicyResult, ...]:
    """All policies, in the order of `BrowserPolicy`; the rest as in `evaluate_policy`."""
    return tuple(
        evaluate_policy(policy, certificate, scts, at, lists, complete=complete)
        for policy in BrowserPolicy
    )


def validity_of(certificate: CertificateView) -> tuple[datetime | None, datetime | None]:
    """When a certificate begins and ends, each None if it cannot be read."""
    times: list[datetime | None] = []
    for name in ("not_before", "not_after"):
        try:
            times.append(getattr(certificate, name))
        except MalformedError:
            times.append(None)
    return times[0], times[1]


def _known_dates(scts: Sequence[JudgedSCT]) -> ListDates:
    return list_dates(each.log for each in scts if each.log is not None)


def _earliest(scts: Sequence[JudgedSCT]) -> datetime | None:
    return min(
        (
            each.sct.timestamp
            for each in scts
            if each.sct is not None and each.status is SCTStatus.VALID
        ),
        default=None,
    )


def _nothing_asked(policy: BrowserPolicy, rules: Policy, at: datetime) -> PolicyResult:
    first = rules.editions[0]
    rule = RuleResult(
        rule="asked",
        passed=True,
        reason=f"{rules.name} asked for no SCTs before {first.since:%Y-%m-%d}",
        source=first.source,
    )
    return PolicyResult(
        policy=policy,
        at=at,
        compliant=True,
        edition=f"{policy} before {first.since:%Y-%m-%d}",
        way=EMBEDDED,
        rules=(rule,),
    )


def _unknown(way: Way) -> Way:
    """A way on which more SCTs may have been handed over than were seen."""
    doubt = "; what the server hands over beside the certificate is not known"
    rules = [
        rule if rule.passed else replace(rule, passed=None, reason=rule.reason + doubt)
        for rule in way.rules
    ]
    return replace(way, rules=tuple(rules))


def _nearest(ways: tuple[Way, Way], tally: Tally) -> tuple[Way, bool | None]:
    """The way that was met, or could be, or came nearest."""
    embedded, external = ways
    for outcome in (True, None):
        for way in ways:
            if way.met is outcome:
                return way, outcome
    # As Chromium reports it: whoever hands over good SCTs lacks others, not certificates.
    handed_over = any(each.current and not each.embedded for each in tally.certain)
    return (external if handed_over else embedded), False


def _notes_about_asking(rules: Policy, not_before: datetime | None) -> list[str]:
    asked = rules.asked_from
    if asked is None or not_before is None or not_before >= asked:
        return []
    note = f"{rules.name} demands it of certificates issued from {asked:%Y-%m-%d} on"
    return [f"{note}, and this one is of {not_before:%Y-%m-%d}"]


def _notes_about_age(rules: Policy, dates: ListDates, at: datetime) -> list[str]:
    date = next((dates[each] for each in rules.programs if each in dates), None)
    if rules.list_lasts is None or date is None or at - date < rules.list_lasts:
        return []
    limit = f"while its list is older than {rules.list_lasts.days} days"
    return [f"the log list here is of {date:%Y-%m-%d}; {rules.name} itself asks nothing {limit}"]


def _notes_about_pooling(
    rules: Policy,
    edition: Edition,
    tally: Tally,
    validity: tuple[datetime, datetime] | None,
) -> list[str]:
    written = replace(edition, pool=Pool.OWN)
    if any(way.met for way in ways_of(rules, written, tally, validity)):
        return []
    written_policy = "has embedded SCTs and others each stand for themselves"
    return [f"{rules.name} accepts it as it is built, but its written policy {written_policy}"]

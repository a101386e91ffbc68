"""What the verdict of a policy will be later, as far as is known today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pinwarden.ct.log import Program
from pinwarden.ct.policy.editions import Policy, policy_rules
from pinwarden.ct.policy.evaluate import evaluate_policy, validity_of
from pinwarden.ct.policy.result import BrowserPolicy, Forecast
from pinwarden.ct.policy.standing import ListDates
from pinwarden.ct.presented import JudgedSCT
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView

__all__ = ["forecast_policy"]

# A list may give a log as many states as it likes, and every one costs an evaluation.
_MOST_MOMENTS = 100
_MOST_NAMED = 5


def forecast_policy(
    policy: BrowserPolicy,
    certificate: CertificateView,
    scts: Sequence[JudgedSCT],
    at: datetime,
    lists: ListDates | None = None,
    *,
    complete: bool = True,
) -> tuple[Forecast, ...]:
    """The days after `at`, and while the certificate is valid, on which the answer changes.

    Only what the lists and the policies announce is known: a log may be retired without.
    `lists` and `complete` are those of `evaluate_policy`. Never raises.
    """
    rules = policy_rules(policy)

    def compliant_at(moment: datetime) -> bool | None:
        return evaluate_policy(
            policy, certificate, scts, moment, lists, complete=complete
        ).compliant

    start, end = validity_of(certificate)
    first = at if start is None else max(at, start)
    changes: dict[datetime, list[str]] = {}
    for moment, change in (*_editions(rules), *_states(rules, scts)):
        if moment > first and (end is None or moment <= end):
            changes.setdefault(moment, []).append(change)
    compliant = compliant_at(first)
    forecasts = []
    for moment in sorted(changes)[:_MOST_MOMENTS]:
        then = compliant_at(moment)
        if then is not compliant:
            because = "; ".join(list(dict.fromkeys(changes[moment]))[:_MOST_NAMED])
            forecasts.append(Forecast(policy=policy, at=moment, compliant=then, because=because))
        compliant = then
    return tuple(forecasts)


def _editions(rules: Policy) -> Iterator[tuple[datetime, str]]:
    for edition in rules.editions:
        yield edition.since, f"the rules of {edition.name} begin"
        if edition.all_from is not None:
            yield edition.all_from, f"the rules of {edition.name} are for all certificates then"


def _states(rules: Policy, scts: Sequence[JudgedSCT]) -> Iterator[tuple[datetime, str]]:
    for judged in scts:
        log = judged.log
        if log is None:
            continue
        name = display(log.description, 60) or "a log without a name"
        for program in (*rules.programs, Program.USER):
            listing = log.listing(program)
            if listing is None:
                continue
            for state, since in (*listing.earlier, (listing.state, listing.since)):
                if since is not None:
                    yield since, f"{name} is {state} from {since:%Y-%m-%d} on"

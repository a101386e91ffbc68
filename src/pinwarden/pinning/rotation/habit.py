"""When the next renewal will be, by what was seen of the last ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

__all__ = ["Habit", "Issuance", "habit_of", "renewals_from"]

# What ACME clients do that are told nothing: renew when a third of the time is left.
_USUAL_SHARE = 3
# Several certificates of one day are one renewal: for two kinds of key, or tried twice.
_SAME = timedelta(days=2)
_MOST_RENEWALS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """One certificate of a host that was seen: its validity, and the hash of its key."""

    not_before: datetime
    not_after: datetime
    spki_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a host renews: every `period`, `lead` before the end.

    `renewals` counts those that were seen; none means that it is a guess from the
    lifetime of the certificate served. `new_keys` counts those that brought a new key.
    """

    period: timedelta
    lead: timedelta
    renewals: int = 0
    new_keys: int = 0


def habit_of(served: Issuance, seen: Iterable[Issuance]) -> Habit:
    """The habit shown by the certificates seen of a host, the one served among them."""
    issuances = _renewals({served, *seen})
    pairs = list(pairwise(issuances))
    if not pairs:
        lifetime = served.not_after - served.not_before
        lead = lifetime / _USUAL_SHARE
        return Habit(period=lifetime - lead, lead=lead)
    leads = [old.not_after - new.not_before for old, new in pairs]
    periods = [new.not_before - old.not_before for old, new in pairs]
    return Habit(
        period=_middle(periods),
        # One that came too late does not make the next one late.
        lead=max(_middle(leads), timedelta()),
        renewals=len(pairs),
        new_keys=sum(old.spki_sha256 != new.spki_sha256 for old, new in pairs),
    )


def _middle(spans: Iterable[timedelta]) -> timedelta:
    return timedelta(seconds=median(each.total_seconds() for each in spans))


def _renewals(issuances: Iterable[Issuance]) -> list[Issuance]:
    found: list[Issuance] = []
    for each in sorted(issuances, key=lambda each: (each.not_before, each.spki_sha256)):
        if found and each.not_before - found[-1].not_before < _SAME:
            continue
        found.append(each)
    return found


def renewals_from(served: Issuance, habit: Habit, start: datetime) -> datetime:
    """The first renewal to be expected at `start` or after it."""
    expected = served.not_after - habit.lead
    step = max(habit.period, timedelta(days=1))
    for _ in range(_MOST_RENEWALS):
        if expected >= start:
            break
        expected += step
    return max(expected, start)

"""Policies that go back and forth, which name servers or caches that disagree make.

A change and its way back are two changes, and told. From the second return on it is one
disagreement, told once, until one policy has lasted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pinwarden.caa.history.observation import Observation

QUIET = timedelta(hours=24)
"""How long one policy must last before a disagreement is over."""

REMEMBERED = 3 * QUIET
"""How far back observations matter here."""

_RETURNS = 2


def is_restless(seen: Sequence[Observation], at: datetime) -> bool:
    """Whether policies, oldest first, have gone back and forth shortly before a time."""
    flip = _last_flip(seen)
    # A clock may have been set back.
    return flip is not None and abs(at - flip) < QUIET


def is_calm(seen: Sequence[Observation], at: datetime) -> bool:
    """Whether no policy came back shortly before a time, not even in one look alone."""
    lately = [each for each in seen if abs(at - each.last_seen) < QUIET]
    return not _returns(_stretches(lately))


def _last_flip(seen: Sequence[Observation]) -> datetime | None:
    """When a policy last came back for at least the second time within `QUIET`."""
    stretches = _stretches(seen)
    # What one look alone showed was never taken for a change.
    lasting = [each for each in stretches[:-1] if each.count > 1] + stretches[-1:]
    flip = None
    returns: list[datetime] = []
    for back in _returns(_stretches(lasting)):
        returns = [each for each in returns if back - each < QUIET] + [back]
        if len(returns) >= _RETURNS:
            flip = back
    return flip


def _stretches(seen: Sequence[Observation]) -> list[Observation]:
    """Observations with those of equal policy joined that follow each other."""
    found: list[Observation] = []
    for each in seen:
        if found and found[-1].policy == each.policy:
            count = found[-1].count + each.count
            found[-1] = replace(found[-1], last_seen=each.last_seen, count=count)
        else:
            found.append(each)
    return found


def _returns(stretches: Sequence[Observation]) -> list[datetime]:
    """When a policy began that had been there before another one."""
    known, found = set(), []
    for each in stretches:
        if each.policy in known:
            found.append(each.first_seen)
        known.add(each.policy)
    return found

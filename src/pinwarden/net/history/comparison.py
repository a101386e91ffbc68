"""Our store held against other sources of history: what either lacks of the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pinwarden.issuances import PastIssuance
from pinwarden.net.history.joining import merge_issuances

__all__ = ["Compared", "Standing", "compare_histories"]

# A log may take a day to show what it promised: the maximum merge delay of all of them.
_MERGE_DELAY = timedelta(hours=24)


class Standing(StrEnum):
    """Where one issuance stands between our store and the others.

    Only MISSING is a fault of ours: it appeared while we watched, and is not in the store.
    """

    BOTH = "both"
    MISSING = "missing"
    TOO_NEW = "too-new"
    BEFORE_WATCHING = "before-watching"
    OURS_ONLY = "ours-only"
    OURS_ONLY_ENDED = "ours-only-ended"


@dataclass(frozen=True, slots=True)
class Compared:
    """One issuance, who told of it, and where it stands."""

    standing: Standing
    issuance: PastIssuance
    told: tuple[PastIssuance, ...]


def compare_histories(
    groups: Iterable[Sequence[PastIssuance]], *, began: datetime | None, at: datetime
) -> list[Compared]:
    """What `join_issuances` made of our store (`source` is "store") and the others.

    `began` is when the store began to watch; None if it does not say, and then everything
    should have been seen.
    """
    return [
        Compared(_standing(tuple(group), began, at), merge_issuances(group), tuple(group))
        for group in groups
    ]


def _standing(group: tuple[PastIssuance, ...], began: datetime | None, at: datetime) -> Standing:
    ours = any(each.source == "store" for each in group)
    theirs = any(each.source != "store" for each in group)
    if ours and theirs:
        return Standing.BOTH
    if ours:
        ended = all(each.not_after < at for each in group)
        return Standing.OURS_ONLY_ENDED if ended else Standing.OURS_ONLY
    # When a log first had it, if it is told: an old certificate may be logged late.
    appeared = min(each.seen or each.not_before for each in group)
    if began is not None and appeared < began:
        return Standing.BEFORE_WATCHING
    return Standing.TOO_NEW if appeared > at - _MERGE_DELAY else Standing.MISSING

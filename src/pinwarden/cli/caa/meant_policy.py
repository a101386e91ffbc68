"""A policy of records that are not in DNS yet, to be tried on history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from pinwarden.caa.backtest import Policy
from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.lookup import Lookup, Outcome
from pinwarden.caa.record import CAARecord

__all__ = ["is_within", "policy_of_records"]

# DNS has room for no more labels (RFC 1035 section 2.3.4).
_MOST_LABELS = 128


def policy_of_records(sets: Mapping[str, Sequence[CAARecord]]) -> Policy:
    """The policy of these sets at their names, each for what is below it too.

    It is not about names elsewhere, and knows of no other records: a set that stands in DNS
    between one of the names and a name below it is not seen.
    """
    lookups = {
        name: Lookup(name=name, outcome=Outcome.RECORDS, records=tuple(records))
        for name, records in sets.items()
    }

    def find(name: str) -> RelevantSet | None:
        for above in _upwards(name):
            if above in lookups:
                return RelevantSet(name, above, lookups[above], (lookups[above],))
        return None

    return find


def is_within(name: str, names: AbstractSet[str]) -> bool:
    """Whether a name is one of these or below one."""
    return any(above in names for above in _upwards(name))


def _upwards(name: str) -> Iterable[str]:
    labels = name.split(".")[-_MOST_LABELS:]
    return (".".join(labels[place:]) for place in range(len(labels)))

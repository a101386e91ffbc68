"""Relevant sets and requests in one line each."""

from __future__ import annotations

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.presentation import read_presentation
from pinwarden.caa.record import CAARecord


def answered(name: str, *texts: str) -> Lookup:
    """The answer that holds these records, in presentation form; none of them: no data."""
    records = tuple(map(read_presentation, texts))
    return Lookup(
        name=name,
        outcome=Outcome.RECORDS if records else Outcome.NO_DATA,
        records=tuple(each for each in records if isinstance(each, CAARecord)),
        broken=tuple(each for each in records if not isinstance(each, CAARecord)),
        ttl=300,
        dnssec=DNSSECState.INSECURE,
    )


def failed(
    name: str,
    failure: Failure = Failure.SERVFAIL,
    *,
    dnssec: DNSSECState = DNSSECState.INDETERMINATE,
    attempts: int = 1,
) -> Lookup:
    """A question that was not answered."""
    return Lookup(
        name=name,
        outcome=Outcome.FAILED,
        failure=failure,
        problem=f"the server answered {failure}",
        dnssec=dnssec,
        attempts=attempts,
    )


def found_at(name: str, *texts: str) -> RelevantSet:
    """A set found where it was asked for first."""
    lookup = answered(name, *texts)
    return RelevantSet(name, name, lookup, (lookup,))


def failed_at(lookup: Lookup) -> RelevantSet:
    """A search that ended at once, without an answer."""
    return RelevantSet(lookup.name, lookup.name, lookup, (lookup,))

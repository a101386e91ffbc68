"""What was seen of a name's CAA policy, and when; equal looks in a row are one observation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.presentation import read_presentation, to_generic, to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.errors import MalformedError

LONGEST_GAP = timedelta(hours=8)
"""Looks further apart than this are two observations, however equal.

It is the time for which a CA may rely on a CAA answer (TLS Baseline Requirements, section
3.2.2.8): a policy that came and went between two looks could have been used.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A policy, or a failure to learn it, from `first_seen` to `last_seen` in `count` looks.

    `name` is without `*.`; `relevant_name` is where the set was found or the lookup
    failed, None where there was no set. `records` are in presentation form, and
    those without tag and value in the generic form of RFC 3597. `ttl` is the greatest
    seen, in seconds. `longest_gap` is the longest time between two looks. `resolver`
    says who was asked.
    """

    name: str
    relevant_name: str | None
    records: tuple[str, ...] = ()
    ttl: int | None = None
    dnssec: DNSSECState = DNSSECState.INDETERMINATE
    failure: Failure | None = None
    problem: str = ""
    resolver: str = ""
    first_seen: datetime
    last_seen: datetime
    count: int = 1
    longest_gap: timedelta = timedelta(0)

    @property
    def policy(self) -> tuple[str | None, frozenset[str]]:
        """What was seen, to be compared: where the set stands, and what is in it."""
        return self.relevant_name, frozenset(self.records)

    @property
    def failed(self) -> bool:
        """Whether the policy could not be learnt."""
        return self.failure is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastObserved:
    """The newest known of a name through one resolver.

    `policy` is the last policy seen, however long ago; `failing_since` when the lookups
    began to fail that have failed from then on, None if the last one succeeded. `recent`
    are the policies seen of late, oldest first, with `policy` as the last of them.
    """

    name: str
    resolver: str
    policy: Observation | None
    failing_since: datetime | None = None
    recent: tuple[Observation, ...] = ()


def observation_of(found: RelevantSet, at: datetime, resolver: str = "") -> Observation:
    """One look: the outcome of a search, at a moment."""
    lookup = found.lookup
    if lookup is None:
        ttls = [step.ttl for step in found.steps if step.ttl is not None]
        ttl = max(ttls, default=None)
    else:
        ttl = None if found.failed else lookup.ttl
    failing = lookup if lookup is not None and found.failed else None
    records: list[CAARecord | BrokenRecord] = []
    if lookup is not None and failing is None:
        records += [*lookup.records, *lookup.broken]
    return Observation(
        name=found.name,
        relevant_name=found.relevant_name,
        records=presentation_of(records),
        ttl=ttl,
        dnssec=found.dnssec,
        failure=None if failing is None else failing.failure or Failure.OTHER_RCODE,
        problem="" if failing is None else failing.problem,
        resolver=resolver,
        first_seen=at,
        last_seen=at,
    )


def presentation_of(records: Iterable[CAARecord | BrokenRecord]) -> tuple[str, ...]:
    """Records as text, in an order of their own: name servers give them in any."""
    return tuple(sorted({record_text(record) for record in records}))


def record_text(record: CAARecord | BrokenRecord) -> str:
    """One record in presentation form, or in the generic form if it has no tag and value."""
    return to_generic(record) if isinstance(record, BrokenRecord) else to_presentation(record)


def found_of(observation: Observation) -> RelevantSet:
    """The outcome of the search that was observed, as far as it was kept."""
    if observation.relevant_name is None and not observation.failed:
        return RelevantSet(observation.name)
    where = observation.relevant_name or observation.name
    if observation.failed:
        lookup = Lookup(
            name=where,
            outcome=Outcome.FAILED,
            failure=observation.failure,
            problem=observation.problem,
            dnssec=observation.dnssec,
        )
        return RelevantSet(observation.name, where, lookup, (lookup,))
    records, broken = _records_of(observation.records)
    lookup = Lookup(
        name=where,
        outcome=Outcome.RECORDS,
        records=records,
        broken=broken,
        ttl=observation.ttl,
        dnssec=observation.dnssec,
    )
    return RelevantSet(observation.name, where, lookup, (lookup,))


def _records_of(
    texts: Iterable[str],
) -> tuple[tuple[CAARecord, ...], tuple[BrokenRecord, ...]]:
    records, broken = [], []
    for text in texts:
        try:
            record = read_presentation(text)
        except MalformedError as error:
            # Not written by us; it must weigh as something unreadable, never as nothing.
            record = BrokenRecord(text.encode(errors="surrogateescape"), str(error))
        if isinstance(record, BrokenRecord):
            broken.append(record)
        else:
            records.append(record)
    return tuple(records), tuple(broken)


def is_continued(before: Observation, after: Observation) -> bool:
    """Whether a look shows what the observation before it did, and came soon enough.

    One failure is like another, but for DNSSEC: the words and the server vary.
    """
    if (before.name, before.resolver) != (after.name, after.resolver):
        return False
    # Of two looks that far apart in the wrong order one has a wrong time.
    if abs(after.first_seen - before.last_seen) > LONGEST_GAP:
        return False
    if before.failed or after.failed:
        bogus = Failure.BOGUS
        return (
            before.failed
            and after.failed
            and (before.failure is bogus) == (after.failure is bogus)
            and before.relevant_name == after.relevant_name
        )
    return before.policy == after.policy and before.dnssec is after.dnssec


def continued(before: Observation, after: Observation) -> Observation:
    """The observation that a look prolongs."""
    ttls = [ttl for ttl in (before.ttl, after.ttl) if ttl is not None]
    gap = max(after.first_seen - before.last_seen, timedelta(0))
    return replace(
        before,
        first_seen=min(before.first_seen, after.first_seen),
        ttl=max(ttls, default=None),
        last_seen=max(before.last_seen, after.last_seen),
        count=before.count + after.count,
        longest_gap=max(before.longest_gap, gap, after.longest_gap),
    )

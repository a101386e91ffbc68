"""Reading sightings back, for lists, for alerts and for one who wants all of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from pinwarden.store import schema
from pinwarden.store.contract import DeliveryState, SightingFilter, StoredSighting, Totals
from pinwarden.store.sightings import sighting_of
from pinwarden.store.upsert import chunks
from pinwarden.watch.sighting import LogReference

_SIGHTING = schema.sighting.c

LISTED = tuple(column for column in schema.sighting.columns if column.name != "der")
"""The columns of a sighting that a list needs."""


def list_sightings(
    connection: Connection, chosen: SightingFilter, limit: int
) -> tuple[StoredSighting, ...]:
    """A page of sightings, without their bytes."""
    query = _filtered(select(*LISTED), chosen).limit(limit)
    return _stored(connection, connection.execute(query).all())


def load_sighting(connection: Connection, which: int | bytes) -> StoredSighting | None:
    """One sighting with its bytes, by id or issuance key."""
    by = _SIGHTING.key if isinstance(which, bytes) else _SIGHTING.id
    rows = connection.execute(select(schema.sighting).where(by == which)).all()
    return next(iter(_stored(connection, rows)), None)


def load_references(
    connection: Connection, ids: Sequence[int]
) -> dict[int, tuple[LogReference, ...]]:
    """Where the issuances of these ids were seen, in the order they were."""
    entry, position = schema.entry.c, schema.position.c
    query = (
        select(schema.entry, position.description, position.url, _verified().label("verified"))
        .join(schema.position, entry.log_id == position.log_id)
        .order_by(entry.id)
    )
    found: defaultdict[int, list[LogReference]] = defaultdict(list)
    for some in chunks(ids):
        for row in connection.execute(query.where(entry.sighting_id.in_(some))):
            found[row.sighting_id].append(_reference(row))
    return {sighting_id: tuple(references) for sighting_id, references in found.items()}


def totals(connection: Connection) -> Totals:
    """How much there is."""
    delivery = schema.delivery.c
    states = select(delivery.state, func.count().label("many")).group_by(delivery.state)
    deliveries = {row.state: row.many for row in connection.execute(states)}
    owed = (DeliveryState.DUE.value, DeliveryState.SENDING.value)
    alert, finding = schema.alert, schema.finding
    return Totals(
        sightings=_count(connection, select(func.count()).select_from(schema.sighting)),
        alerts=_count(connection, select(func.count()).select_from(alert)),
        alerts_open=_count(connection, select(func.count()).where(alert.c.ack_at.is_(None))),
        findings_open=_count(connection, select(func.count()).where(finding.c.resolved.is_(None))),
        deliveries_due=sum(deliveries.get(state, 0) for state in owed),
        deliveries_dead=deliveries.get(DeliveryState.DEAD.value, 0),
    )


def _count(connection: Connection, query: Select[Any]) -> int:
    found: int = connection.execute(query).scalar_one()
    return found


def _verified() -> Any:
    entry, position = schema.entry.c, schema.position.c
    return (
        (entry.number < position.verified_size)
        & (entry.number >= position.start_index)
        & ~entry.refuted
    )


def _filtered(query: Select[Any], chosen: SightingFilter) -> Select[Any]:
    number: Any = _SIGHTING.id
    if chosen.matched is not None:
        match = schema.sighting_match.c
        number = match.sighting_id
        query = query.join(schema.sighting_match, number == _SIGHTING.id)
        query = query.where(match.item == chosen.matched)
    if chosen.verdict is not None:
        query = query.where(_SIGHTING.verdict == chosen.verdict.value)
    # Pages are in the order of ids. The bounds on ids, found in the index of times,
    # spare a walk over all that was seen outside of the times asked for. A sum
    # keeps SQLite from looking for the least id by that same walk.
    if chosen.since is not None:
        within = _SIGHTING.first_seen >= chosen.since
        first = select(func.min(_SIGHTING.id + 0)).where(within).scalar_subquery()
        query = query.where(within, number >= first)
    if chosen.before is not None:
        within = _SIGHTING.first_seen < chosen.before
        last = select(func.max(_SIGHTING.id + 0)).where(within).scalar_subquery()
        query = query.where(within, number <= last)
    if chosen.after is not None:
        query = query.where(number < chosen.after if chosen.newest_first else number > chosen.after)
    return query.order_by(number.desc() if chosen.newest_first else number)


def _stored(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[StoredSighting, ...]:
    references = load_references(connection, [row.id for row in rows])
    return tuple(
        StoredSighting(
            id=row.id,
            sighting=sighting_of(row, references[row.id][0]),
            references=references[row.id],
            first_seen=row.first_seen,
        )
        for row in rows
    )


def _reference(row: Row[Any]) -> LogReference:
    return LogReference(
        log_id=row.log_id,
        log=row.description,
        url=row.url,
        index=row.number,
        timestamp=row.timestamp,
        entry_type=row.entry_type,
        leaf_hash=row.leaf_hash,
        verified=bool(row.verified),
    )

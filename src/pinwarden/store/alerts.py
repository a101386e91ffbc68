"""Alerts: made once for a cause, owed to channels, acknowledged by people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pinwarden.errors import StoreError
from pinwarden.store import schema
from pinwarden.store.contract import (
    Acknowledgement,
    DeliveryState,
    DeliveryStatus,
    StoredAlert,
)
from pinwarden.store.findings import finding_of, load_evidence
from pinwarden.store.reads import LISTED, load_references
from pinwarden.store.sightings import sighting_of
from pinwarden.store.upsert import chunks, insert_new
from pinwarden.watch.sighting import Alert

_TABLE = schema.alert.c


def make_alerts(
    connection: Connection,
    *,
    sightings: Iterable[int] = (),
    findings: Iterable[int] = (),
    at: datetime,
    channels: Collection[str],
) -> int:
    """Alert for causes that have none yet, and owe each alert to each channel."""
    causes = [{"sighting_id": cause, "finding_id": None, "created": at} for cause in sightings]
    causes += [{"sighting_id": None, "finding_id": cause, "created": at} for cause in findings]
    made = insert_new(connection, schema.alert, causes, _TABLE.id)
    owed = [
        {
            "alert_id": alert_id,
            "channel": channel,
            "state": DeliveryState.DUE.value,
            "at": at,
            "attempts": 0,
            "again": False,
        }
        for alert_id in sorted(row.id for row in made)
        for channel in channels
    ]
    insert_new(connection, schema.delivery, owed)
    return len(made)


def load_alerts(
    connection: Connection, ids: Sequence[int], *, listed: bool = False
) -> dict[int, Alert]:
    """Alerts with everything there is to say about them; `listed`, without certificates."""
    loaded: dict[int, Alert] = {}
    for some in chunks(sorted(ids)):
        rows = connection.execute(
            select(schema.alert).where(_TABLE.id.in_(some)).order_by(_TABLE.id)
        ).all()
        seen = [row for row in rows if row.sighting_id is not None]
        loaded |= _of_sightings(connection, seen, listed)
        loaded |= _of_findings(connection, [row for row in rows if row.finding_id is not None])
    return loaded


def list_alerts(
    connection: Connection,
    *,
    acknowledged: bool | None,
    limit: int,
    after: int | None,
    newest_first: bool,
) -> tuple[StoredAlert, ...]:
    """A page of alerts."""
    query = select(schema.alert).limit(limit)
    query = query.order_by(_TABLE.id.desc() if newest_first else _TABLE.id)
    if acknowledged is not None:
        query = query.where(_TABLE.ack_at.is_not(None) if acknowledged else _TABLE.ack_at.is_(None))
    if after is not None:
        query = query.where(_TABLE.id < after if newest_first else _TABLE.id > after)
    return _stored(connection, connection.execute(query).all(), listed=True)


def load_alert(connection: Connection, alert_id: int) -> StoredAlert | None:
    """One alert."""
    rows = connection.execute(select(schema.alert).where(_TABLE.id == alert_id)).all()
    return next(iter(_stored(connection, rows, listed=False)), None)


def acknowledge(connection: Connection, alert_id: int, taken: Acknowledgement) -> bool:
    """Take note of an alert that nobody took note of; False if somebody did."""
    done = connection.execute(
        update(schema.alert)
        .where(_TABLE.id == alert_id, _TABLE.ack_at.is_(None))
        .values(ack_who=taken.who, ack_why=taken.why, ack_at=taken.at)
    ).rowcount
    known = select(_TABLE.id).where(_TABLE.id == alert_id)
    if not done and connection.execute(known).first() is None:
        raise StoreError(f"alert {alert_id}: there is no such alert")
    return bool(done)


def _of_sightings(
    connection: Connection, alerts: Sequence[Row[Any]], listed: bool
) -> dict[int, Alert]:
    ids = [row.sighting_id for row in alerts]
    columns = LISTED if listed else tuple(schema.sighting.columns)
    query = select(*columns).where(schema.sighting.c.id.in_(ids))
    sightings = {row.id: row for row in connection.execute(query)}
    references = load_references(connection, ids)
    return {
        row.id: Alert(
            id=row.id,
            key=f"issuance:{sightings[row.sighting_id].key.hex()}",
            created=row.created,
            sighting=sighting_of(sightings[row.sighting_id], references[row.sighting_id][0]),
            references=references[row.sighting_id],
        )
        for row in alerts
    }


def _of_findings(connection: Connection, alerts: Sequence[Row[Any]]) -> dict[int, Alert]:
    ids = [row.finding_id for row in alerts]
    query = select(schema.finding).where(schema.finding.c.id.in_(ids))
    findings = {row.id: row for row in connection.execute(query)}
    evidence = load_evidence(connection, ids)
    return {
        row.id: Alert(
            id=row.id,
            key=_finding_key(findings[row.finding_id]),
            created=row.created,
            finding=finding_of(findings[row.finding_id], evidence.get(row.finding_id, ())),
        )
        for row in alerts
    }


def _finding_key(row: Row[Any]) -> str:
    # One that came back after it was resolved is news, so a receiver that drops
    # repeated keys must be able to tell it from the first.
    key = f"finding:{row.kind}:{row.subject}"
    return key if row.episode == 1 else f"{key}#{row.episode}"


def _stored(
    connection: Connection, rows: Sequence[Row[Any]], *, listed: bool
) -> tuple[StoredAlert, ...]:
    ids = [row.id for row in rows]
    alerts = load_alerts(connection, ids, listed=listed)
    deliveries = _statuses(connection, ids)
    return tuple(
        StoredAlert(
            alert=alerts[row.id],
            deliveries=deliveries.get(row.id, ()),
            acknowledgement=None
            if row.ack_at is None
            else Acknowledgement(who=row.ack_who, why=row.ack_why, at=row.ack_at),
        )
        for row in rows
    )


def _statuses(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[DeliveryStatus, ...]]:
    table = schema.delivery.c
    query = select(schema.delivery).order_by(table.id)
    found: defaultdict[int, list[DeliveryStatus]] = defaultdict(list)
    for some in chunks(ids):
        for row in connection.execute(query.where(table.alert_id.in_(some))):
            status = DeliveryStatus(
                channel=row.channel,
                state=DeliveryState(row.state),
                attempts=row.attempts,
                at=row.at,
                error=row.error,
            )
            found[row.alert_id].append(status)
    return {alert_id: tuple(statuses) for alert_id, statuses in found.items()}

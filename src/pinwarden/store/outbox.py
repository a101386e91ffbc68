"""What is owed to channels: due, being sent, sent, or given up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, or_, select, update

from pinwarden.store import schema
from pinwarden.store.alerts import load_alerts
from pinwarden.store.contract import Delivery, DeliveryState
from pinwarden.store.upsert import chunks
from pinwarden.watch.sighting import SightingKind

# No channel takes longer than this for one message. A delivery under way for
# longer belongs to a process that hangs, or died on a machine we cannot ask.
_LONGEST_SENDING = timedelta(minutes=15)

_TABLE = schema.delivery.c


def due(connection: Connection, channel: str, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """The oldest deliveries that may be tried, those about unreadable entries last.

    A log could be filled with junk to delay the alert that matters.
    """
    is_junk = case((schema.sighting.c.kind == SightingKind.UNREADABLE.value, 1), else_=0)
    rows = connection.execute(
        select(schema.delivery)
        .join(schema.alert, schema.alert.c.id == _TABLE.alert_id)
        .outerjoin(schema.sighting, schema.sighting.c.id == schema.alert.c.sighting_id)
        .where(_TABLE.channel == channel, _TABLE.state == DeliveryState.DUE.value, _TABLE.at <= now)
        .order_by(is_junk, _TABLE.at, _TABLE.id)
        .limit(limit)
    ).all()
    alerts = load_alerts(connection, [row.alert_id for row in rows])
    return tuple(
        Delivery(
            id=row.id,
            channel=row.channel,
            attempts=row.attempts,
            alert=replace(alerts[row.alert_id], again=row.again),
        )
        for row in rows
    )


def next_due(connection: Connection, channels: Collection[str]) -> datetime | None:
    """The earliest time at which something owed to these channels may be tried."""
    times = [
        connection.execute(
            select(func.min(_TABLE.at)).where(
                _TABLE.channel == channel, _TABLE.state == DeliveryState.DUE.value
            )
        ).scalar()
        for channel in dict.fromkeys(channels)
    ]
    return min((time for time in times if time is not None), default=None)


def begin(
    connection: Connection, ids: Collection[int], sender: str, at: datetime
) -> frozenset[int]:
    """Take due deliveries to send; those not returned are another's."""
    taken: list[int] = []
    for some in chunks(sorted(ids)):
        statement = (
            update(schema.delivery)
            .where(_TABLE.id.in_(some), _TABLE.state == DeliveryState.DUE.value)
            .values(
                state=DeliveryState.SENDING.value,
                sender=sender,
                at=at,
                attempts=_TABLE.attempts + 1,
            )
            .returning(_TABLE.id)
        )
        taken += connection.execute(statement).scalars()
    return frozenset(taken)


def sent(connection: Connection, ids: Collection[int], at: datetime) -> None:
    """Mark as taken by the channel: a fact, whoever may have the delivery by now."""
    for some in chunks(sorted(ids)):
        connection.execute(
            update(schema.delivery)
            .where(_TABLE.id.in_(some))
            .values(state=DeliveryState.SENT.value, at=at, error=None, sender=None)
        )


def not_sent(
    connection: Connection,
    ids: Collection[int],
    sender: str,
    state: DeliveryState,
    error: str,
    at: datetime,
) -> None:
    """Make due again at `at`, or dead since then, what this sender has not sent."""
    for some in chunks(sorted(ids)):
        connection.execute(
            update(schema.delivery)
            .where(
                _TABLE.id.in_(some),
                or_(
                    _TABLE.state == DeliveryState.DUE.value,
                    (_TABLE.state == DeliveryState.SENDING.value) & (_TABLE.sender == sender),
                ),
            )
            .values(state=state.value, at=at, error=error, sender=None)
        )


def recover(connection: Connection, sender: str, now: datetime, alone: bool) -> int:
    """Make due again what others were sending: all of it if `alone`, else what took too long."""
    orphaned: list[Any] = [
        _TABLE.state == DeliveryState.SENDING.value,
        _TABLE.sender != sender,
    ]
    if not alone:
        orphaned.append(_TABLE.at <= now - _LONGEST_SENDING)
    return connection.execute(
        update(schema.delivery)
        .where(*orphaned)
        .values(state=DeliveryState.DUE.value, at=now, again=True, sender=None)
    ).rowcount

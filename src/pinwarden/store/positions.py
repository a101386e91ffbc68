"""Positions in logs, heads waiting to be verified, and named values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from pinwarden.errors import quoted
from pinwarden.store import schema
from pinwarden.store.contract import LogPosition, PendingHead, StalePositionError
from pinwarden.store.upsert import insert, insert_new

_TABLE = schema.position.c

# What a step was computed from. Name, address and time of writing say nothing
# about how far the log was read, so they may change under a writer's feet.
_COMPARED = (
    "start_index",
    "size",
    "frontier",
    "verified_size",
    "verified_root",
    "verified_frontier",
    "head",
    "head_timestamp",
)

_MOVE = update(schema.position).where(
    _TABLE.log_id == bindparam("was_log_id"),
    *(_TABLE[name].is_not_distinct_from(bindparam(f"was_{name}")) for name in _COMPARED),
)


def move_position(connection: Connection, before: LogPosition | None, after: LogPosition) -> None:
    """Compare and set; raises `StalePositionError` where the stored position is not `before`."""
    if before is None:
        moved = len(insert_new(connection, schema.position, [_row(after)], _TABLE.log_id))
    elif before.log_id != after.log_id:
        raise ValueError("a step moves along one log")
    else:
        was = {f"was_{name}": getattr(before, name) for name in ("log_id", *_COMPARED)}
        values = _row(after)
        del values["log_id"]
        moved = connection.execute(_MOVE, was | values).rowcount
    if moved != 1:
        raise StalePositionError(
            f"log {quoted(after.description)}: its position in the store moved since it was read",
            hint="another pinwarden follows the same log in the same store; stop one of them",
        )


def load_positions(connection: Connection) -> tuple[LogPosition, ...]:
    """Every position, by description."""
    found = connection.execute(select(schema.position).order_by(_TABLE.description, _TABLE.log_id))
    return tuple(_position(row) for row in found)


def load_position(connection: Connection, log_id: bytes) -> LogPosition | None:
    """One position."""
    row = connection.execute(select(schema.position).where(_TABLE.log_id == log_id)).one_or_none()
    return None if row is None else _position(row)


def save_heads(connection: Connection, heads: Iterable[PendingHead]) -> None:
    """Keep pending heads; of one size and root the newest."""
    rows = [_head_row(head) for head in heads]
    if not rows:
        return
    statement = insert(connection, schema.pending_head)
    newer = {name: statement.excluded[name] for name in ("timestamp", "source", "raw", "seen")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["log_id", "size", "root"],
            set_=newer,
            where=statement.excluded.timestamp > schema.pending_head.c.timestamp,
        ),
        rows,
    )


def load_heads(connection: Connection, log_id: bytes) -> tuple[PendingHead, ...]:
    """The pending heads of one log, smallest first."""
    table = schema.pending_head
    found = connection.execute(
        select(table).where(table.c.log_id == log_id).order_by(table.c.size, table.c.timestamp)
    )
    return tuple(PendingHead(**row) for row in found.mappings())


def drop_heads(connection: Connection, heads: Iterable[PendingHead]) -> None:
    """Forget pending heads."""
    table = schema.pending_head.c
    known = [{"of": head.log_id, "at": head.size, "is": head.root} for head in heads]
    if known:
        connection.execute(
            delete(schema.pending_head).where(
                table.log_id == bindparam("of"),
                table.size == bindparam("at"),
                table.root == bindparam("is"),
            ),
            known,
        )


def load_meta(connection: Connection, key: str) -> str | None:
    """A named value."""
    table = schema.meta.c
    return connection.execute(select(table.value).where(table.key == key)).scalar()


def save_meta(connection: Connection, key: str, value: str) -> None:
    """Set a named value."""
    statement = insert(connection, schema.meta).values(key=key, value=value)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"value": statement.excluded.value}
        )
    )


def _row(position: LogPosition) -> dict[str, Any]:
    return {column.name: getattr(position, column.name) for column in schema.position.columns}


def _position(row: Row[Any]) -> LogPosition:
    return LogPosition(**row._mapping)


def _head_row(head: PendingHead) -> dict[str, Any]:
    return {column.name: getattr(head, column.name) for column in schema.pending_head.columns}

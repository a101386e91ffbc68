"""Writing what may be there already: the one place where SQLite and PostgreSQL differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

_T = TypeVar("_T")

# Well below the number of parameters that either database takes in one statement.
_CHUNK = 500


def chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Values in pieces that fit an IN (…)."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, for the database of this connection."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_new(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *returned: Column[Any]
) -> Sequence[Row[Any]]:
    """Insert the rows that break no uniqueness; `returned` columns of those inserted."""
    if not rows:
        return ()
    statement = insert(connection, table).on_conflict_do_nothing()
    if returned:
        return connection.execute(statement.returning(*returned), list(rows)).all()
    connection.execute(statement, list(rows))
    return ()

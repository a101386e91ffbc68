"""How values lie in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import StatementError

from pinwarden.store.columns import ForeignText, TextList, TextPairs, UTCDateTime

_TABLE = Table(
    "shelf",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", ForeignText),
    Column("list", TextList),
    Column("pairs", TextPairs),
    Column("time", UTCDateTime),
)

# All of Unicode, lone surrogates too.
_TEXT = st.text(st.characters(), max_size=20) | st.text(st.sampled_from("\\u0d8f\x00\ud800\udfff"))
_ZONES = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(timezone)
_TIMES = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=_ZONES | st.just(UTC),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """A database with one table of every type."""
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        _TABLE.create(opened)
        yield opened
    engine.dispose()


@settings(deadline=None)
@given(_TEXT, st.lists(_TEXT, max_size=5), st.lists(st.tuples(_TEXT, _TEXT), max_size=5))
def test_any_text_comes_back(
    connection: Connection, text: str, texts: list[str], pairs: list[tuple[str, str]]
) -> None:
    """Text of any characters is returned unchanged, and found by equality."""
    row = {"text": text, "list": tuple(texts), "pairs": tuple(pairs)}
    connection.execute(insert(_TABLE), row)
    found = connection.execute(select(_TABLE).where(_TABLE.c.text == text)).first()
    assert found is not None
    assert {name: found._mapping[name] for name in row} == row
    connection.rollback()


@settings(deadline=None)
@given(_TIMES, _TIMES)
def test_times_sort_as_times(connection: Connection, one: datetime, two: datetime) -> None:
    """A time in any zone comes back as the same moment in UTC, and compares as one in SQL."""
    connection.execute(insert(_TABLE), [{"id": 1, "time": one}])
    found = connection.execute(select(_TABLE.c.time)).scalar_one()
    assert found == one
    assert found.tzinfo is UTC
    earlier = connection.execute(select(_TABLE.c.id).where(_TABLE.c.time < two)).first()
    assert (earlier is not None) == (one < two)
    connection.rollback()


def test_none_stays_none(connection: Connection) -> None:
    """A missing value of any type is missing when it comes back."""
    connection.execute(insert(_TABLE), {"id": 1})
    assert connection.execute(select(_TABLE)).one() == (1, None, None, None, None)
    connection.rollback()


def test_a_time_without_a_zone_is_refused(connection: Connection) -> None:
    """A naive time is somebody's mistake, and nobody's UTC."""
    with pytest.raises(StatementError, match="without a zone"):
        connection.execute(insert(_TABLE), {"time": datetime(2026, 1, 1)})  # noqa: DTZ001
    connection.rollback()


def test_postgresql_gets_its_own_type_for_times() -> None:
    """In PostgreSQL a time is a TIMESTAMP WITH TIME ZONE, given and taken as it is."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kind = UTCDateTime()
    assert kind.compile(dialect) == "TIMESTAMP WITH TIME ZONE"
    east = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9)))
    assert kind.process_bind_param(east, dialect) is east
    found = kind.process_result_value(east, dialect)
    assert found == east
    assert found is not None
    assert found.tzinfo is UTC

"""Migrations: they build what schema.py says, from nothing and from every older store."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from pinwarden.store import migrations, schema
from pinwarden.store.contract import Committed
from pinwarden.store.store import open_store
from pinwarden.store.upgrade import migrate
from store.values import ARGON, NOW, key, later, move, position, sighting, verified

_OLD = sorted((Path(__file__).parent / "old").glob("*.sql"))


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that the migrations built."""
    path = tmp_path / "migrated.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return path


async def test_a_new_store_is_what_the_migrations_make(migrated: Path, tmp_path: Path) -> None:
    """A new store is made from schema.py at once, and counts as migrated."""
    path = tmp_path / "new.db"
    await (await open_store(f"sqlite:///{path}")).close()
    assert _objects(path) == _objects(migrated)
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(migrated)) as old:
        versions = [each.execute("SELECT * FROM alembic_version").fetchall() for each in (new, old)]
    assert versions[0] == versions[1]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(migrations.__file__).parent))


def test_the_revision_named_is_the_newest() -> None:
    """The revision that opening looks for is the only head of the migrations shipped."""
    assert _scripts().get_heads() == [schema.REVISION]


def test_migrations_make_the_tables_of_the_schema(migrated: Path) -> None:
    """Alembic finds no difference between the migrated database and schema.py."""
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_migrations_write_the_same_sql_as_the_schema(migrated: Path, tmp_path: Path) -> None:
    """Checks, defaults and partial indexes, which Alembic does not compare, are the same, too."""
    path = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{path}")
    schema.metadata.create_all(engine)
    engine.dispose()
    assert _objects(migrated) == _objects(path)


def _objects(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: _clauses(sql) for name, sql in rows if name != "alembic_version"}


def _clauses(sql: str) -> list[str]:
    # The order of constraints within a table says nothing.
    lines = (line.strip().rstrip(",") for line in sql.splitlines())
    return sorted(re.sub(r"\s+", " ", line) for line in lines if line)


def test_the_schema_is_good_for_postgresql() -> None:
    """Every table and index compiles for PostgreSQL, with its types for numbers and times."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    tables = {t.name: str(CreateTable(t).compile(dialect=dialect)) for t in _tables()}
    assert "id BIGSERIAL NOT NULL" in tables["sighting"]
    assert "first_seen TIMESTAMP WITH TIME ZONE NOT NULL" in tables["sighting"]
    assert "der BYTEA NOT NULL" in tables["sighting"]
    assert "log_id BYTEA NOT NULL" in tables["entry"]
    indexes = [
        str(CreateIndex(one).compile(dialect=dialect)) for t in _tables() for one in t.indexes
    ]
    assert any(
        "UNIQUE INDEX uq_finding_open" in one and "WHERE resolved IS NULL" in one for one in indexes
    )


def _tables() -> Iterator[Any]:
    yield from schema.metadata.sorted_tables


def _restore(dump: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(dump.read_text())


@pytest.mark.parametrize("dump", _OLD, ids=[one.stem for one in _OLD])
async def test_an_old_store_keeps_everything(dump: Path, tmp_path: Path) -> None:
    """A store as each older revision wrote it opens with all it held, and goes on from there."""
    path = tmp_path / "old.db"
    _restore(dump, path)
    async with await open_store(f"sqlite:///{path}") as store:
        at = await store.load_position(ARGON)
        assert at == verified(3, frontier=position(3).frontier)
        found = await store.sighting(key("a"))
        assert found is not None
        assert found.sighting.names == ("shop.example.com", "example.com")
        assert [one.verified for one in found.references] == [True, True]
        assert len(await store.due("mail", NOW)) == 2
        (standing,) = await store.findings()
        assert standing.finding.evidence == (("head", b"\x00\x01"),)
        first, *_others = await store.alerts()
        assert first.acknowledgement is not None
        assert first.acknowledgement.who == "ana"
        assert await store.load_meta("baseline") == "known"
        assert len(await store.load_heads(ARGON)) == 1
        assert len(await store.observations("example.com")) == (2 if dump.stem >= "0002" else 0)
        assert await move(
            store, 5, sighting("a", 3), sighting("z", 4), at=later(days=1)
        ) == Committed(1, 1)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []

"""Bringing a database to the tables of this version, or refusing one that is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateTable

from pinwarden.errors import StoreError
from pinwarden.store import schema
from pinwarden.store.sqlite import BEGIN

if TYPE_CHECKING:
    from alembic.config import Config

# As Alembic makes it.
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def is_current(connection: Connection, name: str) -> bool:
    """Whether the tables are those of this version; False for an older one or an empty database.

    Raises `StoreError` for a database of a newer version, or of another program.
    """
    tables = set(inspect(connection).get_table_names())
    if _VERSION.name in tables and schema.position.name in tables:
        found = set(connection.execute(select(_VERSION.c.version_num)).scalars())
        if found == {schema.REVISION}:
            return True
        if not found <= _revisions():
            raise StoreError(
                f"{name}: was written by a newer version of Pinwarden",
                hint="upgrade Pinwarden, or name another store",
            )
        return False
    if tables:
        raise StoreError(f"{name}: is a database of another program", hint="name another store")
    return False


async def upgrade(engine: AsyncEngine, name: str) -> None:
    """Run the migrations that are missing, all or none, one process at a time."""
    plain = engine.execution_options(**{BEGIN: None})
    async with plain.connect() as connection:
        # Rebuilding a table drops it, which must not take the rows that refer to it.
        # SQLite ignores this inside a transaction.
        await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.run_sync(_upgrade, name)
        await connection.commit()
        await connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _upgrade(connection: Connection, name: str) -> None:
    # Another process may have been here between our look and our lock.
    if is_current(connection, name):
        return
    if inspect(connection).get_table_names():
        migrate(connection)
    else:
        _create(connection)
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(f"{name}: rows of table {broken[0]} refer to rows that are missing")


def _create(connection: Connection) -> None:
    """The tables of a new database, without Alembic, whose import takes 0.3 s."""
    schema.metadata.create_all(connection)
    connection.execute(CreateTable(_VERSION))
    connection.execute(insert(_VERSION).values(version_num=schema.REVISION))


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return {script.revision for script in known}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config

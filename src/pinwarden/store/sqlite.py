"""SQLite: where the file is, whether it is ours to open, and how it is set up."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pinwarden.errors import ConfigError, StoreError, quoted

BEGIN = "pinwarden_begin"
"""The execution option that says how a transaction begins."""

DAMAGED = "restore it from a backup, or move it away to begin anew"
"""What to do about a database that is damaged."""

_PREFIX = "sqlite:///"
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
_BUSY_SECONDS = 30
_READERS = 4


def sqlite_path(url: str) -> Path | None:
    """The file that a store URL names, None for a database in memory."""
    scheme = url.partition(":")[0]
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        raise ConfigError(
            "store: PostgreSQL is not supported by this version of Pinwarden",
            hint="use sqlite:///PATH",
        )
    path = url.removeprefix(_PREFIX)
    if path == url or not path or "\x00" in path:
        raise ConfigError(
            f"store: {quoted(url)} is not the URL of a store",
            hint="write sqlite:///relative/path.db or sqlite:////absolute/path.db",
        )
    return None if path == ":memory:" else Path(os.path.abspath(path))  # noqa: PTH100 - keeps links


def prepare(path: Path, *, create: bool) -> None:
    """Make sure that a database can be at `path`, touching nothing that is there.

    Creates missing folders. Raises `StoreError` where something else is there.
    """
    try:
        if not path.exists():
            _prepare_folder(path, create=create)
            return
        _refuse_others(path)
    except FileExistsError as error:
        raise _refusal(path, "a folder it should be in is a file") from error
    except OSError as error:
        raise _refusal(path, (error.strerror or str(error)).lower()) from error


def make_engine(path: Path | None) -> AsyncEngine:
    """An engine whose transactions begin as their `BEGIN` option says."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=":memory:" if path is None else str(path)),
        # The driver's own idea of when to begin would leave out DDL and SELECT.
        connect_args={"isolation_level": None, "timeout": _BUSY_SECONDS},
        # One connection is the whole of a database in memory.
        pool_size=1 if path is None else _READERS,
        max_overflow=0,
        pool_timeout=2 * _BUSY_SECONDS,
        **({"poolclass": _memory_pool()} if path is None else {}),
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


async def use_write_ahead_log(engine: AsyncEngine) -> None:
    """Let readers read while a writer writes; a property of the file, so it changes it."""
    plain = engine.execution_options(**{BEGIN: None})
    deadline = asyncio.get_running_loop().time() + _BUSY_SECONDS
    while True:
        try:
            async with plain.connect() as connection:
                await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            return
        except OperationalError as error:
            # SQLite does not wait for this one, and two processes may open at once.
            if not is_busy(error) or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.05)


def is_busy(error: OperationalError) -> bool:
    """Whether another connection was in the way."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _memory_pool() -> Any:
    from sqlalchemy import AsyncAdaptedQueuePool

    return AsyncAdaptedQueuePool


def _prepare_folder(path: Path, *, create: bool) -> None:
    if not create:
        raise _refusal(path, "there is no such file", hint="`pinwarden watch` creates it")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _may_write_in(path.parent):
        raise _refusal(path, "permission denied")


def _refuse_others(path: Path) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(path, "is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, "is not a file")
    # SQLite would open it for reading alone and fail at the first step.
    if not _may(path, os.R_OK | os.W_OK) or not _may_write_in(path.parent):
        raise _refusal(path, "permission denied")
    with path.open("rb") as file:
        head = file.read(_HEADER)
    if head and not head.startswith(_MAGIC):
        raise _refusal(path, "is not an SQLite database")
    promised = _promised_size(head)
    # After a crash, the missing part may be in the log or the journal beside it.
    aside = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    if status.st_size < promised and not any(one.exists() for one in aside):
        raise _refusal(path, f"is cut off after {status.st_size} of {promised} bytes", hint=DAMAGED)


def _may_write_in(folder: Path) -> bool:
    return _may(folder, os.W_OK | os.X_OK)


def _may(path: Path, what: int) -> bool:
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)


def _promised_size(header: bytes) -> int:
    """The size of a database by its header (SQLite database file format, section 1.3)."""
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    written_by_a_modern_version = header[24:28] == header[92:96]
    return (65536 if page == 1 else page) * pages if written_by_a_modern_version else 0


def _refusal(path: Path, why: str, hint: str | None = None) -> StoreError:
    return StoreError(f"store {quoted(str(path))}: {why}", hint=hint)


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # A commit that returned must survive a power cut: the outbox tells people of it.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    how = connection.get_execution_options().get(BEGIN, "BEGIN")
    if how is not None:
        connection.exec_driver_sql(how)

"""Opening: what is ours is opened, what is not is refused in one line and left as it was."""

from __future__ import annotations

import asyncio
import os
import pwd
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pinwarden.errors import ConfigError, PinwardenError, StoreError
from pinwarden.store.contract import SightingFilter, Step
from pinwarden.store.store import open_store
from store.values import NOW, later, move, position, sighting


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _one_line(error: PinwardenError) -> str:
    message = str(error)
    assert "\n" not in message
    assert len(message) < 400
    return message


def _inside(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def _filled(path: Path, many: int = 200) -> None:
    async with await open_store(_url(path)) as store:
        await move(store, many, *(sighting(str(one), one) for one in range(many)))


async def _refused(path: Path) -> str:
    with pytest.raises(StoreError) as refusal:
        await open_store(_url(path))
    return _one_line(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pinwarden.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/x.db",
        "mysql:///x",
        "sqlite:///a\x00b",
        "file:///x.db",
        "\x1b[31m",
    ],
)
async def test_what_is_no_store_url_is_a_configuration_error(url: str) -> None:
    """A wrong URL is refused in one printable line that shows how to write it."""
    with pytest.raises(ConfigError) as refusal:
        await open_store(url)
    assert _one_line(refusal.value).isprintable()
    assert "sqlite:///" in str(refusal.value.hint)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_postgresql_is_not_in_this_version(scheme: str) -> None:
    """A PostgreSQL URL is refused for what it is, without repeating its password."""
    with pytest.raises(ConfigError, match="PostgreSQL is not supported") as refusal:
        await open_store(f"{scheme}://me:secret@db.example/pinwarden")
    assert "secret" not in _one_line(refusal.value)


async def test_a_relative_path_is_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slashes are relative, four absolute, and missing folders are made."""
    monkeypatch.chdir(tmp_path)
    async with await open_store("sqlite:///state/deep/rel.db"):
        pass
    async with await open_store(f"sqlite:///{tmp_path}/abs?%20#.db"):
        pass
    assert (tmp_path / "state" / "deep" / "rel.db").is_file()
    assert (tmp_path / "abs?%20#.db").is_file()
    assert _inside(tmp_path) == ["abs?%20#.db", "state"]


async def test_a_missing_store_is_not_created_for_a_reader(tmp_path: Path) -> None:
    """Who only wants to read is told that there is nothing, and nothing is made."""
    with pytest.raises(StoreError, match="no such file") as refusal:
        await open_store(_url(tmp_path / "sub" / "x.db"), create=False)
    assert refusal.value.hint
    assert _inside(tmp_path) == []


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A file without a byte has nothing to lose."""
    path = tmp_path / "x.db"
    path.touch()
    await _filled(path)
    async with await open_store(_url(path), create=False) as store:
        assert (await store.totals()).sightings == 200


async def test_durability_is_what_was_promised(tmp_path: Path) -> None:
    """The file is in WAL mode, every connection syncs fully and enforces foreign keys."""
    path = tmp_path / "x.db"
    store = await open_store(_url(path))
    engine = store._engine  # type: ignore[attr-defined]
    async with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            pragmas = {
                name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert pragmas.pop("busy_timeout") >= 5000
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    await store.close()


def _text_file(path: Path) -> None:
    path.write_text("watch = ['example.com']\n" * 400)


def _short_text_file(path: Path) -> None:
    path.write_text("x")


def _almost_a_database(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def _header_only(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def _other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE cookies (name TEXT)")


def _other_alembic_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
        database.execute("CREATE TABLE cookies (name TEXT)")
        database.commit()


@pytest.mark.parametrize(
    "make",
    [
        _text_file,
        _short_text_file,
        _almost_a_database,
        _header_only,
        _other_program,
        _other_alembic_program,
    ],
)
async def test_another_file_is_refused_and_untouched(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A file that is no store of ours stays byte for byte what it was, alone in its folder."""
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes()
    assert str(path) in await _refused(path)
    assert path.read_bytes() == before
    assert _inside(tmp_path) == ["x.db"]


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe, a path through a file and a place nobody can write are refused."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    assert "is a directory" in await _refused(tmp_path / "folder")
    assert "is not a file" in await _refused(tmp_path / "pipe")
    assert "is a file" in await _refused(tmp_path / "file" / "x.db")
    await _refused(Path("/proc/self/x.db"))
    await _refused(Path("/proc/self/no/x.db"))
    await _refused(tmp_path / ("long" * 100))


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user who may not write everywhere, and this process as that user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        nobody = pwd.getpwnam("nobody").pw_uid
        os.chown(folder, nobody, -1)
        os.seteuid(nobody)
        try:
            yield folder
        finally:
            os.seteuid(0)


async def test_what_may_not_be_written_is_refused(unprivileged: Path) -> None:
    """Without the right to write, a store and a folder are refused and left as they were."""
    path = unprivileged / "shut" / "x.db"
    await _filled(path)
    before = path.read_bytes()
    path.chmod(0o400)
    assert "permission denied" in await _refused(path)
    path.chmod(0o600)
    path.parent.chmod(0o500)
    assert "permission denied" in await _refused(path)
    assert "permission denied" in await _refused(path.with_name("new.db"))
    assert "permission denied" in await _refused(path.parent / "new" / "new.db")
    path.parent.chmod(0o700)
    assert path.read_bytes() == before
    assert _inside(path.parent) == ["x.db"]


async def test_a_truncated_store_is_refused_and_untouched(tmp_path: Path) -> None:
    """A store cut off anywhere is refused, keeps its remaining bytes, and gets no company."""
    whole = tmp_path / "whole.db"
    await _filled(whole)
    content = whole.read_bytes()
    path = tmp_path / "cut" / "x.db"
    path.parent.mkdir()
    cuts = [1, 16, 50, 99, 100, 512, 4095, 4096, 4097, 8192, len(content) // 2, len(content) - 1]
    for cut in [*cuts, len(content) - 4096]:
        path.write_bytes(content[:cut])
        assert str(path) in await _refused(path)
        assert path.read_bytes() == content[:cut]
        assert _inside(path.parent) == ["x.db"]


async def test_damage_inside_is_a_store_error(tmp_path: Path) -> None:
    """Pages overwritten in the middle are reported in one line with advice, never a traceback."""
    path = tmp_path / "x.db"
    await _filled(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xee" * (len(content) - 4096))
    with pytest.raises(StoreError) as refusal:
        async with await open_store(_url(path)) as store:
            await store.sightings()
    assert "malformed" in _one_line(refusal.value)
    assert refusal.value.hint
    assert path.read_bytes()[4096:] == b"\xee" * (len(content) - 4096)


async def test_a_newer_store_is_refused_and_untouched(tmp_path: Path) -> None:
    """A store that a newer version migrated is refused by name, and stays what it was."""
    path = tmp_path / "x.db"
    await _filled(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    before = path.read_bytes()
    assert "newer version of Pinwarden" in await _refused(path)
    assert path.read_bytes() == before


async def test_a_locked_store_is_a_store_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that another program keeps out for too long says so and changes nothing."""
    monkeypatch.setattr("pinwarden.store.sqlite._BUSY_SECONDS", 0.05)
    path = tmp_path / "x.db"
    async with await open_store(_url(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked") as refusal:
                await store.save_meta("a", "b")
            assert refusal.value.hint
            assert await store.load_meta("a") is None
            other.execute("ROLLBACK")
        await store.save_meta("a", "b")


_TABLES = ["position", "sighting", "sighting_match", "entry", "alert", "delivery", "finding"]


@pytest.mark.parametrize("table", _TABLES)
async def test_a_step_that_fails_anywhere_leaves_nothing(tmp_path: Path, table: str) -> None:
    """Whichever table refuses its row, nothing of the step is stored, and it can be tried again."""
    from store.values import finding, head

    path = tmp_path / "x.db"
    async with await open_store(_url(path)) as store:
        await move(store, 1, sighting("before", 0))
        before = (await store.totals(), await store.load_positions())
        step = Step(
            position_before=position(1),
            position=position(3),
            sightings=(sighting("a", 1), sighting("b", 2)),
            findings=(finding(),),
            heads=(head(3),),
            channels=("mail",),
            at=NOW,
        )
        what = "UPDATE" if table == "position" else "INSERT"
        with closing(sqlite3.connect(path)) as other:
            other.execute(
                f"CREATE TRIGGER fault BEFORE {what} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
            )
        with pytest.raises(StoreError, match="disk on fire") as refusal:
            await store.commit(step)
        _one_line(refusal.value)
        assert (await store.totals(), await store.load_positions()) == before
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TRIGGER fault")
        assert (await store.commit(step)).new_alerts == 3


async def test_a_full_disk_is_a_store_error(tmp_path: Path) -> None:
    """When there is no room the step fails whole, in one line with advice."""
    store = await open_store(_url(tmp_path / "x.db"))
    engine = store._engine  # type: ignore[attr-defined]
    async with engine.connect() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}")
    with pytest.raises(StoreError, match="full") as refusal:
        await move(store, 1, *(sighting(str(one), one, der=b"x" * 9999) for one in range(99)))
    assert refusal.value.hint
    assert await store.sightings() == ()
    assert await store.load_positions() == ()
    await store.close()


async def test_closing_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """A step asked for before closing is durable, and nothing may be asked for after it."""
    path = tmp_path / "x.db"
    store = await open_store(_url(path))
    asker = asyncio.create_task(store.save_meta("last", "word"))
    await asyncio.sleep(0)
    await store.close()
    await asker
    with pytest.raises(RuntimeError, match="closed"):
        await store.load_meta("last")
    await store.close()
    async with await open_store(_url(path)) as again:
        assert await again.load_meta("last") == "word"
    assert _inside(tmp_path) == ["x.db"]


async def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    """While another program writes, lists are read as of before."""
    path = tmp_path / "x.db"
    await _filled(path, 3)
    async with await open_store(_url(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE sighting SET verdict = 'unauthorized'")
            found = await store.sightings(SightingFilter(since=NOW, before=later(days=1)))
            assert {one.sighting.verdict for one in found} == {"unknown"}
            other.execute("ROLLBACK")

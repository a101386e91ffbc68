"""Processes that die, and processes that share a store."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from pinwarden.store.store import open_store
from store.values import ARGON, CHANNELS, NOW
from store.writer import entry

_TESTS = Path(__file__).parents[1]
_ENDLESS = 10**9


def _start(url: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "store.writer", url, *map(str, arguments)],
        cwd=_TESTS,
        stdout=subprocess.PIPE,
        text=True,
    )


def _said(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    return writer.stdout.readline().strip()


def _end(writer: subprocess.Popen[str], *, kill: bool = False) -> list[int]:
    """The sizes a writer said were durable, and not read yet."""
    if kill:
        writer.kill()
    out, _errors = writer.communicate(timeout=120)
    if not kill:
        assert writer.returncode == 0
    return [int(line) for line in out.splitlines() if out.endswith("\n") and line.isdigit()]


def _check(path: Path) -> int:
    """Hold what is in the file against the promises, and return the size of the position."""
    with closing(sqlite3.connect(path)) as database:

        def ask(query: str) -> list[tuple[object, ...]]:
            return database.execute(query).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        ((size,),) = ask("SELECT COALESCE(MAX(size), 0) FROM position")
        assert isinstance(size, int)
        assert ask("SELECT number FROM entry ORDER BY number") == [(n,) for n in range(size)]
        issuances = {entry(index).key for index in range(size)}
        assert {key for (key,) in ask("SELECT key FROM sighting")} == issuances
        unalerted = "SELECT id FROM sighting WHERE id NOT IN (SELECT sighting_id FROM alert)"
        assert ask(unalerted) == []
        assert ask("SELECT COUNT(*) FROM alert") == [(len(issuances),)]
        owed = ask("SELECT alert_id, COUNT(*) FROM delivery GROUP BY alert_id")
        assert [many for _alert, many in owed] == [len(CHANNELS)] * len(issuances)
        return size


def test_a_writer_killed_anywhere_leaves_whole_steps(tmp_path: Path) -> None:
    """After SIGKILL at any moment: no sighting without its alert, no position ahead of either."""
    path = tmp_path / "pinwarden.db"
    chance = random.Random(6962)
    durable = 0
    for turn in range(14):
        writer = _start(f"sqlite:///{path}", turn, _ENDLESS)
        durable = int(_said(writer))
        time.sleep(chance.random() * 0.15)
        durable = max([durable, *_end(writer, kill=True)])
        size = _check(path)
        # One more step may have become durable before it could be said.
        assert durable <= size <= durable + 250
    assert durable > 0


def test_a_writer_killed_while_it_makes_the_store_leaves_none_or_one(tmp_path: Path) -> None:
    """After SIGKILL during the first opening the next process opens and begins."""
    chance = random.Random(9162)
    for turn in range(5):
        path = tmp_path / f"{turn}.db"
        writer = _start(f"sqlite:///{path}", turn, _ENDLESS)
        while not path.exists():
            time.sleep(0.001)
        time.sleep(chance.random() * 0.1)
        _end(writer, kill=True)
        _end(_start(f"sqlite:///{path}", turn, 400))
        assert _check(path) >= 400


def test_processes_that_follow_one_log_do_its_work_once(tmp_path: Path) -> None:
    """Two daemons on one store, one of them killed, neither double nor miss an entry."""
    path = tmp_path / "pinwarden.db"
    url = f"sqlite:///{path}"
    first, second, doomed = (_start(url, seed, 3000) for seed in ("a", "b", "c"))
    _said(doomed)
    done = _end(doomed, kill=True) + _end(first) + _end(second)
    assert len(done) == len(set(done))
    assert _check(path) == 3000


async def test_what_a_killed_process_was_sending_comes_back(tmp_path: Path) -> None:
    """A sender keeps its deliveries while it lives, and they are due again when it was killed."""
    path = tmp_path / "pinwarden.db"
    url = f"sqlite:///{path}"
    sender = _start(url, "a", 40, "send")
    while _said(sender) != "sending":
        pass
    async with await open_store(url) as store:
        assert await store.recover(NOW) == 0
        assert await store.due("mail", NOW) == ()
    _end(sender, kill=True)
    async with await open_store(url) as store:
        assert await store.recover(NOW) == 20 * len(CHANNELS)
        owed = await store.due("mail", NOW)
        assert [one.alert.again for one in owed] == [True] * 20
        assert [one.attempts for one in owed] == [1] * 20
        position = await store.load_position(ARGON)
        assert position is not None
        assert position.size == 40

"""Opening by several at once: one store, made once, whoever comes first."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from pinwarden.store.store import open_store


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


_OPEN = """
import asyncio, sys
from pinwarden.store.store import open_store
async def main():
    store = await open_store(sys.argv[1])
    await store.save_meta(sys.argv[2], "here")
    await store.close()
    print("alembic" in sys.modules)
asyncio.run(main())
"""


def _open_elsewhere(path: Path, name: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-W", "error", "-c", _OPEN, _url(path), name]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_processes_that_open_at_once_all_find_one_store(tmp_path: Path) -> None:
    """Several processes that find no tables make them once between them."""
    path = tmp_path / "x.db"
    openers = [_open_elsewhere(path, str(one)) for one in range(4)]
    for opener in openers:
        _out, errors = opener.communicate(timeout=120)
        assert (opener.returncode, errors) == (0, "")
    async with await open_store(_url(path)) as store:
        assert [await store.load_meta(str(one)) for one in range(4)] == ["here"] * 4


async def test_tasks_that_open_at_once_all_find_one_store(tmp_path: Path) -> None:
    """The same within one process, where the race is much closer."""
    for turn in range(5):
        url = _url(tmp_path / f"{turn}.db")
        stores = await asyncio.gather(*(open_store(url) for _ in range(4)))
        for number, store in enumerate(stores):
            await store.save_meta(str(number), "here")
        for store in stores:
            await store.close()


async def test_a_new_or_current_store_opens_without_alembic(tmp_path: Path) -> None:
    """The migration machinery is loaded only where there is something to migrate."""
    path = tmp_path / "x.db"
    outcomes = []
    for _ in range(2):
        opener = _open_elsewhere(path, "a")
        out, _errors = opener.communicate(timeout=120)
        outcomes.append(out.strip())
    assert outcomes == ["False", "False"]

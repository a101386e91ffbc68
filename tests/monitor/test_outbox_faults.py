"""The outbox when things break: channels that hang, stores that fail, processes that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.receivers import (
    QUICK,
    SOON,
    Receiver,
    lines,
    seed,
    states,
    until,
)
from pinwarden.config_channels import FileConfig
from pinwarden.errors import StoreError
from pinwarden.monitor.outbox import Outbox, Patience
from pinwarden.net.channels import open_channel
from pinwarden.store.contract import DeliveryState, Store
from pinwarden.store.store import open_store


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as opened:
        yield opened


async def test_fault_in_a_channel_is_a_failure_like_any(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception nobody thought of neither loses the alert nor stops the others."""
    hook, mail = Receiver("hook"), Receiver("mail")
    hook.script = iter([RuntimeError("a bug in a library")])
    await seed(store, 2, "hook", "mail")
    flushed = await Outbox(store, [hook, mail], patience=QUICK).flush()
    assert (flushed.delivered, flushed.undelivered) == (4, ())
    assert "a bug in a library" in caplog.text


async def test_channel_has_a_time_limit(store: Store) -> None:
    """A channel that never returns is a failure when its time is up."""
    hook = Receiver("hook", timeout=0.05)
    hook.hangs = True
    patience = Patience(flush_limit=timedelta(0), overrun=timedelta(0))
    await seed(store, 1, "hook")
    flushed = await Outbox(store, [hook], patience=patience).flush()
    assert len(flushed.undelivered) == 1
    (alert,) = await store.alerts()
    assert alert.deliveries[0].error == "no answer within 0.05 seconds"


async def test_stuck_channel_blocks_no_other(store: Store, tmp_path: Path) -> None:
    """While one channel hangs the others deliver; what hung is owed again after a restart."""
    hook = Receiver("hook")
    hook.hangs = True
    path = tmp_path / "alerts.jsonl"
    file = open_channel(FileConfig(path=str(path)))
    patience = Patience(stop_grace=timedelta(milliseconds=20), poll=SOON)
    outbox = Outbox(store, [hook, file], patience=patience)
    stop = asyncio.Event()
    running = asyncio.create_task(outbox.run(stop))
    for number in range(3):
        await seed(store, 1, "hook", "file", first=number)
        outbox.wake()
        await until(lambda: lines(path) == number + 1)  # noqa: B023 - awaited at once
    assert len(hook.tried) == 1
    stop.set()
    await running
    assert lines(path) == 3
    await store.close()

    hook.hangs = False
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as reopened:
        assert (await Outbox(reopened, [hook, file]).flush()).delivered == 3
    cut_off = {event["key"]: event["again"] for message in hook.taken for event in message.events}
    assert list(cut_off.values()) == [True, False, False]
    assert hook.taken[0].key == hook.tried[0].key
    assert lines(path) == 3


async def test_stop_is_clean(store: Store) -> None:
    """An idle outbox stops at once, one under way finishes its message."""
    hook = Receiver("hook")
    outbox = Outbox(store, [hook])
    for count in (0, 2):
        await seed(store, count, "hook")
        stop = asyncio.Event()
        running = asyncio.create_task(outbox.run(stop))
        await until(lambda: len(hook.keys) == count)  # noqa: B023 - awaited at once
        stop.set()
        await running
    assert await states(store, "hook") == {DeliveryState.SENT: 2}


async def test_without_channels_it_waits_for_the_stop(store: Store) -> None:
    """An outbox without channels has nothing to do, and says so by delivering nothing."""
    stop = asyncio.Event()
    outbox = Outbox(store, [])
    running = asyncio.create_task(outbox.run(stop))
    stop.set()
    await running
    assert (await outbox.flush()).delivered == 0


async def test_two_processes_never_deliver_the_same(store: Store, tmp_path: Path) -> None:
    """Two outboxes on one store share the work and repeat nothing."""
    one, other = Receiver("hook", group=2), Receiver("hook", group=2)
    await seed(store, 30, "hook")
    async with await open_store(f"sqlite:///{tmp_path / 'pinwarden.db'}") as second:
        await asyncio.gather(Outbox(store, [one]).flush(), Outbox(second, [other]).flush())
    assert Counter(one.keys + other.keys) == Counter(dict.fromkeys(one.keys + other.keys, 1))
    assert len(one.keys + other.keys) == 30


async def _in_database(folder: Path, statement: str) -> None:
    def execute() -> None:
        with contextlib.closing(sqlite3.connect(folder / "pinwarden.db")) as connection:
            connection.execute(statement)
            connection.commit()

    await asyncio.to_thread(execute)


async def test_broken_store_is_an_error_of_ours(store: Store, tmp_path: Path) -> None:
    """A store that cannot be read ends a single run with one clear error."""
    await _in_database(tmp_path, "DROP TABLE delivery")
    with pytest.raises(StoreError):
        await Outbox(store, [Receiver("hook")]).flush()


async def test_broken_store_does_not_end_the_service(store: Store, tmp_path: Path) -> None:
    """While the store cannot be read the outbox waits, and then goes on."""
    hook = Receiver("hook")
    await seed(store, 1, "hook")
    stop = asyncio.Event()
    running = asyncio.create_task(Outbox(store, [hook], patience=QUICK).run(stop))
    await until(lambda: len(hook.taken) == 1)
    await _in_database(tmp_path, "ALTER TABLE delivery RENAME TO hidden")
    await asyncio.sleep(0.1)
    assert not running.done()
    await _in_database(tmp_path, "ALTER TABLE hidden RENAME TO delivery")
    await seed(store, 1, "hook", first=1)
    await until(lambda: len(hook.taken) == 2)
    stop.set()
    await running


async def test_delivery_not_written_down_is_not_repeated(store: Store, tmp_path: Path) -> None:
    """If the store fails after the channel took a message, writing that down is tried again."""
    hook = Receiver("hook")
    refusing = "CREATE TRIGGER full BEFORE UPDATE ON delivery WHEN NEW.state = 'sent' "
    await _in_database(tmp_path, refusing + "BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    await seed(store, 1, "hook")
    patience = Patience(store_rest=timedelta(milliseconds=20), flush_limit=timedelta(0))
    flushing = asyncio.create_task(Outbox(store, [hook], patience=patience).flush())
    await until(lambda: len(hook.taken) == 1)
    await asyncio.sleep(0.1)
    assert await states(store, "hook") == {DeliveryState.SENDING: 1}
    await _in_database(tmp_path, "DROP TRIGGER full")
    assert (await flushing).delivered == 1
    assert await states(store, "hook") == {DeliveryState.SENT: 1}
    assert len(hook.taken) == 1


async def test_file_has_each_alert_once_though_killed_anywhere(
    store: Store, tmp_path: Path
) -> None:
    """Killed again and again between any two calls, the file in the end has every alert once."""
    await seed(store, 40, "file")
    await store.close()
    path = tmp_path / "alerts.jsonl"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    script = Path(__file__).with_name("killed_outbox.py")
    url = f"sqlite:///{tmp_path / 'pinwarden.db'}"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(script), url, str(path), "20261124"],
        check=True,
        capture_output=True,
        env=environment,
        timeout=200,
    )
    assert int(done.stdout) >= 5
    keys = Counter(json.loads(line)["key"] for line in path.read_text("ascii").splitlines())
    assert len(keys) == 40
    assert set(keys.values()) == {1}

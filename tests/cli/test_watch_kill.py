"""SIGKILL at any moment of catching up: nothing lost, nothing told twice.

The process is killed while it makes its tables, asks for heads, reads entries,
commits, and writes alerts to the file, and started again, until it is through.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.watching import BOTH, PATIENCE, WATCHED, Daemon, Home, eventually, names_of, verify_tidy
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

ROUNDS = 4
KILLS = 8
# What one answer holds is another number in each protocol: about as many answers for each.
ENTRIES = {LogKind.RFC6962: 9000, LogKind.STATIC: 4000}
PLANTED = 20


@pytest.fixture(scope="module")
def logs() -> tuple[LabLog, LabLog]:
    """Two logs that are read slowly enough to be interrupted, with names planted in them."""
    made = []
    for number, kind in enumerate(BOTH):
        log = LabLog(f"log-{kind}", kinds=(kind,), most_entries=1000)
        plant = [f"n{number}-{each:02}{WATCHED}" for each in range(PLANTED)]
        fill(log, ENTRIES[kind], seed=number, plant=plant)
        made.append(log)
    return made[0], made[1]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_killed_again_and_again(logs: tuple[LabLog, LabLog], tmp_path: Path, seed: int) -> None:
    """After however many deaths each planted certificate is in the file exactly once."""
    dice = random.Random(seed)
    home = Home(tmp_path)
    home.configure(start="beginning", logs={"parallel": 1})
    with LabServer(logs):
        home.list_logs(*logs)
        for log, slow, part in zip(logs, (0.3, 0.35), ("get-entries", "tile/data"), strict=True):
            log.faults.slow, log.faults.on = slow, part
        kills = 0
        while kills < KILLS:
            with home.started("watch", "-c", str(home.config), "--once", "--json") as daemon:
                _moment(dice, home, logs)(daemon)
                if daemon.process.poll() is not None:
                    daemon.ended().checked(0, 1)
                    break
                daemon.kill()
                kills += 1
                verify_tidy(daemon.said)
            assert max(Counter(_told(home)).values(), default=1) == 1
        assert kills > KILLS - 2, "it must be slow enough to be killed"
        for log in logs:
            log.faults.clear()
        last = home.configured_once().checked(0, 1)
        assert [last.of(log)["verified_size"] for log in logs] == [log.size for log in logs]
        assert home.configured_once().checked(0).report["entries"] == 0
    _verify_complete(home, logs)


def test_a_full_disk(logs: tuple[LabLog, LabLog], tmp_path: Path) -> None:
    """When nothing more can be written it ends with one line, and goes on when there is room."""
    home = Home(tmp_path)
    home.configure(start="beginning")
    with LabServer(logs):
        home.list_logs(*logs)
        for blocks in (1, 40, 200, 300):
            arguments = f"-m pinwarden watch -c {home.config} --once --json"
            ran = subprocess.run(
                ["sh", "-c", f"ulimit -f {blocks}; exec {sys.executable} {arguments}"],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
                cwd=home.folder,
                env=home.environment,
            )
            assert ran.returncode in (1, 2, 3), ran.stderr
            verify_tidy(ran.stderr)
        home.configured_once().checked(0, 1)
    _verify_complete(home, logs)


def _verify_complete(home: Home, logs: tuple[LabLog, LabLog]) -> None:
    planted = [f"n{number}-{each:02}{WATCHED}" for number in (0, 1) for each in range(PLANTED)]
    assert names_of(home.alerts()) == planted
    assert len({each["key"] for each in home.alerts()}) == len(planted)
    sightings = home.sightings()
    assert sorted(name for each in sightings for name in each["names"]) == planted
    assert all(place["verified"] for each in sightings for place in each["logs"])
    for log in logs:
        position = home.position(log)
        assert position
        assert (position.size, position.verified_size) == (log.size, log.size)
        assert position.verified_root == log.published.root
    assert home.findings() == ()
    with sqlite3.connect(home.store) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()


def _told(home: Home) -> list[str]:
    """The names told so far; a line that death tore apart is not counted."""
    return names_of(home.alerts())


def _moment(
    dice: random.Random, home: Home, logs: tuple[LabLog, LabLog]
) -> Callable[[Daemon], None]:
    """A way to wait for the moment of the next death, or for the end of the process."""
    after = dice.uniform(0, 0.05)
    requests = sum(len(log.visits) for log in logs) + dice.randrange(1, 12)
    size = home.alerts_file.stat().st_size if home.alerts_file.exists() else 0

    def while_starting(_daemon: Daemon) -> None:
        time.sleep(dice.uniform(0.1, 1.0))

    def while_reading(daemon: Daemon) -> None:
        _await(daemon, lambda: sum(len(log.visits) for log in logs) >= requests)
        time.sleep(after)

    def while_telling(daemon: Daemon) -> None:
        _await(daemon, lambda: home.alerts_file.exists() and home.alerts_file.stat().st_size > size)
        time.sleep(after / 10)

    return dice.choice((while_starting, while_reading, while_reading, while_telling))


def _await(daemon: Daemon, happened: Callable[[], object]) -> None:
    eventually(lambda: happened() or daemon.process.poll() is not None, lambda: daemon.said)

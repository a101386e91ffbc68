"""CPU time of following a log, beginning to end, against what certspotter takes for it.

A lab log of each protocol is served by a process of its own, from ready-made
bytes. `pinwarden watch --once --start beginning` reads it whole, with few and
with many watched names; a run that starts at the log's end shows what starting
costs. Counted is CPU time (user and system) of the reading process, so the
server and a waiting socket do not count.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import find_program

PLANTED = "planted.bench.example"
FEW, MANY = 10, 10_000


@dataclass(frozen=True)
class Row:
    """One measurement; times in seconds of CPU, memory in MB at the most."""

    reader: str
    protocol: str
    names: int
    entries: int
    cpu: float
    starting: float
    memory: float

    @property
    def whole(self) -> float:
        """Microseconds for each entry, starting the program included."""
        return self.cpu / self.entries * 1e6

    @property
    def following(self) -> float:
        """Microseconds for each entry, starting the program taken off."""
        return (self.cpu - self.starting) / self.entries * 1e6


def measure(entries: int, rounds: int) -> list[Row]:
    """All rows, each the best of `rounds`."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="pinwarden-bench-") as name, _logs(entries) as ready:
        folder = Path(name)
        for log in ready["logs"]:
            for count in (FEW, MANY):
                runs = [_pinwarden(folder, ready, log, count, entries) for _ in range(rounds)]
                rows.append(min(runs, key=lambda row: row.cpu))
            if log["kind"] == "rfc6962" and (program := find_program("certspotter")) is not None:
                rows += [
                    _run_certspotter(program, folder, ready, log, count, entries)
                    for count in (FEW, MANY)
                ]
    return rows


def report(rows: list[Row]) -> Iterator[str]:
    """The table, and what it says."""
    yield (
        f"{'reader':<12} {'protocol':<10} {'names':>7} {'µs/entry':>9} {'less start':>11} {'MB':>6}"
    )
    for row in rows:
        yield (
            f"{row.reader:<12} {row.protocol:<10} {row.names:>7} "
            f"{row.whole:>9.1f} {row.following:>11.1f} {row.memory:>6.0f}"
        )
    for row in rows:
        if row.reader != "pinwarden":
            ours = next(
                each
                for each in rows
                if each.reader == "pinwarden"
                and (each.protocol, each.names) == (row.protocol, row.names)
            )
            yield (
                f"{row.reader} takes {row.cpu / ours.cpu:.1f} times the CPU of pinwarden "
                f"({row.protocol}, {row.names} names)"
            )
    ours = [row for row in rows if row.reader == "pinwarden"]
    for few, many in zip(ours[::2], ours[1::2], strict=True):
        yield (
            f"{many.names} names take {many.following / few.following:.2f} times "
            f"the CPU of {few.names} ({few.protocol})"
        )


@contextlib.contextmanager
def _logs(entries: int) -> Iterator[dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pinwarden.lab.standalone", "--logs", "rfc6962:1", "static:1",
         "--entries", str(entries), "--plant", PLANTED],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def _names(count: int) -> list[str]:
    """Watched names, none but one of which is in the log."""
    return [f".{PLANTED}", *(f".w{n:x}.brand{n % 977}.example" for n in range(1, count))]


def _pinwarden(
    folder: Path, ready: dict[str, Any], log: dict[str, Any], count: int, entries: int
) -> Row:
    watchlist = folder / "watchlist"
    watchlist.write_text("\n".join(_names(count)) + "\n", "utf-8")
    log_list = _only(folder, ready, log)
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    base = [sys.executable, "-m", "pinwarden", "watch", "--once", "--json",
            "--log-list", str(log_list), "--watchlist", str(watchlist)]  # fmt: skip
    starting, _, _ = _timed([*base, "--start", "now", "--store", f"sqlite:///{run / 'end.db'}"])
    cpu, memory, output = _timed(
        [*base, "--start", "beginning", "--store", f"sqlite:///{run / 'all.db'}"]
    )
    told = json.loads(output.splitlines()[-1])
    assert told["entries"] == entries, told
    assert told["matched"] == 1, told
    assert told["logs"][0]["verified_size"] == entries, told
    return Row("pinwarden", log["kind"], count, entries, cpu, starting, memory)


def _only(folder: Path, ready: dict[str, Any], log: dict[str, Any]) -> Path:
    """The log list with this one log."""
    listed = json.loads(Path(ready["log_list"]).read_bytes())
    for operator in listed["operators"]:
        for key in ("logs", "tiled_logs"):
            operator[key] = [
                each for each in operator.get(key, []) if each["log_id"] == log["log_id"]
            ]
    path = folder / "log_list.json"
    path.write_text(json.dumps(listed), "utf-8")
    return path


def _run_certspotter(
    program: str,
    folder: Path,
    ready: dict[str, Any],
    log: dict[str, Any],
    count: int,
    entries: int,
) -> Row:
    """A daemon without `--once`: it is stopped when it has verified the whole log."""
    log_list = _only(folder, ready, log)
    watchlist = folder / "certspotter-watchlist"
    watchlist.write_text("\n".join(_names(count)) + "\n", "utf-8")
    state = folder / "certspotter"
    shutil.rmtree(state, ignore_errors=True)
    process = subprocess.Popen(
        [program, "-logs", str(log_list), "-watchlist", str(watchlist), "-stdout", "-no_save",
         "-state_dir", str(state)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _verified(state, entries):
            if process.poll() is not None:
                raise RuntimeError("certspotter ended early")
            os.sched_yield()
            subprocess.run(["sleep", "0.2"], check=True)
    finally:
        process.terminate()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Row("certspotter", log["kind"], count, entries, cpu, 0.0, memory)


def _verified(state: Path, entries: int) -> bool:
    for file in state.glob("logs/*/state.json"):
        with contextlib.suppress(ValueError, OSError, KeyError, TypeError):
            return bool(json.loads(file.read_bytes())["verified_position"]["size"] >= entries)
    return False


def _timed(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, megabytes at the most, and standard output of one run."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{command}: exit code {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output

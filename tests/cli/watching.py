"""The program as a user has it: a home, a configuration, and processes of its own.

Nothing here reaches into the program. It is started, signalled and killed as by
a user, and judged by its output, its exit code and what it leaves in its store.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pinwarden.cli.main import run
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.serve import LabServer
from pinwarden.store.contract import LogPosition, Store, StoredFinding
from pinwarden.store.store import open_store

BOTH = (LogKind.RFC6962, LogKind.STATIC)
WATCHED = ".shop.example"

# How long anything may take that must happen; nothing waits for all of it.
PATIENCE = 60.0

# What would tell the program another terminal than the one it has.
_TERMINAL = ("COLUMNS", "LINES", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR")

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Run:
    """What one process said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        """The object that ends `watch --once --json`."""
        return self.lines[-1]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts before the report."""
        return self.lines[:-1]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings about logs that were alerted."""
        return [each["finding"] for each in self.alerts if each["sighting"] is None]

    def of(self, log: LabLog, kind: LogKind | None = None) -> dict[str, Any]:
        """What the report says about one log."""
        wanted = log_id(log, kind)
        [found] = [each for each in self.report["logs"] if each["log_id"] == wanted]
        assert isinstance(found, dict)
        return found

    def checked(self, *codes: int) -> Run:
        """The run itself, if it ended as expected and left no mess on the terminal."""
        assert self.code in codes, f"exit code {self.code}\n{self.err}\n{self.out[-2000:]}"
        verify_tidy(self.err)
        verify_tidy(self.out)
        return self


_MESS = re.compile(
    r"Traceback|never retrieved|was destroyed|never awaited|Unclosed|Exception ignored|"
    r"Warning:|ExceptionGroup|\x1b"
)


def verify_tidy(text: str) -> None:
    """No traceback, no complaint of the interpreter and no terminal control."""
    assert not _MESS.search(text), text


def log_id(log: LabLog, kind: LogKind | None = None) -> str:
    return b64encode(log.face(kind).log_id).decode("ascii")


def names_of(alerts: Iterable[dict[str, Any]]) -> list[str]:
    """The names of all sightings in these alerts, sorted; a repeated alert repeats them."""
    return sorted(name for each in alerts if each["sighting"] for name in each["sighting"]["names"])


class Home:
    """What one user has; every process starts in it and sees nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lists = folder / "logs.json"
        self.config = folder / "pinwarden.toml"
        self.store = folder / "pinwarden.db"
        self.alerts_file = folder / "alerts.jsonl"

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PINWARDEN", "XDG_", "PYTHON", *_TERMINAL))
        }
        places = {
            f"XDG_{each}_HOME": str(self.folder / each.lower())
            for each in ("CACHE", "CONFIG", "DATA", "STATE")
        }
        return kept | places | {"HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    # What the user writes.

    def list_logs(self, *logs: LabLog) -> None:
        """Write the log list that the other methods name."""
        # As an editor would: never half a list.
        new = self.lists.with_suffix(".new")
        new.write_bytes(log_list_json(logs))
        new.replace(self.lists)

    def configure(
        self,
        *,
        watch: Sequence[str] = (WATCHED,),
        channels: Sequence[dict[str, object]] | None = None,
        logs: dict[str, object] | None = None,
        **top: object,
    ) -> None:
        """Write a configuration that alerts into `alerts_file`, polls often and tries little."""
        if channels is None:
            channels = [{"type": "file", "path": str(self.alerts_file)}]
        fast = {"lists": [str(self.lists)], "poll_seconds": 0.2, "timeout_seconds": 30}
        top = {"watch": list(watch), "store": f"sqlite:///{self.store}"} | top
        text = _toml(top) + "[logs]\n" + _toml(fast | (logs or {}))
        text += "".join(f"[[channels]]\n{_toml(each)}" for each in channels)
        self.config.write_text(text, "utf-8")

    # What the user starts.

    def run(self, *arguments: str, timeout: float = PATIENCE) -> Run:
        """Run one command to its end."""
        ran = subprocess.run(
            [sys.executable, "-m", "pinwarden", *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
            cwd=self.folder,
            env=self.environment,
        )
        return Run(ran.returncode, ran.stdout.decode("utf-8"), ran.stderr.decode("utf-8"))

    def run_here(self, *arguments: str, extra: dict[str, str] | None = None) -> Run:
        """Run a command that ends soon in this process, for tests of many small things."""
        out, err = io.StringIO(), io.StringIO()
        kept = os.environ.copy()
        os.environ.clear()
        os.environ.update(self.environment | (extra or {}))
        try:
            with contextlib.chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
                code = run(arguments)
        finally:
            os.environ.clear()
            os.environ.update(kept)
        return Run(code, out.getvalue(), err.getvalue())

    def once(self, *logs: LabLog, names: Sequence[str] = (WATCHED,), start: str = "") -> Run:
        """`watch --once --json` over these logs, without a configuration file."""
        self.list_logs(*logs)
        return self.run(
            *("watch", *names, "--once", "--json"),
            *(("--start", start) if start else ()),
            *("--log-list", str(self.lists), "--store", f"sqlite:///{self.store}"),
        )

    def configured_once(self, *arguments: str) -> Run:
        """`watch --once --json` with the configuration file."""
        return self.run("watch", "-c", str(self.config), "--once", "--json", *arguments)

    @contextmanager
    def watching(self, *arguments: str) -> Iterator[Daemon]:
        """`watch` with the configuration file, until it is stopped or the block ends."""
        with self.started("watch", "-c", str(self.config), *arguments) as daemon:
            yield daemon

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Daemon]:
        """Any command, for as long as it takes or the block lasts."""
        daemon = Daemon(self, arguments)
        try:
            yield daemon
        finally:
            daemon.kill()

    # What the program leaves.

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert in the file of the file channel, as far as whole lines are in it."""
        return read_alerts(self.alerts_file)

    def sightings(self) -> list[dict[str, Any]]:
        """What `sightings list --json` says."""
        store = f"sqlite:///{self.store}"
        return self.run("sightings", "list", "--json", "--store", store).checked(0).lines

    def read_store(self, read: Callable[[Store], Awaitable[_Result]]) -> _Result:
        """Look into the store as another process."""

        async def work() -> _Result:
            async with await open_store(f"sqlite:///{self.store}", create=False) as store:
                return await read(store)

        return asyncio.run(work())

    def findings(self, *, resolved: bool | None = None) -> tuple[StoredFinding, ...]:
        """The findings in the store, newest first."""
        return self.read_store(lambda store: store.findings(resolved=resolved, limit=500))

    def position(self, log: LabLog, kind: LogKind | None = None) -> LogPosition | None:
        """How far the store says that a log was read."""
        if not self.store.exists():
            return None
        return self.read_store(lambda store: store.load_position(log.face(kind).log_id))


class Daemon:
    """A running `pinwarden`."""

    def __init__(self, home: Home, arguments: Sequence[str]) -> None:
        self._home = home
        number = len(list(home.folder.glob("daemon-*.err")))
        self._out = home.folder / f"daemon-{number}.out"
        self._err = home.folder / f"daemon-{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pinwarden", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=home.folder,
                env=home.environment,
            )

    @property
    def said(self) -> str:
        """What it has said on stderr until now."""
        return self._err.read_text("utf-8")

    @property
    def answered(self) -> str:
        """What it has said on stdout until now."""
        return self._out.read_text("utf-8")

    def await_(self, happened: Callable[[], object], what: str) -> None:
        """Wait until something has happened while the process lives."""
        eventually(
            lambda: happened() or self.process.poll() is not None, lambda: f"{what}\n{self.said}"
        )
        assert happened(), f"the process ended before {what}\n{self.said}"

    def await_said(self, text: str, times: int = 1) -> None:
        """Wait until it has said `text` on stderr."""
        self.await_(lambda: self.said.count(text) >= times, f"it said {text!r}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and do not wait for what it does."""
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = PATIENCE) -> Run:
        """Send a signal that ends it, and wait for the end."""
        self.process.send_signal(number)
        return self.ended(within)

    def ended(self, within: float = PATIENCE) -> Run:
        """Wait for the end."""
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end\n{self.said}") from None
        return Run(code, self.answered, self.said)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def read_alerts(file: Path) -> list[dict[str, Any]]:
    """The alerts in a file of JSON lines that is perhaps being written."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]


def eventually(happened: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait until something has happened."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, f"it did not happen: {what()}"
        time.sleep(0.02)


def _toml(values: dict[str, object]) -> str:
    """A TOML table of strings, numbers and lists of strings, which are written as in JSON."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


# Following, as the logs see it.

HEAD = {LogKind.RFC6962: "get-sth", LogKind.STATIC: "checkpoint"}
ENTRIES = {LogKind.RFC6962: "get-entries", LogKind.STATIC: "tile/data"}


def new_log(server: LabServer, name: str, *kinds: LogKind, entries: int = 0) -> LabLog:
    """One more log, served from now on."""
    log = LabLog(name, kinds=kinds or (LogKind.RFC6962,))
    if entries:
        fill(log, entries, seed=len(name))
    server.add_log(log)
    return log


def issue(log: LabLog, ca: CA, name: str) -> None:
    log.add_precertificate(ca.issue([name]).precertificate_chain)


def await_follows(daemon: Daemon, *logs: LabLog) -> None:
    """Wait until each log was asked for a head once more than it has been."""
    parts = [(log, HEAD[log.face().kind]) for log in logs]
    before = [log.visits.count(part) for log, part in parts]
    daemon.await_(
        lambda: all(
            log.visits.count(part) > count + 1
            for (log, part), count in zip(parts, before, strict=True)
        ),
        "every log is followed",
    )


def await_alert(daemon: Daemon, home: Home, *names: str) -> None:
    """Wait until there are alerts for these names, and for no others."""
    daemon.await_(lambda: len(home.alerts()) >= len(names), f"an alert of {names}")
    assert names_of(home.alerts()) == sorted(names)

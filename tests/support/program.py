"""`python -m pinwarden` as a user runs it: a process of its own, JSON lines out."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Findings are an answer too: 0 says that there are none, 1 that there are some.
_ANSWERED = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Run:
    """What one `watch --once` said: the alerts, and the report that ends it."""

    alerts: tuple[dict[str, Any], ...]
    report: dict[str, Any]
    exit_code: int

    def log(self, log_id: bytes) -> dict[str, Any]:
        """What the report says about one log."""
        text = base64.b64encode(log_id).decode()
        return next(each for each in self.report["logs"] if each["log_id"] == text)


@dataclass(frozen=True, slots=True)
class Program:
    """The program with a store and a configuration of its own, all in one folder."""

    folder: Path

    def watch_once(self, log_list: bytes, names: Iterable[str] = (), *options: str) -> Run:
        """Catch up with the logs of `log_list` from the beginning, or from the last run on."""
        listed = self.folder / "logs.json"
        listed.write_bytes(log_list)
        start = ("--once", "--start", "beginning", "--log-list", str(listed), "--quiet")
        code, (*alerts, report) = self._run("watch", *names, *start, *options)
        return Run(tuple(alerts), report, code)

    def sightings(self) -> list[dict[str, Any]]:
        """Everything that the store knows to be seen."""
        _, listed = self._run("sightings", "list")
        return listed

    def _run(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        store = f"sqlite:///{self.folder / 'store.db'}"
        places = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
        ran = subprocess.run(
            [sys.executable, "-m", "pinwarden", *arguments, "--store", store, "--json"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **dict.fromkeys(places, str(self.folder))},
        )
        assert ran.returncode in _ANSWERED, ran.stderr
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def entries_of(sightings: Iterable[dict[str, Any]], log_id: bytes) -> dict[int, dict[str, Any]]:
    """For each entry of one log that was seen, its sighting."""
    text = base64.b64encode(log_id).decode()
    return {
        place["index"]: sighting
        for sighting in sightings
        for place in sighting["logs"]
        if place["log_id"] == text
    }

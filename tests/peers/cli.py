"""`pinwarden watch --once` as a user runs it: a process of its own, JSON lines out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """What one run said: the alerts, and the report that ends it."""

    alerts: tuple[dict[str, Any], ...]
    report: dict[str, Any]

    @property
    def sightings(self) -> list[dict[str, Any]]:
        """The issuances that were alerted."""
        return [each["sighting"] for each in self.alerts if each["sighting"] is not None]


def watch_once(folder: Path, log_list: bytes, *names: str) -> Run:
    """Catch up with the logs of `log_list` from their beginning, or from the last run on."""
    (folder / "logs.json").write_bytes(log_list)
    start = ("--once", "--start", "beginning", "--log-list", str(folder / "logs.json"))
    *alerts, report = _pinwarden(folder, "watch", *names, *start)
    return Run(tuple(alerts), report)


def indexes_seen(folder: Path) -> set[int]:
    """The numbers of all entries that the store of `watch_once` knows sightings of."""
    listed = _pinwarden(folder, "sightings", "list")
    return {place["index"] for sighting in listed for place in sighting["logs"]}


def _pinwarden(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    store = f"sqlite:///{folder / 'store.db'}"
    ran = subprocess.run(
        [sys.executable, "-m", "pinwarden", *arguments, "--store", store, "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
    )
    # 1 says that there are findings; Python says it of a traceback too.
    assert ran.returncode in {0, 1}, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]

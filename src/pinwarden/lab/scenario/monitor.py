"""`pinwarden watch` as the process that a user would start, and the alerts it delivers."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinwarden.lab.scenario.layout import Digest
from pinwarden.lab.scenario.stage import PATIENCE, Stage

CONFIGURATION = "pinwarden.toml"
WATCHED = ".shop.example"
POLL_SECONDS = 0.5


@dataclass(slots=True)
class Monitor:
    """The monitor of one telling: what it prints is part of the story."""

    stage: Stage
    log_list_url: str
    resolver: str
    observed: str
    _heard: int = 0
    _printed: int = 0

    @property
    def alerts_file(self) -> Path:
        """Where its file channel writes."""
        return self.stage.folder / "alerts.jsonl"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Follow the logs and look at CAA until the end of the block."""
        (self.stage.folder / CONFIGURATION).write_text(self._configuration(), "utf-8")
        process = subprocess.Popen(  # noqa: S603 - our own program
            self.stage.command("watch", "-c", CONFIGURATION),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.stage.folder,
            env=self.stage.environment(),
        )
        relay = threading.Thread(target=self._relay, args=(process,), daemon=True)
        relay.start()
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            relay.join(PATIENCE)
        self.stage.check("the monitor stops cleanly", code == 0, f"exit code {code}")

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that it has delivered so far."""
        if not self.alerts_file.exists():
            return []
        lines = self.alerts_file.read_text("utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def next_alert(self) -> dict[str, Any]:
        """The alert after the last one looked at, or an empty one if none comes."""
        # In the file and on the terminal, so that what is told of it comes after it.
        self.stage.until(
            "an alert arrives",
            lambda: len(self.alerts()) > self._heard and self._printed > self._heard,
        )
        alerts = self.alerts()
        if len(alerts) <= self._heard:
            return {}
        self._heard += 1
        return alerts[self._heard - 1]

    def _configuration(self) -> str:
        return "\n".join(
            [
                f"watch = [{json.dumps(WATCHED)}]",
                "store = " + json.dumps(f"sqlite:///{self.stage.folder / 'pinwarden.db'}"),
                "[logs]",
                f"lists = [{json.dumps(self.log_list_url)}]",
                f"poll_seconds = {POLL_SECONDS}",
                "[caa]",
                f"names = [{json.dumps(self.observed)}]",
                f"resolvers = [{json.dumps(self.resolver)}]",
                f"interval_minutes = {POLL_SECONDS / 60}",
                f"confirm_seconds = {POLL_SECONDS}",
                "[[channels]]",
                'type = "stdout"',
                "[[channels]]",
                'type = "file"',
                f"path = {json.dumps(str(self.alerts_file))}",
                "",
            ]
        )

    def _relay(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        digest = Digest()
        with process.stdout as printed:
            for raw in printed:
                line = raw.decode("utf-8", "replace").rstrip()
                for shown in digest.lines(line):
                    self.stage.tell(shown)
                # Among the details, which end an alert.
                self._printed += line.startswith("    alert: ")

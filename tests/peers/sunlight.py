"""A static-ct log of somebody else's making: sunlight takes entries in, skylight serves them."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from peers.programs import answering, free_port, program, running

PERIOD_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SunlightLog:
    """Where the log takes entries in, and what a log list says of it."""

    submission_url: str
    described: dict[str, Any]

    def submit(self, chain: Sequence[bytes], *, precertificate: bool) -> dict[str, Any]:
        """Submit a chain (RFC 6962 sections 4.1 and 4.2); the log's promise comes back."""
        endpoint = "add-pre-chain" if precertificate else "add-chain"
        body = json.dumps({"chain": [base64.b64encode(each).decode() for each in chain]})
        request = Request(f"{self.submission_url}ct/v1/{endpoint}", body.encode())
        with urlopen(request, timeout=30) as answer:
            promise: dict[str, Any] = json.load(answer)
        return promise

    @property
    def log_list(self) -> bytes:
        """A log list (version 3) that knows this log and no other."""
        operator = {"name": "Peer", "email": [], "logs": [], "tiled_logs": [self.described]}
        return json.dumps({"version": "1.0", "operators": [operator]}).encode()


@contextmanager
def sunlight_log(folder: Path, roots: bytes) -> Iterator[SunlightLog]:
    """Run a new log that accepts chains to `roots` (PEM)."""
    sunlight, skylight = program("sunlight"), program("skylight")
    taking, serving = free_port(), free_port()
    (folder / "tiles").mkdir()
    _write_configuration(folder, roots, taking, serving)
    with ExitStack() as stack:
        child = stack.enter_context(running([sunlight], folder))
        answering(child, f"http://127.0.0.1:{taking}/health", folder)
        answering(child, f"http://127.0.0.1:{taking}/log/log.v3.json", folder)
        with urlopen(f"http://127.0.0.1:{taking}/log/log.v3.json") as answer:
            described = json.load(answer)
        child = stack.enter_context(running([skylight], folder))
        answering(child, f"http://127.0.0.1:{serving}/checkpoint", folder)
        yield SunlightLog(
            submission_url=f"http://127.0.0.1:{taking}/log/",
            described={
                "description": described["description"],
                "log_id": described["log_id"],
                "key": described["key"],
                "mmd": described["mmd"],
                "submission_url": described["submission_url"],
                "monitoring_url": f"http://127.0.0.1:{serving}/",
            },
        )


def _write_configuration(folder: Path, roots: bytes, taking: int, serving: int) -> None:
    (folder / "roots.pem").write_bytes(roots)
    (folder / "seed.bin").write_bytes(secrets.token_bytes(32))
    with closing(sqlite3.connect(folder / "checkpoints.db")) as database:
        database.execute(
            "CREATE TABLE checkpoints (logID BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT"
        )
    # Both insist on https names for the log and, without ACME, listen in the clear all the same.
    # JSON is YAML, in which they are configured.
    log = {
        "shortname": "peer",
        "inception": datetime.now(UTC).astimezone().date().isoformat(),
        "period": PERIOD_MS,
        "submissionprefix": "https://127.0.0.1/log",
        "monitoringprefix": "https://127.0.0.1",
        "roots": "roots.pem",
        "secret": "seed.bin",
        "cache": "cache.db",
        "localdirectory": "tiles",
        "notafterstart": "2020-01-01T00:00:00Z",
        "notafterlimit": "2100-01-01T00:00:00Z",
    }
    sunlight = {"listen": [f"127.0.0.1:{taking}"], "checkpoints": "checkpoints.db", "logs": [log]}
    skylight = {
        "listen": [f"127.0.0.1:{serving}"],
        "logs": [{key: log[key] for key in ("shortname", "monitoringprefix", "localdirectory")}],
    }
    (folder / "sunlight.yaml").write_text(json.dumps(sunlight))
    (folder / "skylight.yaml").write_text(json.dumps(skylight))

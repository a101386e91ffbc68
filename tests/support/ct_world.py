"""Two log operators, a CA that logs with them, and a list that names their logs.

The logs of a `CTWorld` are served inside `with world.serving():` only, which verifying SCTs
does not need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pinwarden.ct.log import LogKind, LogList
from pinwarden.ct.loglist import parse_log_list
from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.serve import LabServer

HOST = "localhost"


@dataclass
class CTWorld:
    """The CA and its logs: `classic` and `tiled` in the list, of two operators; `stray` not."""

    ca: CA = field(default_factory=lambda: CA("CT Lab"))
    classic: LabLog = field(default_factory=lambda: LabLog("classic", operator="First Operator"))
    tiled: LabLog = field(
        default_factory=lambda: LabLog("tiled", kinds=(LogKind.STATIC,), operator="Second Operator")
    )
    stray: LabLog = field(default_factory=lambda: LabLog("stray", operator="Third Operator"))

    @property
    def listed(self) -> tuple[LabLog, LabLog]:
        """The logs that the list names."""
        return self.classic, self.tiled

    def issue(self, names: Sequence[str] = (HOST,), **wish: object) -> Issued:
        """A certificate with an SCT of each listed log, unless `logs` says otherwise."""
        wish.setdefault("logs", self.listed)
        return self.ca.issue(names, **wish)  # type: ignore[arg-type]

    def list_json(self) -> bytes:
        """The log list."""
        return log_list_json(self.listed)

    def logs(self) -> LogList:
        """The log list as it is read."""
        return parse_log_list(self.list_json(), "the lab's list")

    @contextmanager
    def serving(self) -> Iterator[LabServer]:
        """The listed logs on loopback; afterwards `list_json` has their addresses."""
        with LabServer(self.listed) as server:
            yield server

    def write_list(self, folder: Path) -> Path:
        """The log list as a file."""
        return written(folder / "log-list.json", self.list_json())

    def write_trust(self, folder: Path) -> Path:
        """The CA's root as trust anchors."""
        return written(folder / "trust.pem", pem([self.ca.root]))


def written(path: Path, data: bytes) -> Path:
    """A file with these octets."""
    path.write_bytes(data)
    return path


def chain_file(folder: Path, *certificates: bytes, name: str = "chain.pem") -> Path:
    """A PEM file with these certificates, in this order."""
    return written(folder / name, pem(certificates))

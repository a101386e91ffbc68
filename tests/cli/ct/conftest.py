"""`pinwarden ct` run against a small world of logs, and servers that hand SCTs over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from support.ct_world import CTWorld


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of the answer."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        """The one JSON line of the answer."""
        (line,) = self.lines
        return line


CT = Callable[..., Ran]


@pytest.fixture
def ct(capsys: pytest.CaptureFixture[str]) -> CT:
    """Runs a ct command; never a traceback, and nothing that does not show."""

    def call(*arguments: str | Path) -> Ran:
        code = run(["ct", *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert captured.out.replace("\n", "").isprintable()
        assert captured.err.replace("\n", "").isprintable()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def ct_world() -> CTWorld:
    """A world that tests only read; what changes its logs makes one of its own."""
    return CTWorld()


@pytest.fixture
def log_list(ct_world: CTWorld, tmp_path: Path) -> Path:
    """The world's log list as a file."""
    return ct_world.write_list(tmp_path)


@pytest.fixture
def cafile(ct_world: CTWorld, tmp_path: Path) -> Path:
    """The world's trust anchors as a file."""
    return ct_world.write_trust(tmp_path)

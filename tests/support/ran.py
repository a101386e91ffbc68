"""A command of ours, run in this process, and what it came to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run


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


def run_here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Ran:
    """Run a command; never a traceback, and nothing that does not show."""
    code = run([*map(str, arguments)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.out.replace("\n", "").isprintable()
    assert captured.err.replace("\n", "").isprintable()
    return Ran(code, captured.out, captured.err)

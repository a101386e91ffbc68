"""`pinwarden header` run against files, and servers with answers of their own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from support.answering_tls import AnsweringTLS
from support.pin_world import world


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

    @property
    def ids(self) -> list[str]:
        """The short names of the findings of that line, in their order."""
        return [each["name"] for each in self.line["findings"]]


Header = Callable[..., Ran]
Serve = Callable[..., AnsweringTLS]


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Header:
    """Runs `header lint`; never a traceback, and nothing that does not show."""

    def call(*arguments: str | Path, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["header", "lint", *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert captured.out.replace("\n", "").isprintable()
        assert captured.err.replace("\n", "").isprintable()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers for `localhost` and 127.0.0.1, whose chain the pin world's trust verifies."""
    with ExitStack() as stack:

        def start(
            answers: Mapping[str, bytes], *, plain: bool = False, chain: str = "genuine"
        ) -> AnsweringTLS:
            server = AnsweringTLS(world().chains[chain], answers)
            if plain:
                server.manner = "plain"
            return stack.enter_context(server)

        yield start

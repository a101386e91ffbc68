"""`pinwarden header` run against files, and servers with answers of their own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest

from support.answering_tls import AnsweringTLS
from support.pin_world import world
from support.ran import Ran, run_here


@dataclass(frozen=True, slots=True)
class Linted(Ran):
    """The same of `header lint`."""

    @property
    def ids(self) -> list[str]:
        """The short names of the findings of that line, in their order."""
        return [each["name"] for each in self.line["findings"]]


Header = Callable[..., Linted]
Serve = Callable[..., AnsweringTLS]


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Header:
    """Runs `header lint`; never a traceback, and nothing that does not show."""

    def call(*arguments: str | Path, stdin: str = "") -> Linted:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        return Linted(*astuple(run_here(capsys, "header", "lint", *arguments)))

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

"""`pinwarden ct` run against a small world of logs, and servers that hand SCTs over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.ct_world import CTWorld
from support.ran import Ran, run_here

CT = Callable[..., Ran]


@pytest.fixture
def ct(capsys: pytest.CaptureFixture[str]) -> CT:
    """Runs a ct command; never a traceback, and nothing that does not show."""

    def call(*arguments: str | Path) -> Ran:
        return run_here(capsys, "ct", *arguments)

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

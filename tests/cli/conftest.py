"""Fixtures of the tests that run the program as a service: its home, and logs to follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.watching import BOTH, Home
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.configure()
    return home


@pytest.fixture
def logs() -> list[LabLog]:
    return [LabLog(f"log-{kind}", kinds=(kind,)) for kind in BOTH]


@pytest.fixture
def served(logs: list[LabLog]) -> Iterator[LabServer]:
    for log in logs:
        fill(log, 30)
    with LabServer(logs) as server:
        yield server

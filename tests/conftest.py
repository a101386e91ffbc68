"""Fixtures shared by every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test measures time: a busy machine must not make one fail. In CI the examples
# are the same every time; whoever runs the tests by hand looks for new ones.
settings.register_profile(
    "pinwarden",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("pinwarden")


def _corpus_folder() -> Path:
    named = os.environ.get("PINWARDEN_CORPUS")
    return Path(named) if named else Path(__file__).parents[2] / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real public data; a test that needs it skips where it is absent."""
    folder = _corpus_folder()
    if not folder.is_dir():
        pytest.skip(f"no corpus of real data at {folder}")
    return folder


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The committed test vectors."""
    return Path(__file__).parent / "vectors"

"""What tests against foreign programs share."""

from __future__ import annotations

import pytest

from pinwarden.lab.ca import CA


@pytest.fixture(scope="module")
def ca() -> CA:
    """An authority for one module's certificates."""
    return CA("Peer Test")

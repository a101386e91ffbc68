"""Stores to test; a new kind of database joins every contract test by one more parameter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pinwarden.store.contract import Store
from store.kinds import DURABLE, KINDS, Opener, url_of


@pytest_asyncio.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    opener = Opener(url_of(request.param, tmp_path))
    yield await opener()
    await opener.close()


@pytest_asyncio.fixture(params=DURABLE)
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens, as often as called, a store on one empty database that outlives it."""
    opener = Opener(url_of(request.param, tmp_path))
    yield opener
    await opener.close()

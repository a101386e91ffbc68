"""The services of history on loopback, and a client that does not wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from pinwarden.errors import OutsideError
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.contract import HistorySource
from pinwarden.net.http import HTTPClient, Limits
from support.history_services import HistoryServices

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def services() -> Iterator[HistoryServices]:
    with HistoryServices() as services:
        yield services


@pytest.fixture
async def http() -> AsyncIterator[HTTPClient]:
    limits = Limits(attempts=2, timeout=5, patience=5, backoff_first=0.01)
    async with HTTPClient(limits=limits) as client:
        yield client


async def told(
    source: HistorySource,
    name: str,
    *,
    below: bool = False,
    since: datetime | None = None,
    expired: bool = True,
) -> list[PastIssuance]:
    """Everything that a source tells of a name."""
    asked = source.search(name, below=below, since=since, expired=expired, at=AT)
    return [each async for each in asked]


async def told_in_part(source: HistorySource, name: str) -> tuple[list[PastIssuance], OutsideError]:
    """What a source tells before it fails, and how it fails."""
    found: list[PastIssuance] = []
    try:
        async for each in source.search(name, below=False, since=None, expired=True, at=AT):
            found.append(each)  # noqa: PERF401 - kept although the loop fails
    except OutsideError as error:
        return found, error
    pytest.fail("everything was told")

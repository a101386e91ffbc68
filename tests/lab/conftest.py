"""Fixtures of the lab's own tests: one CA, and a log of both protocols over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog

BOTH = (LogKind.RFC6962, LogKind.STATIC)
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture(scope="session")
def ca() -> CA:
    return CA(at=NOW)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def fill(ca: CA) -> Callable[[LabLog, int], None]:
    """Enters so many entries, alternately certificate and precertificate, of few issuances."""
    issued = [ca.issue([f"n{number}.example"]) for number in range(4)]

    def enter(log: LabLog, count: int) -> None:
        for number in range(count):
            each = issued[number % len(issued)]
            if number % 2:
                log.add_precertificate(each.precertificate_chain)
            else:
                log.add_certificate(each.certificate_chain)

    return enter


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that decompresses nothing and follows nothing."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as client:
        yield client

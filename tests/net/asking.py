"""A client for tests that never waits longer than it must, and one request with it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from net.raw_server import Handler, RawServer
from pinwarden.net.http import HTTPClient, Limits, Response

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
QUICK = Limits(timeout=5.0, connect_timeout=5.0, attempts=3, patience=5.0, backoff_first=0.0)
IMPATIENT = Limits(timeout=0.3, attempts=3, patience=5.0, backoff_first=0.0)
MAX = 100_000


def client(
    limits: Limits = QUICK,
    contact: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    jitter: Callable[[float], float] = lambda most: 0.0,
) -> HTTPClient:
    """A client that retries at once."""
    return HTTPClient(
        contact, limits=limits, ssl_context=ssl_context, jitter=jitter, now=lambda: NOW
    )


async def get_once(*handlers: Handler, limits: Limits = QUICK, **arguments) -> Response:
    """Ask a server that plays these handlers once."""
    async with RawServer(list(handlers)) as server, client(limits) as http:
        return await http.get(server.url("/x"), **({"max_bytes": MAX} | arguments))

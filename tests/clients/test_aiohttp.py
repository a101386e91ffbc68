"""aiohttp: no request of a session leaves the context of its connector."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
import pytest

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.aiohttp import PinnedConnector
from pinwarden.errors import ConfigError
from support.http_origin import BODY, http_origin
from support.pin_world import HOST, pin_set, world


def pinned(pins: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(pins), cadata=world().bundle)


@pytest.mark.parametrize(
    "ssl_", [False, aiohttp.Fingerprint(bytes(32)), ssl.create_default_context(), pinned("wrong")]
)
async def test_a_request_with_a_context_of_its_own(ssl_: Any) -> None:
    """`ssl=` of a request is an error, for a request and for a WebSocket."""
    with http_origin(world().chains["rogue"]) as server:
        async with aiohttp.ClientSession(connector=PinnedConnector(pinned())) as session:
            with pytest.raises(ConfigError, match="takes it out of the pins"):
                await session.get(f"https://{HOST}:{server.port}/", ssl=ssl_)
            with pytest.raises(ConfigError, match="takes it out of the pins"):
                await session.ws_connect(f"wss://{HOST}:{server.port}/", ssl=ssl_)
        assert server.visits == []


@pytest.mark.parametrize("again", [True, False])
async def test_a_request_that_says_the_same(again: bool) -> None:
    """Saying the same context again, or True, changes nothing."""
    context = pinned()
    with http_origin(world().chains["genuine"]) as server:
        async with (
            aiohttp.ClientSession(connector=PinnedConnector(context, limit=1)) as session,
            session.get(f"https://{HOST}:{server.port}/", ssl=context if again else True) as got,
        ):
            assert await got.read() == BODY


async def test_websockets_are_held_too() -> None:
    """The upgrade is a request like others."""
    with http_origin(world().chains["rogue"]) as server:
        async with aiohttp.ClientSession(connector=PinnedConnector(pinned())) as session:
            with pytest.raises(aiohttp.ClientError) as caught:
                await session.ws_connect(f"wss://{HOST}:{server.port}/")
            assert find_mismatch(caught.value) is not None
        assert server.drained() == 0


async def test_why_there_is_a_connector() -> None:
    """With aiohttp's own connector, a single `ssl=False` undoes everything."""
    with http_origin(world().chains["self-signed"]) as server:
        connector = aiohttp.TCPConnector(ssl=pinned())
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"https://{HOST}:{server.port}/", ssl=False) as got,
        ):
            assert await got.read() == BODY

"""HTTPX: proxies of the environment, transports, and what it writes into a context."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pinwarden.clients import PinnedContext, find_mismatch
from support.http_origin import BODY, http_origin
from support.pin_world import HOST, pin_set, world
from support.proxies import TunnelProxy


def pinned(pins: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(pins), cadata=world().bundle)


@pytest.fixture
def no_exceptions(monkeypatch: Any) -> None:
    """Nothing in this environment keeps a client from using a proxy."""
    for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_exceptions")
def test_proxies_of_the_environment(monkeypatch: Any) -> None:
    """A proxy that only the environment names does not lead around the pins."""
    with (
        http_origin(world().chains["rogue"]) as server,
        TunnelProxy(("127.0.0.1", server.port)) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        with httpx.Client(verify=pinned()) as client, pytest.raises(httpx.ConnectError) as caught:
            client.get(f"https://{HOST}:{server.port}/")
        assert find_mismatch(caught.value) is not None
        assert proxy.asked
        assert server.drained() == 0


def test_a_transport_takes_its_own_context() -> None:
    """Whoever makes a transport gives the context to it, and not to the client."""
    transport = httpx.HTTPTransport(verify=pinned(), retries=2)
    with http_origin(world().chains["rogue"]) as server:
        with (
            httpx.Client(transport=transport) as client,
            pytest.raises(httpx.ConnectError) as caught,
        ):
            client.get(f"https://{HOST}:{server.port}/")
        assert find_mismatch(caught.value) is not None
        assert server.drained() == 0


def test_one_context_for_versions_1_and_2() -> None:
    """Each client says before each handshake what it speaks."""
    context = pinned()
    with http_origin(world().chains["genuine"], alpn=("h2", "http/1.1")) as server:
        url = f"https://{HOST}:{server.port}/"
        with httpx.Client(verify=context, http2=True) as two, httpx.Client(verify=context) as one:
            assert two.get(url).http_version == "HTTP/2"
            got = one.get(url)
            assert (got.http_version, got.content) == ("HTTP/1.1", BODY)


@pytest.mark.parametrize(("pins", "allowed"), [("good", True), ("refuse-unpinned", False)])
def test_a_request_that_asks_for_another_name(pins: str, allowed: bool) -> None:
    """What the page warns of: a kept connection was verified for the name that was asked for."""
    other_name = {"sni_hostname": "127.0.0.1"}
    with http_origin(world().chains["rogue"]) as server:
        url = f"https://{HOST}:{server.port}/"
        with httpx.Client(verify=pinned(pins)) as client:
            for extensions in (other_name, {}):
                if allowed:
                    assert client.get(url, extensions=extensions).content == BODY
                else:
                    with pytest.raises(httpx.ConnectError) as caught:
                        client.get(url, extensions=extensions)
                    assert find_mismatch(caught.value) is not None
        assert (server.drained() > 0) is allowed

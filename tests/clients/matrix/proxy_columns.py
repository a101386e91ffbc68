"""Columns about proxies: the origin is pinned, and the proxy is not taken for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from clients.matrix.columns import at, held
from clients.matrix.harness import Client, Server, Wiring, behaviour, refused
from pinwarden.pinning import PinSet
from pinwarden.pinning.result import Reason
from support.pin_world import UNPINNED, World, pin_set, policy
from support.proxies import TunnelProxy


@contextmanager
def _through(
    client: Client, world: World, shown: str, pins: PinSet, *, proxy_shows: str | None
) -> Iterator[tuple[Server, TunnelProxy, Wiring]]:
    credentials = None if proxy_shows is None else world.chains[proxy_shows]
    with (
        client.server(world.chains[shown]) as server,
        TunnelProxy((UNPINNED, server.port), credentials) as proxy,
    ):
        yield server, proxy, replace(held(world, pins), proxy=proxy.url)


def _keeps_the_origin(client: Client, world: World, *, proxy_shows: str | None) -> None:
    """Genuine and rogue origins behind an honest or a lying proxy: it does not matter."""
    for shown, allowed in (("genuine", True), ("rogue", False), ("stuffed", False)):
        for pins in ("good", "report-only"):
            behind = _through(client, world, shown, pin_set(pins), proxy_shows=proxy_shows)
            with behind as (server, proxy, wiring):
                with client.session(wiring) as ask:
                    if allowed or pins == "report-only":
                        assert ask(at(server))
                    else:
                        refused(client, ask, at(server), column="https-proxy")
                assert proxy.asked
                assert proxy.asked[0].startswith(f"CONNECT localhost:{server.port} ".encode())
                assert (server.drained() > 0) is (allowed or pins == "report-only")


@behaviour("http-proxy")
def http_proxy(client: Client, world: World) -> None:
    _keeps_the_origin(client, world, proxy_shows=None)


@behaviour("https-proxy")
def https_proxy(client: Client, world: World) -> None:
    """TLS inside TLS; the proxy's certificate is by an authority that is not pinned."""
    _keeps_the_origin(client, world, proxy_shows="rogue")


@behaviour("proxy-with-pins")
def proxy_with_pins(client: Client, world: World) -> None:
    """A pinned proxy that is somebody else is not even told whom the client wants."""
    pins = PinSet([policy(ca="intermediate"), policy(UNPINNED, ca="intermediate")])
    behind = _through(client, world, "genuine", pins, proxy_shows="rogue")
    with behind as (server, proxy, wiring):
        with client.session(wiring) as ask:
            refused(client, ask, at(server), reason=Reason.NO_PIN_MATCHED, column="proxy-with-pins")
        assert proxy.asked == []
        assert server.drained() == 0

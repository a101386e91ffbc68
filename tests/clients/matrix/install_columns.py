"""Columns about `install()`: the client is given nothing, and makes its own context."""

from __future__ import annotations

import warnings

from clients.matrix.columns import at
from clients.matrix.harness import Client, Target, Wiring, behaviour, refused
from pinwarden.clients import install
from pinwarden.pinning.result import Reason
from support.pin_world import UNPINNED, World, pin_set


@behaviour("installed")
def installed(client: Client, world: World) -> None:
    """A client that knows nothing of pins is held to them."""
    wiring = Wiring(context=None, cafile=world.cafile)
    with install(pin_set("good")):
        for shown, allowed in (("genuine", True), ("rogue", False), ("stuffed", False)):
            with client.server(world.chains[shown]) as server:
                with client.session(wiring) as ask:
                    if allowed:
                        assert ask(at(server))
                    else:
                        refused(client, ask, at(server), column="installed")
                assert (server.drained() > 0) is allowed


@behaviour("installed-later")
def installed_later(client: Client, world: World) -> None:
    """A client that was made before is reached too, and let go again afterwards."""
    wiring = Wiring(context=None, cafile=world.cafile)
    with client.server(world.chains["rogue"]) as server:
        with client.session(wiring) as ask:
            with install(pin_set("good")):
                refused(client, ask, at(server), column="installed-later")
                assert server.drained() == 0
            assert ask(at(server))
        assert server.drained() > 0


@behaviour("installed-verify-false")
def installed_verify_false(client: Client, world: World) -> None:
    """Who does not verify cannot reach a pinned host at all, and can reach others."""
    wiring = Wiring(context=None, cafile=world.cafile, verify=False)
    with install(pin_set("good")), warnings.catch_warnings():
        # urllib3 warns of it, and rightly.
        warnings.simplefilter("ignore")
        for shown in ("genuine", "rogue", "forged", "fake-intermediate", "self-signed"):
            with client.server(world.chains[shown]) as server:
                with client.session(wiring) as ask:
                    refused(
                        client,
                        ask,
                        at(server),
                        reason=Reason.EMPTY_CHAIN,
                        column="installed-verify-false",
                    )
                assert server.drained() == 0
        with client.server(world.chains["self-signed"]) as server:
            with client.session(wiring) as ask:
                assert ask(Target(UNPINNED, server.port))
            assert server.drained() > 0

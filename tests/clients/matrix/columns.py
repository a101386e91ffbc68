"""The columns: what a server shows, which pins are in force, and what must come of it."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from dataclasses import replace

from clients.matrix.harness import (
    PINNED,
    UNPINNED,
    Client,
    ResumingContext,
    Server,
    Target,
    Wiring,
    behaviour,
    failure,
    refused,
)
from pinwarden.clients import LivePins, PinnedContext, find_mismatch
from pinwarden.pinning import PinSet
from pinwarden.pinning.result import PinResult, Reason
from support.pin_world import World, pin_set, policy


def held(world: World, pins: PinSet | LivePins, *, trust: str | None = None) -> Wiring:
    """Directly, by a context that trusts A and B, or `trust`."""
    context = PinnedContext(pins, cadata=trust or world.bundle)
    return Wiring(context=context, cafile=world.cafile)


def at(server: Server, host: str = PINNED) -> Target:
    return Target(host, server.port)


def answers(client: Client, world: World, shown: str, wiring: Wiring) -> None:
    """One request to a server that shows this chain is answered."""
    with client.server(world.chains[shown]) as server:
        with client.session(wiring) as ask:
            assert ask(at(server))
        assert server.drained() > 0


def refuses(
    client: Client,
    world: World,
    shown: str,
    wiring: Wiring,
    reason: Reason = Reason.NO_PIN_MATCHED,
    *,
    column: str = "",
) -> PinResult | None:
    """One request to a server that shows this chain fails, and the server is told nothing."""
    with client.server(world.chains[shown]) as server:
        with client.session(wiring) as ask:
            result = refused(client, ask, at(server), reason=reason, column=column)
        assert server.drained() == 0
    return result


@behaviour("good")
def good(client: Client, world: World) -> None:
    answers(client, world, "genuine", held(world, pin_set("good")))
    answers(client, world, "genuine", held(world, pin_set("root")))


@behaviour("backup")
def backup(client: Client, world: World) -> None:
    answers(client, world, "genuine", held(world, pin_set("backup")))


@behaviour("leaf-only")
def leaf_only(client: Client, world: World) -> None:
    """A leaf pin is met by the leaf, and not by an authority that has the same key pinned."""
    answers(client, world, "genuine", held(world, pin_set("leaf")))
    refuses(client, world, "genuine", held(world, PinSet([policy(leaf="intermediate")])))


@behaviour("wrong-pin")
def wrong_pin(client: Client, world: World) -> None:
    """The error says what was seen and what was expected, wherever a client has put it."""
    result = refuses(client, world, "genuine", held(world, pin_set("wrong")), column="wrong-pin")
    if result is not None:
        assert result.seen == tuple(world.pins[n] for n in ("leaf", "intermediate", "root"))
        assert world.pins["stray"] in result.expected
        assert result.host == PINNED


@behaviour("rogue")
def rogue(client: Client, world: World) -> None:
    """A certificate for the name by another authority that is trusted."""
    refuses(client, world, "rogue", held(world, pin_set("good")), column="rogue")


@behaviour("forbidden")
def forbidden(client: Client, world: World) -> None:
    wiring = held(world, pin_set("forbidden"))
    refuses(client, world, "genuine", wiring, Reason.FORBIDDEN_KEY, column="forbidden")


@behaviour("stuffed-chain")
def stuffed_chain(client: Client, world: World) -> None:
    """Pinned certificates that a server only sends prove nothing."""
    for pins in ("good", "root", "leaf"):
        refuses(client, world, "stuffed", held(world, pin_set(pins)), column="stuffed-chain")


@behaviour("cross-signed-chain")
def cross_signed_chain(client: Client, world: World) -> None:
    """Which root a chain ends at depends on the trust store, and so does a pin on it."""
    old = PinSet([policy(ca="old-root")])
    new_trust, old_trust = world.bundle_of("a", "old"), world.bundle_of("old")
    for trust in (new_trust, old_trust):
        answers(client, world, "cross-signed", held(world, pin_set("root"), trust=trust))
    answers(client, world, "cross-signed", held(world, old, trust=old_trust))
    wiring = held(world, old, trust=new_trust)
    refuses(client, world, "cross-signed", wiring, column="cross-signed-chain")


@behaviour("not-verified")
def not_verified(client: Client, world: World) -> None:
    """Pins add to verification: a pinned key in a chain that does not verify is no pass."""
    leaf = PinSet([policy(leaf="leaf", ca=("intermediate", "root", "rogue-leaf"))])
    for shown in ("forged", "fake-intermediate", "expired", "wrong-host", "self-signed"):
        wiring = held(world, leaf)
        with client.server(world.chains[shown]) as server:
            with client.session(wiring) as ask:
                assert find_mismatch(failure(ask, at(server))) is None
            assert server.drained() == 0


@behaviour("expired")
def expired(client: Client, world: World) -> None:
    """After the last day: refused, not pinned, or only reported, as the policy says."""
    for pins in ("expired-closed", "stale-closed"):
        refuses(client, world, "genuine", held(world, pin_set(pins)), Reason.EXPIRED)
    for pins in ("expired-open", "stale-open", "expired-report-only", "stale-report-only"):
        answers(client, world, "genuine", held(world, pin_set(pins)))


@behaviour("report-only")
def report_only(client: Client, world: World) -> None:
    answers(client, world, "genuine", held(world, pin_set("report-only")))
    answers(client, world, "rogue", held(world, pin_set("report-only")))


@behaviour("unpinned")
def unpinned(client: Client, world: World) -> None:
    """A host that no policy is about: as the set says."""
    for pins, allowed in (("wrong", True), ("refuse-unpinned", False)):
        with client.server(world.chains["genuine"]) as server:
            with client.session(held(world, pin_set(pins))) as ask:
                if allowed:
                    assert ask(at(server, UNPINNED))
                else:
                    refused(client, ask, at(server, UNPINNED), reason=Reason.HOST_NOT_PINNED)
            assert (server.drained() > 0) is allowed


@behaviour("address")
def address(client: Client, world: World) -> None:
    """A policy about an IP address, and not about the name that leads there."""
    pins = pin_set("good", UNPINNED)
    for shown, host, allowed in (
        ("genuine", UNPINNED, True),
        ("rogue", UNPINNED, False),
        ("rogue", PINNED, True),
    ):
        with client.server(world.chains[shown]) as server:
            with client.session(held(world, pins)) as ask:
                if allowed:
                    assert ask(at(server, host))
                else:
                    refused(client, ask, at(server, host))
            assert (server.drained() > 0) is allowed


@behaviour("resumed-session")
def resumed_session(client: Client, world: World) -> None:
    """A resumed session has no verified chain: refused, and where no pins are, still good."""
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ResumingContext(pin_set("good"), cadata=world.bundle)
        wiring = Wiring(context=context, cafile=world.cafile)
        with client.server(world.chains["genuine"], newest=newest) as server:
            with client.session(wiring) as ask:
                assert ask(at(server))
            before = server.drained()
            assert context.kept is not None
            with client.session(wiring) as ask:
                result = refused(
                    client,
                    ask,
                    at(server),
                    reason=Reason.EMPTY_CHAIN,
                    column="resumed-session",
                )
            assert result is None or "resumed" in result.problem
            assert server.drained() == before
        with client.server(world.chains["genuine"], newest=newest) as server:
            context.kept = None
            for _ in range(2):
                with client.session(wiring) as ask:
                    assert ask(at(server, UNPINNED))
            assert server.resumed == 1


@behaviour("redirect")
def redirect(client: Client, world: World) -> None:
    """A pinned origin sends the client on to an unpinned host: as the set says."""
    for pins, allowed in (("good", True), ("refuse-unpinned", False)):
        with (
            client.server(world.chains["rogue"]) as other,
            redirecting(client, world, at(other, UNPINNED)) as server,
        ):
            with client.session(held(world, pin_set(pins))) as ask:
                if allowed:
                    assert ask(at(server))
                else:
                    refused(client, ask, at(server), reason=Reason.HOST_NOT_PINNED)
            assert server.drained() > 0
            assert (other.drained() > 0) is allowed
    # On to the pinned host on another port, which an attacker has taken.
    with (
        client.server(world.chains["rogue"]) as other,
        redirecting(client, world, at(other)) as server,
    ):
        with client.session(held(world, pin_set("good"))) as ask:
            refused(client, ask, at(server))
        assert other.drained() == 0


def redirecting(client: Client, world: World, to: Target) -> AbstractContextManager[Server]:
    return client.server(world.chains["genuine"], location=to.url)


@behaviour("userinfo")
def userinfo(client: Client, world: World) -> None:
    """User and password before the host change nothing, and are not told to a rogue."""
    for shown, allowed in (("genuine", True), ("rogue", False)):
        with client.server(world.chains[shown]) as server:
            target = Target(PINNED, server.port, userinfo="user:secret@")
            with client.session(held(world, pin_set("good"))) as ask:
                if allowed:
                    assert ask(target)
                else:
                    refused(client, ask, target)
            assert (server.drained() > 0) is allowed


@behaviour("host-spelling")
def host_spelling(client: Client, world: World) -> None:
    """However the host is written, the policy is the one of its name."""
    for host in ("LOCALHOST", "LocalHost"):
        with client.server(world.chains["rogue"]) as server:
            with client.session(held(world, pin_set("good"))) as ask:
                refused(client, ask, at(server, host))
            assert server.drained() == 0


@behaviour("changed-set")
def changed_set(client: Client, world: World) -> None:
    """A kept connection goes on under a set that it meets, and is cut under another."""
    live = LivePins(pin_set("good"))
    with client.server(world.chains["genuine"]) as server:
        with client.session(held(world, live)) as ask:
            assert ask(at(server))
            live.replace(pin_set("root"))
            assert ask(at(server))
            assert len(server.visits) == 1, "the connection was not kept"
            before = server.said
            live.replace(pin_set("wrong"))
            refused(client, ask, at(server), column="changed-set")
            # And not on the second attempt either, on whichever connection.
            refused(client, ask, at(server))
        assert server.drained() == before


@behaviour("changed-back")
def changed_back(client: Client, world: World) -> None:
    """When the good set comes back, so does the client."""
    live = LivePins(pin_set("wrong"))
    with client.server(world.chains["genuine"]) as server:
        with client.session(held(world, live)) as ask:
            refused(client, ask, at(server))
            assert server.said == 0
            live.replace(pin_set("good"))
            assert ask(at(server))
        assert server.drained() > 0


@behaviour("verify-false")
def verify_false(client: Client, world: World) -> None:
    """Not verifying does not switch pins off: either it is an error, or it changes nothing."""
    for shown in ("genuine", "rogue", "forged"):
        with client.server(world.chains[shown]) as server:
            told = _without_verification(client, world, at(server))
            assert server.drained() == 0 or (told and shown == "genuine")


def _without_verification(client: Client, world: World, target: Target) -> bool:
    """Whether a client that is told not to verify gets an answer."""
    wiring = replace(held(world, pin_set("good")), verify=False)
    try:
        with client.session(wiring) as ask:
            return bool(ask(target))
    except Exception:
        return False

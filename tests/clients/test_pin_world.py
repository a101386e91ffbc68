"""The world of certificates that the pinning tests rest on is as it says it is."""

from __future__ import annotations

import socket
import ssl

import pytest

from pinwarden.pinning import Pin
from pinwarden.pinning.peer_chain import sent_chain, verified_chain
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_world import HOST, World, world

VERIFIED = {
    "genuine": ("leaf", "intermediate", "root"),
    "rogue": ("rogue-leaf", "rogue-intermediate", "rogue-root"),
    "stuffed": ("rogue-leaf", "rogue-intermediate", "rogue-root"),
    "cross-signed": ("leaf", "intermediate", "root"),
    "rsa-pss": ("rsa-pss", "intermediate", "root"),
    "ed25519": ("ed25519", "intermediate", "root"),
    "compressed": ("compressed", "intermediate", "root"),
}
NOT_VERIFIED = ("forged", "fake-intermediate", "expired", "wrong-host", "self-signed")


def handshake(name: str, context: ssl.SSLContext) -> tuple[tuple[Pin, ...], tuple[bytes, ...]]:
    """The pins of the chain that a context verifies, and what the server sent."""
    with (
        world().serve(name) as server,
        socket.create_connection(server.address, timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=HOST) as tls,
    ):
        return tuple(map(pin_of_certificate, verified_chain(tls))), sent_chain(tls)


@pytest.fixture(scope="module")
def made() -> World:
    return world()


@pytest.mark.parametrize("name", VERIFIED)
def test_what_is_trusted(made: World, name: str) -> None:
    """Each verifies, with the chain that its description gives, and sends what it should."""
    context = ssl.create_default_context(cadata=made.bundle)
    seen, sent = handshake(name, context)
    assert seen == tuple(made.pins[each] for each in VERIFIED[name])
    assert sent == made.chains[name].certificates


@pytest.mark.parametrize("name", NOT_VERIFIED)
def test_what_is_not_trusted(made: World, name: str) -> None:
    """Each is refused by an ordinary context."""
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(name, ssl.create_default_context(cadata=made.bundle))


@pytest.mark.parametrize(
    ("name", "believed"),
    [
        ("forged", ("intermediate", "root")),
        ("fake-intermediate", ("intermediate",)),
    ],
)
def test_what_an_unverified_chain_says(made: World, name: str, believed: tuple[str, ...]) -> None:
    """The attacks are real: without verification the library calls pinned keys verified."""
    context = ssl.create_default_context(cadata=made.bundle)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    seen, _ = handshake(name, context)
    assert {made.pins[each] for each in believed} <= set(seen)
    assert made.pins["leaf"] not in seen


def test_a_root_long_trusted(made: World) -> None:
    """Who trusts only the old root gets to it through the crossed one."""
    context = ssl.create_default_context(cadata=made.bundle_of("old"))
    seen, _ = handshake("cross-signed", context)
    assert seen == tuple(made.pins[n] for n in ("leaf", "intermediate", "root", "old-root"))

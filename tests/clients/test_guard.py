"""No way to a first request goes around the pins, whatever the context was made from."""

from __future__ import annotations

import ssl

import pytest

from pinwarden.clients import LivePins, PinMismatch, PinnedContext
from pinwarden.pinning import PinSet, PinVerdict, Reason
from support.pin_world import HOST, pin_set, policy, said, world
from support.pinned_makers import MAKERS
from support.tls_ways import REQUEST, WAYS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("maker", MAKERS)
def test_a_pinned_key_is_let_through(maker: str, way: str) -> None:
    """The request arrives, and the answer too."""
    with world().serve() as server, MAKERS[maker](LivePins(pin_set("good"))) as context:
        assert WAYS[way](context, server.address, HOST) == b"HTTP/1.1 200"
    assert said(server) == REQUEST


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("maker", MAKERS)
def test_another_key_hears_nothing(maker: str, way: str) -> None:
    """A server with another trusted authority's certificate gets not one octet."""
    with (
        world().serve("stuffed") as server,
        MAKERS[maker](LivePins(pin_set("good"))) as context,
        pytest.raises(PinMismatch) as caught,
    ):
        WAYS[way](context, server.address, HOST)
    result = caught.value.result
    assert (result.verdict, result.reason) == (PinVerdict.MISMATCH, Reason.NO_PIN_MATCHED)
    pins = world().pins
    # What was verified, not what was sent: the pinned certificates were among that.
    assert result.seen == (pins["rogue-leaf"], pins["rogue-intermediate"], pins["rogue-root"])
    assert len(server.visits) == 1
    assert said(server) == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("way", WAYS)
def test_both_versions_of_tls(version: ssl.TLSVersion, way: str) -> None:
    """TLS 1.2 ends its handshake in another order, and is checked as well."""
    for chain, heard in (("genuine", REQUEST), ("rogue", b"")):
        context = PinnedContext(pin_set("good"), cafile=world().cafile)
        with world().serve(chain, newest=version) as server:
            try:
                WAYS[way](context, server.address, HOST)
            except PinMismatch:
                assert chain == "rogue"
        assert said(server) == heard


@pytest.mark.parametrize(
    ("behaviour", "chain", "heard"),
    [
        ("good", "genuine", True),
        ("good", "cross-signed", True),
        ("good", "rogue", False),
        ("root", "genuine", True),
        ("root", "cross-signed", True),
        ("root", "stuffed", False),
        ("leaf", "genuine", True),
        ("leaf", "stuffed", False),
        ("backup", "genuine", True),
        ("backup", "rogue", False),
        ("wrong", "genuine", False),
        ("forbidden", "genuine", False),
        ("forbidden", "rogue", False),
        ("report-only", "genuine", True),
        ("report-only", "stuffed", True),
        ("expired-closed", "genuine", False),
        ("expired-open", "genuine", True),
        ("expired-report-only", "genuine", True),
        ("stale-closed", "genuine", False),
        ("stale-open", "genuine", True),
        ("stale-report-only", "genuine", True),
        ("refuse-unpinned", "genuine", True),
        ("good", "rsa-pss", True),
        ("good", "ed25519", True),
        ("good", "compressed", True),
    ],
)
def test_what_each_set_does(behaviour: str, chain: str, heard: bool) -> None:
    """Each behaviour of a set, over both kinds of connection."""
    for way in ("on-wrapping", "memory-write"):
        context = PinnedContext(pin_set(behaviour), cafile=world().cafile)
        with world().serve(chain) as server:
            try:
                WAYS[way](context, server.address, HOST)
            except PinMismatch:
                assert not heard
        assert said(server) == (REQUEST if heard else b"")


@pytest.mark.parametrize("chain", ["forged", "fake-intermediate", "expired", "self-signed"])
@pytest.mark.parametrize("maker", MAKERS)
def test_pins_replace_no_verification(maker: str, chain: str) -> None:
    """What does not verify is refused as ever, though pinned keys stand in what is sent."""
    with (
        world().serve(chain) as server,
        MAKERS[maker](LivePins(pin_set("report-only"))) as context,
        pytest.raises(ssl.SSLCertVerificationError) as caught,
    ):
        WAYS["on-wrapping"](context, server.address, HOST)
    assert not isinstance(caught.value, PinMismatch)
    assert said(server) == b""


@pytest.mark.parametrize("key", ["rsa-pss", "ed25519", "compressed"])
def test_keys_that_are_easily_written_anew(key: str) -> None:
    """A leaf pin of such a key is that of its bytes in the certificate."""
    context = PinnedContext(PinSet([policy(leaf=key)]), cafile=world().cafile)
    with world().serve(key) as server:
        assert WAYS["explicit"](context, server.address, HOST) == b"HTTP/1.1 200"

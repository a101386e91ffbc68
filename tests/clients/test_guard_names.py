"""The policy is found by the name that the connection is really for, however it is written."""

from __future__ import annotations

import socket
import ssl
import sys

import pytest

from pinwarden.clients import PinMismatch, PinnedContext, install
from pinwarden.errors import MalformedError
from pinwarden.pinning import PinSet, Reason
from support.pin_world import HOST, UNPINNED, pin_set, policy, said, world
from support.tls_ways import REQUEST, WAYS, answer, wrapped

BOTH = ("explicit", "memory-explicit")


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize(
    ("pinned", "asked"),
    [
        ("localhost", "LocalHost"),
        ("LOCALHOST.", "localhost"),
        ("Shop.Example", "sHOP.eXAMPLE"),
        ("bücher.example", "bücher.example"),
        ("bücher.example", "BÜCHER.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "bücher。example"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::1", "0:0:0:0:0:0:0:1"),
    ],
)
def test_spellings_of_one_name(way: str, pinned: str, asked: str) -> None:
    """Each is let through by the right pin, and refused by the wrong one."""
    for behaviour, heard in (("good", REQUEST), ("wrong", b"")):
        context = PinnedContext(pin_set(behaviour, pinned), cafile=world().cafile)
        with world().serve() as server:
            try:
                WAYS[way](context, server.address, asked)
            except PinMismatch:
                assert behaviour == "wrong"
        assert said(server) == heard


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("asked", ["localhost.", "127.0.0.1.", "127.1"])
def test_names_that_are_almost_the_pinned_one(way: str, asked: str) -> None:
    """Whoever verifies such a name at all is held to the pins of what it means."""
    pins = PinSet([policy(host, ca="stray") for host in (HOST, UNPINNED)])
    context = PinnedContext(pins, cafile=world().cafile)
    with world().serve() as server, pytest.raises((ssl.SSLCertVerificationError, ValueError)):
        WAYS[way](context, server.address, asked)
    assert said(server) == b""


def test_a_name_with_an_end_in_it() -> None:
    """OpenSSL would read no further than the NUL; ssl does not let it come so far."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with pytest.raises((TypeError, ValueError)):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost\0.example")


@pytest.mark.parametrize(
    ("asked", "words"),
    [("straße.example", "for some clients"), ("☃.example", "not a valid internationalised")],
)
def test_a_name_that_two_standards_write_differently(asked: str, words: str) -> None:
    """Ssl makes strasse of straße (IDNA 2003), which is somebody else's name."""
    context = PinnedContext(pin_set("good", "xn--strae-oqa.example"), cafile=world().cafile)
    with socket.socket() as raw:
        with pytest.raises(MalformedError, match=words):
            context.wrap_socket(raw, server_hostname=asked)
        # Still its owner's to close.
        assert raw.fileno() != -1
    with pytest.raises(MalformedError, match=words):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=asked)


def test_what_the_socket_says_of_its_name_is_not_asked() -> None:
    """The attribute can be set by anybody, at any time."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve("rogue") as server, wrapped(context, server.address, HOST) as tls:
        tls.server_hostname = UNPINNED
        with pytest.raises(PinMismatch):
            tls.sendall(REQUEST)
    assert said(server) == b""


def test_a_connection_without_a_name() -> None:
    """A pinned context wants one; where another makes do without, no policy can be found."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with socket.socket() as raw, pytest.raises(ValueError, match="server_hostname"):
        context.wrap_socket(raw)
    with pytest.raises(ValueError, match="server_hostname"):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="")
    other = ssl.create_default_context(cafile=world().cafile)
    other.check_hostname = False
    with (
        world().serve() as server,
        install(pin_set("good")),
        wrapped(other, server.address, None) as tls,
        pytest.raises(PinMismatch) as caught,
    ):
        tls.sendall(REQUEST)
    assert caught.value.result.reason is Reason.HOST_UNREADABLE
    assert "server_hostname" in str(caught.value.hint)
    assert said(server) == b""


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 makes no such object")
def test_an_object_without_a_name() -> None:
    """Python before 3.14 makes one in spite of check_hostname, and verifies no name."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve("wrong-host") as server, pytest.raises(PinMismatch) as caught:
        WAYS["memory-write"](context, server.address, None)
    assert caught.value.result.reason is Reason.HOST_UNREADABLE
    assert said(server) == b""


@pytest.mark.parametrize("way", BOTH)
def test_unpinned_hosts(way: str) -> None:
    """They are let through, or refused, as the set says."""
    with world().serve("rogue") as server:
        context = PinnedContext(pin_set("good"), cafile=world().cafile)
        assert WAYS[way](context, server.address, UNPINNED) == b"HTTP/1.1 200"
    with world().serve() as server:
        context = PinnedContext(pin_set("refuse-unpinned"), cafile=world().cafile)
        with pytest.raises(PinMismatch) as caught:
            WAYS[way](context, server.address, UNPINNED)
    assert caught.value.result.reason is Reason.HOST_NOT_PINNED
    assert said(server) == b""


def test_subdomains_and_exceptions() -> None:
    """A policy with everything below it, and one name that it leaves out."""
    excluded = policy("example", ca="stray", include_subdomains=True, exclude=("www.shop.example",))
    context = PinnedContext(PinSet([excluded]), cafile=world().cafile)
    with world().serve() as server:
        with wrapped(context, server.address, "www.shop.example") as tls:
            tls.sendall(REQUEST)
            assert answer(tls) == b"HTTP/1.1 200"
        with pytest.raises(PinMismatch):
            WAYS["send"](context, server.address, "shop.example")

"""When a server that fails its pins learns the client's certificate, as the docs say."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pinwarden.clients import PinMismatch, PinnedContext
from pinwarden.lab.ca import key_pem, pem
from pinwarden.lab.tls import server_context
from support.pin_world import HOST, pin_set, world
from support.tls_ways import wrapped

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's certificate and key in one file."""
    file = tmp_path_factory.mktemp("client") / "client.pem"
    shown = world().client_certificate
    file.write_bytes(key_pem(shown.private_key) + pem(shown.certificates))
    return file


class Asking:
    """A server that wants a certificate of its clients, and remembers what it got."""

    def __init__(self) -> None:
        self.certificates: list[bytes | None] = []
        self.heard = bytearray()


@contextmanager
def asking(chain: str, newest: ssl.TLSVersion, *, later: bool = False) -> Iterator[tuple]:
    """Where it listens, and what it learnt; with `later` it asks after the handshake."""
    context = server_context(world().chains[chain], newest=newest)
    context.load_verify_locations(cadata=world().bundle)
    context.verify_mode = ssl.CERT_REQUIRED
    context.post_handshake_auth = later
    learnt = Asking()

    def serve(visitor: socket.socket) -> None:
        with (
            visitor,
            suppress(OSError),
            context.wrap_socket(visitor, server_side=True) as tls,
        ):
            learnt.certificates.append(tls.getpeercert(True))
            learnt.heard.extend(tls.recv(100))
            if later:
                tls.verify_client_post_handshake()
                tls.sendall(b"who?")
                learnt.heard.extend(tls.recv(100))
                learnt.certificates.append(tls.getpeercert(True))
            tls.sendall(b"well")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: serve(listening.accept()[0]))
        thread.start()
        yield listening.getsockname(), learnt
        thread.join()


def pinned(identity: Path) -> PinnedContext:
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    context.load_cert_chain(identity)
    return context


@pytest.mark.parametrize("newest", [V12, V13])
def test_the_right_server_learns_it(identity: Path, newest: ssl.TLSVersion) -> None:
    """Pins and client certificates go together."""
    with (
        asking("genuine", newest) as (address, learnt),
        wrapped(pinned(identity), address, HOST) as tls,
    ):
        tls.sendall(b"hello")
        assert tls.recv(4) == b"well"
    assert learnt.certificates == [world().client_certificate.certificates[0]]


@pytest.mark.parametrize("newest", [V12, V13])
def test_over_a_socket_a_rogue_learns_it(identity: Path, newest: ssl.TLSVersion) -> None:
    """OpenSSL ends the handshake before anybody can look; application data stays unsaid."""
    with (
        asking("rogue", newest) as (address, learnt),
        wrapped(pinned(identity), address, HOST) as tls,
        pytest.raises(PinMismatch),
    ):
        tls.sendall(b"secret")
    assert learnt.certificates == [world().client_certificate.certificates[0]]
    assert learnt.heard == b""


@pytest.mark.parametrize(("newest", "learns"), [(V12, True), (V13, False)])
async def test_with_asyncio_a_rogue_learns_it_in_tls_1_2_alone(
    identity: Path, newest: ssl.TLSVersion, learns: bool
) -> None:
    """In TLS 1.3 the client's certificate is in the last flight, which is not sent off."""
    with asking("rogue", newest) as (address, learnt), pytest.raises(PinMismatch):
        await asyncio.open_connection(*address, ssl=pinned(identity), server_hostname=HOST)
    assert bool(learnt.certificates) is learns
    assert learnt.heard == b""


def test_the_right_server_may_ask_later(identity: Path) -> None:
    """Post-handshake authentication (RFC 8446 section 4.6.2) works under pins."""
    context = pinned(identity)
    context.post_handshake_auth = True
    with (
        asking("genuine", V13, later=True) as (address, learnt),
        wrapped(context, address, HOST) as tls,
    ):
        tls.sendall(b"hello")
        assert tls.recv(4) == b"who?"
        tls.sendall(b"it is me")
        assert tls.recv(4) == b"well"
    assert learnt.certificates == [None, world().client_certificate.certificates[0]]
    assert learnt.heard == b"helloit is me"


def test_a_rogue_that_asks_later_learns_nothing(identity: Path) -> None:
    """The pins come before the question."""
    context = pinned(identity)
    context.post_handshake_auth = True
    with (
        asking("rogue", V13, later=True) as (address, learnt),
        wrapped(context, address, HOST) as tls,
        pytest.raises(PinMismatch),
    ):
        tls.recv(4)
    assert set(learnt.certificates) <= {None}
    assert learnt.heard == b""


def test_pins_that_change_before_the_server_asks(identity: Path) -> None:
    """The answer would be given by the next read, and that looks at the pins first."""
    context = pinned(identity)
    context.post_handshake_auth = True
    with (
        asking("genuine", V13, later=True) as (address, learnt),
        wrapped(context, address, HOST) as tls,
    ):
        tls.sendall(b"hello")
        context.pins = pin_set("wrong")
        with pytest.raises(PinMismatch):
            tls.recv(4)
    assert set(learnt.certificates) == {None}
    assert learnt.heard == b"hello"

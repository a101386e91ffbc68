"""A connection that was refused stays refused, and nothing is ever said in plain text."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from pinwarden.clients import LivePins, PinMismatch, PinnedContext
from pinwarden.lab.tls import server_context
from support.pin_world import HOST, pin_set, said, world
from support.tls_ways import REQUEST, Memory, wrapped


def _sendfile(tls: ssl.SSLSocket) -> object:
    with tempfile.TemporaryFile() as file:
        file.write(REQUEST)
        file.seek(0)
        return tls.sendfile(file)


ATTEMPTS: dict[str, Callable[[ssl.SSLSocket], object]] = {
    "do_handshake": lambda tls: tls.do_handshake(),
    "send": lambda tls: tls.send(REQUEST),
    "sendall": lambda tls: tls.sendall(REQUEST),
    "write": lambda tls: tls.write(REQUEST),
    "sendfile": _sendfile,
    "sendto": lambda tls: tls.sendto(REQUEST, ("127.0.0.1", 9)),
    "recv": lambda tls: tls.recv(1),
    "recv_into": lambda tls: tls.recv_into(bytearray(1)),
    "read": lambda tls: tls.read(1),
    "unwrap": lambda tls: tls.unwrap(),
    "connect": lambda tls: tls.connect(("127.0.0.1", 9)),
    "connect_ex": lambda tls: tls.connect_ex(("127.0.0.1", 9)),
}


@contextmanager
def refused(pins: LivePins, **options: object) -> Iterator[ssl.SSLSocket]:
    """A socket to a rogue server, after the handshake that ended it."""
    context = PinnedContext(pins, cafile=world().cafile)
    with world().serve("stuffed") as server:
        with wrapped(context, server.address, HOST, **options) as tls:
            begin = partial(tls.connect, server.address) if options else tls.do_handshake
            with pytest.raises(PinMismatch):
                begin()
            yield tls
        assert said(server) == b""


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_second_try_passes(attempt: str) -> None:
    """Whatever is tried after a refusal is refused again, for the same reason."""
    with refused(LivePins(pin_set("good"))) as tls:
        for _ in range(3):
            with pytest.raises(PinMismatch) as caught:
                ATTEMPTS[attempt](tls)
            assert caught.value.result.seen[0] == world().pins["rogue-leaf"]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_not_even_with_other_pins(attempt: str) -> None:
    """A set that would have allowed it comes too late for this connection."""
    live = LivePins(pin_set("good"))
    with refused(live) as tls:
        live.replace(pin_set("report-only"))
        with pytest.raises(PinMismatch):
            ATTEMPTS[attempt](tls)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_plain_text_after_a_connect_that_was_refused(attempt: str) -> None:
    """A socket that connected, and whose handshake was refused, is no plain socket now."""
    options = {"connected": False, "do_handshake_on_connect": True}
    with refused(LivePins(pin_set("good")), **options) as tls, pytest.raises(PinMismatch):
        ATTEMPTS[attempt](tls)


def test_a_refused_object_stays_refused() -> None:
    """Over memory buffers too."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve("rogue") as server, socket.create_connection(server.address) as raw:
        memory = Memory(context, raw, HOST)
        with pytest.raises(PinMismatch):
            memory.until_done(memory.tls.do_handshake, over=lambda: False)
        context.pins = pin_set("report-only")
        for attempt in (
            memory.tls.do_handshake,
            lambda: memory.tls.write(REQUEST),
            lambda: memory.tls.read(1),
        ):
            with pytest.raises(PinMismatch):
                memory.until_done(attempt, over=lambda: False)
        # To take leave is no application data.
        with suppress(ssl.SSLError):
            memory.tls.unwrap()
    assert said(server) == b""


@contextmanager
def _plain_server() -> Iterator[tuple[tuple[str, int], bytearray]]:
    """Takes whatever it is told, in plain text, until the client leaves."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            visitor, _ = listening.accept()
            with visitor, suppress(OSError):
                while got := visitor.recv(4096):
                    heard.extend(got)

        thread = threading.Thread(target=take)
        thread.start()
        yield listening.getsockname(), heard
        thread.join()


@pytest.mark.parametrize("attempt", ["send", "sendall", "sendfile", "sendto", "recv", "recv_into"])
def test_no_plain_text_after_a_connect_that_did_not_wait(attempt: str) -> None:
    """Ssl forgets TLS when a non-blocking connect() has to wait; what follows is refused."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with (
        _plain_server() as (address, heard),
        wrapped(context, address, HOST, connected=False) as tls,
    ):
        tls.setblocking(False)
        with pytest.raises(BlockingIOError):
            tls.connect(address)
        assert tls._sslobj is None  # type: ignore[attr-defined]
        tls.setblocking(True)
        with pytest.raises(OSError, match="no TLS connection"):
            ATTEMPTS[attempt](tls)
    assert heard == b""


def test_no_plain_text_after_a_shutdown() -> None:
    """Ssl forgets TLS at shutdown() too, even if only reading was shut down."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with _plain_server() as (address, heard), wrapped(context, address, HOST) as tls:
        tls.shutdown(socket.SHUT_RD)
        with pytest.raises(OSError, match="no TLS connection"):
            tls.send(REQUEST)
    assert heard == b""


def test_plain_text_after_unwrapping_is_meant() -> None:
    """Protocols such as FTP end TLS on purpose, on connections that were in order."""
    served = world().chains["genuine"]
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            visitor, _ = listening.accept()
            with visitor, server_context(served).wrap_socket(visitor, server_side=True) as tls:
                heard.extend(tls.recv(100))
                plain = tls.unwrap()
                heard.extend(plain.recv(100))
                plain.sendall(b"in plain")

        thread = threading.Thread(target=serve)
        thread.start()
        context = PinnedContext(pin_set("good"), cafile=world().cafile)
        with wrapped(context, listening.getsockname(), HOST) as tls:
            tls.sendall(b"secret,")
            tls.unwrap()
            tls.sendall(b"public")
            assert tls.recv(100) == b"in plain"
            # The pins that are changed now have nothing to look at.
            context.pins = pin_set("wrong")
            tls.sendall(b"!")
        thread.join()
    assert heard == b"secret,public"


def test_a_socket_cannot_be_doubled() -> None:
    """A second socket on the same connection would not know what the first one knows."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with (
        _plain_server() as (address, _),
        wrapped(context, address, HOST) as tls,
        pytest.raises(NotImplementedError),
    ):
        tls.dup()


def test_a_refusal_while_wrapping_closes_the_socket() -> None:
    """Nobody has the socket yet, so nobody else could close it."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve("rogue") as server, socket.create_connection(server.address) as raw:
        with pytest.raises(PinMismatch):
            context.wrap_socket(raw, server_hostname=HOST)
        assert raw.fileno() == -1


def test_a_refusal_by_a_first_send_leaves_the_socket_open() -> None:
    """Clients whose socket closes under them report a bad descriptor, and not the pins."""
    with refused(LivePins(pin_set("good"))) as tls:
        assert tls.fileno() != -1


def test_waiting_is_not_allowed_where_it_cannot_be() -> None:
    """A non-blocking socket is not made to wait for a handshake, as ssl has it."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as raw,
    ):
        raw.setblocking(False)
        with pytest.raises(ValueError, match="non-blocking"):
            context.wrap_socket(raw, server_hostname=HOST)

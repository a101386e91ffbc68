"""Ways around the check that ssl leaves open, each tried."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pinwarden.clients import (
    LivePins,
    PinMismatch,
    PinnedContext,
    WeakenedContextError,
    install,
)
from pinwarden.lab.tls import server_context
from support.pin_world import HOST, pin_set, said, world
from support.tls_ways import PATIENCE, REQUEST, WAYS, answer, whole_answer, wrapped

ANSWER = b"HTTP/1.1 200"


def pinned(behaviour: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(behaviour), cafile=world().cafile)


class Wire:
    """A relay to a server that keeps what a client sent, as it was on the wire."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.seen = bytearray()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        self._target = target
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        client, _ = self._listening.accept()
        with client, socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._pump, args=(server, client, bytearray()))
            back.start()
            self._pump(client, server, self.seen)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, seen: bytearray) -> None:
        try:
            while got := source.recv(65536):
                seen += got
                sink.sendall(got)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def ended(self) -> bytes:
        self._thread.join()
        self._listening.close()
        return bytes(self.seen)


LATER: dict[str, Callable[[ssl.SSLSocket], object]] = {
    "send": lambda tls: tls.send(REQUEST),
    "sendall": lambda tls: tls.sendall(REQUEST),
    "sendto": lambda tls: tls.sendto(REQUEST, ("127.0.0.1", 9)),
    "makefile": lambda tls: tls.makefile("wb", buffering=0).write(REQUEST),
    "recv": lambda tls: tls.recv(1),
    "recv_into": lambda tls: tls.recv_into(bytearray(1)),
    "recvfrom": lambda tls: tls.recvfrom(1),
    "recvfrom_into": lambda tls: tls.recvfrom_into(bytearray(1)),
}


@pytest.mark.parametrize("attempt", LATER)
def test_no_plain_text_after_a_shutdown(attempt: str) -> None:
    """A connection that was in order is a plain one after shutdown(), for ssl."""
    with world().serve() as server:
        wire = Wire(server.address)
        with wrapped(pinned(), wire.address, HOST) as tls:
            tls.sendall(REQUEST)
            whole_answer(tls)
            tls.shutdown(socket.SHUT_RD)
            for _ in range(2):
                with pytest.raises(OSError, match="no TLS connection"):
                    LATER[attempt](tls)
        assert b"secret" not in wire.ended()
    assert said(server) == REQUEST


def test_no_plain_text_after_a_shutdown_that_failed() -> None:
    """Ssl has forgotten TLS before it finds out that there is nothing to shut down."""
    with world().serve() as server, wrapped(pinned(), server.address, HOST) as tls:
        tls.sendall(REQUEST)
        whole_answer(tls)
        with pytest.raises(OSError, match=f"Errno {errno.EINVAL}"):
            tls.shutdown(99)
        with pytest.raises(OSError, match="no TLS connection"):
            tls.send(REQUEST)


def test_who_says_that_it_is_a_server() -> None:
    """The attribute of a socket can be set by anybody."""
    with world().serve("rogue") as server, wrapped(pinned(), server.address, HOST) as tls:
        tls.server_side = True
        with pytest.raises(PinMismatch):
            tls.sendall(REQUEST)
    assert said(server) == b""


def test_another_context_before_connecting() -> None:
    """The pins of the first stay, and what the other one verified is not known."""
    other = ssl.create_default_context(cafile=world().cafile)
    with (
        world().serve("rogue") as server,
        wrapped(pinned(), server.address, HOST, connected=False) as tls,
    ):
        with pytest.raises(AttributeError):
            # It is taken over even so.
            tls.context = other
        assert tls.context is other
        tls.connect(server.address)
        with pytest.raises(PinMismatch, match="is not known"):
            tls.sendall(REQUEST)
    assert said(server) == b""


def test_another_context_after_a_connect_that_failed() -> None:
    """What was known of the first attempt is not known of the second."""
    other = ssl.create_default_context(cafile=world().cafile)
    other.check_hostname = False
    other.verify_mode = ssl.CERT_NONE
    with (
        world().serve("fake-intermediate") as server,
        wrapped(pinned(), server.address, HOST, connected=False) as tls,
    ):
        with pytest.raises(socket.gaierror):
            # No address of this family.
            tls.connect(("::1", server.port))
        with pytest.raises(AttributeError):
            tls.context = other
        tls.connect(server.address)
        with pytest.raises(PinMismatch, match="is not known"):
            tls.sendall(REQUEST)
    assert said(server) == b""


def test_connections_of_another_pinned_context() -> None:
    """They would look at the pins of that one."""
    lenient, strict = pinned("report-only"), pinned()
    with pytest.raises(WeakenedContextError, match="foreign class"):
        lenient.sslobject_class._create(  # type: ignore[attr-defined]
            ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST, context=strict
        )
    with socket.socket() as raw:
        made = lenient.sslsocket_class._create(  # type: ignore[attr-defined]
            raw, server_hostname=HOST, context=strict
        )
        with made, pytest.raises(WeakenedContextError, match="foreign class"):
            made.connect(("127.0.0.1", 9))


def test_copies() -> None:
    """A socket cannot be copied; a copied object is as guarded, and as refused, as the first."""
    context = pinned()
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    for thing in (context, tls):
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(thing)
    with socket.socket() as raw, context.wrap_socket(raw, server_hostname=HOST) as wrapping:
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                duplicate(wrapping)
    with pytest.raises(TypeError):
        copy.copy(context)
    twin = copy.copy(tls)
    assert isinstance(twin, context.sslobject_class)
    with pytest.raises(ssl.SSLWantReadError):
        twin.write(REQUEST)


@pytest.mark.skipif(not hasattr(ssl, "OP_ENABLE_KTLS"), reason="this OpenSSL has no kernel TLS")
def test_tls_in_the_kernel() -> None:
    """Where the kernel encrypts, the first sendfile() still waits for the check."""
    for chain in ("genuine", "rogue"):
        context = pinned()
        context.options |= ssl.OP_ENABLE_KTLS
        with world().serve(chain) as server:
            try:
                assert WAYS["sendfile"](context, server.address, HOST) == ANSWER
            except PinMismatch:
                assert chain == "rogue"
        assert said(server) == (REQUEST if chain == "genuine" else b"")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_that_is_set_after_wrapping(newest: ssl.TLSVersion) -> None:
    """It is as resumed as one that was given, and after the handshake it is refused by ssl."""
    context = pinned()
    with world().serve(resuming=True, newest=newest) as server:
        with wrapped(context, server.address, HOST) as tls:
            tls.sendall(REQUEST)
            whole_answer(tls)
            session = tls.session
        with wrapped(context, server.address, HOST) as tls:
            tls.session = session
            with pytest.raises(PinMismatch, match="session was resumed"):
                tls.sendall(REQUEST)
    assert said(server) == REQUEST


@contextmanager
def _server_with_a_shared_key() -> Iterator[tuple[tuple[str, int], bytearray]]:
    heard = bytearray()
    context = server_context(world().chains["rogue"], newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("PSK")
    context.set_psk_server_callback(lambda _: b"shared")  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            visitor, _ = listening.accept()
            visitor.settimeout(PATIENCE)
            try:
                with visitor, context.wrap_socket(visitor, server_side=True) as tls:
                    heard.extend(tls.recv(4096))
            except OSError:
                pass

        thread = threading.Thread(target=take)
        thread.start()
        yield listening.getsockname(), heard
        thread.join()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="no shared keys before Python 3.13")
def test_a_shared_key_instead_of_certificates() -> None:
    """TLS-PSK has no certificates, and so nothing that a pin could match."""
    context = pinned()
    context.set_ciphers("PSK")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_psk_client_callback(lambda _: (None, b"shared"))  # type: ignore[attr-defined]
    with (
        _server_with_a_shared_key() as (address, heard),
        wrapped(context, address, HOST) as tls,
        pytest.raises(PinMismatch),
    ):
        tls.sendall(REQUEST)
    assert heard == b""


FORKING = """
import os, socket, sys
from pinwarden.clients import PinMismatch, PinnedContext
from pinwarden.pinning import PinSet

pins, cafile, port = sys.argv[1:]
context = PinnedContext(PinSet.load(pins), cafile=cafile)
options = {"server_hostname": "localhost", "do_handshake_on_connect": False}
with (
    socket.create_connection(("127.0.0.1", int(port))) as raw,
    context.wrap_socket(raw, **options) as tls,
):
    child = os.fork()
    if not child:
        try:
            tls.sendall(b"secret")
        except PinMismatch:
            os._exit(7)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process(tmp_path: Path) -> None:
    """It inherits the connection, and with it that it was not checked yet."""
    pins = tmp_path / "pins.toml"
    pins.write_text(pin_set("good").to_toml(), encoding="utf-8")
    with world().serve("rogue") as server:
        ran = subprocess.run(
            [sys.executable, "-c", FORKING, str(pins), world().cafile, str(server.port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 7, ran.stderr
    assert said(server) == b""


def test_servers_under_an_installation_do_not_look() -> None:
    """Their sockets are of the guarded class too, and have nothing to compare."""
    one, other = socket.socketpair()
    context = server_context(world().chains["genuine"])
    client = pinned()
    with one, install(LivePins(pin_set("refuse-unpinned", "nobody.example"))):
        tls = context.wrap_socket(other, server_side=True, do_handshake_on_connect=False)
        with tls:
            thread = threading.Thread(target=lambda: tls.sendall(tls.recv(100)))
            thread.start()
            with client.wrap_socket(one, server_hostname=HOST) as asking:
                asking.sendall(REQUEST)
                assert answer(asking) == REQUEST[:12]
            thread.join()
            tls.shutdown(socket.SHUT_RDWR)

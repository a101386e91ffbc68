"""Pins for the whole process reach every connection of ssl, and leave when they are told to."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from pinwarden.clients import (
    LivePins,
    PinMismatch,
    PinnedContext,
    find_mismatch,
    install,
    uninstall,
)
from pinwarden.errors import ConfigError
from pinwarden.lab.tls import server_context
from pinwarden.pinning import PinResult, PinSet, Reason
from support.pin_world import HOST, UNPINNED, pin_set, said, world
from support.tls_ways import REQUEST, WAYS, whole_answer, wrapped


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=world().cafile)


def test_it_ends_with_the_block() -> None:
    """Before and after, ssl is as it was."""
    before = ssl.SSLContext.sslsocket_class, ssl.SSLContext.sslobject_class
    assert before == (ssl.SSLSocket, ssl.SSLObject)
    context = trusting()
    with world().serve("rogue") as server:
        with install(pin_set("good")) as installed:
            assert installed.pins == pin_set("good")
            assert issubclass(ssl.SSLContext.sslsocket_class, ssl.SSLSocket)
            with pytest.raises(PinMismatch):
                WAYS["send"](context, server.address, HOST)
        assert (ssl.SSLContext.sslsocket_class, ssl.SSLContext.sslobject_class) == before
        assert not vars(ssl.SSLContext).keys() & {"_wrap_socket", "_wrap_bio"}
        assert WAYS["send"](context, server.address, HOST) == b"HTTP/1.1 200"


def test_it_ends_with_an_error_too() -> None:
    """A block that raises leaves nothing behind."""
    with pytest.raises(ZeroDivisionError), install(pin_set("good")):
        1 / 0  # noqa: B018
    assert ssl.SSLContext.sslsocket_class is ssl.SSLSocket


def test_without_a_block() -> None:
    """Once at the start of a program; the end may come from elsewhere, and twice."""
    installed = install(LivePins(pin_set("good")))
    try:
        with pytest.raises(ConfigError, match="installed already"):
            install(pin_set("good"))
        installed.pins = pin_set("wrong")
        with world().serve() as server, pytest.raises(PinMismatch):
            WAYS["send"](trusting(), server.address, HOST)
    finally:
        uninstall()
    uninstall()
    installed.uninstall()
    assert ssl.SSLContext.sslsocket_class is ssl.SSLSocket


def test_the_end_of_one_is_not_the_end_of_the_next() -> None:
    """Who still holds an old installation cannot end another's."""
    old = install(pin_set("good"))
    uninstall()
    with install(pin_set("good")):
        old.uninstall()
        with world().serve("rogue") as server, pytest.raises(PinMismatch):
            WAYS["send"](trusting(), server.address, HOST)


def test_connections_that_outlive_it() -> None:
    """What was made under pins stays under them."""
    live = LivePins(pin_set("good"))
    with world().serve() as server:
        installed = install(live)
        with wrapped(trusting(), server.address, HOST) as tls:
            tls.sendall(REQUEST)
            whole_answer(tls)
            installed.uninstall()
            tls.sendall(REQUEST)
            whole_answer(tls)
            live.replace(pin_set("wrong"))
            with pytest.raises(PinMismatch):
                tls.sendall(REQUEST)
    assert said(server) == 2 * REQUEST


def test_clients_that_make_their_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hands a context to these, and they are held to the pins nevertheless."""
    monkeypatch.setenv("SSL_CERT_FILE", world().cafile)
    for chain in ("genuine", "stuffed"):
        with world().serve(chain) as server, install(pin_set("good")):
            connection = http.client.HTTPSConnection(HOST, server.port, timeout=20)
            try:
                connection.request("GET", "/")
                assert connection.getresponse().read() == b"pinwarden lab\n"
                with urllib.request.urlopen(f"https://{HOST}:{server.port}/") as response:
                    assert response.status == 200
            except PinMismatch:
                assert chain == "stuffed"
                with pytest.raises(urllib.error.URLError) as caught:
                    urllib.request.urlopen(f"https://{HOST}:{server.port}/")
                assert find_mismatch(caught.value) is not None
            finally:
                connection.close()
        assert (said(server) == b"") is (chain == "stuffed")


def test_pinned_contexts_keep_their_own() -> None:
    """They have said what they are held to."""
    own = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve() as server, install(pin_set("wrong")):
        assert WAYS["send"](own, server.address, HOST) == b"HTTP/1.1 200"
        late = PinnedContext(pin_set("good"), cafile=world().cafile)
        assert WAYS["memory-write"](late, server.address, HOST) == b"HTTP/1.1 200"
        with pytest.raises(PinMismatch):
            WAYS["send"](trusting(), server.address, HOST)


def test_renegotiation_is_switched_off() -> None:
    """Another certificate in the middle of a connection would go unseen."""
    context = trusting()
    context.options &= ~ssl.OP_NO_RENEGOTIATION
    with world().serve() as server, install(pin_set("good")):
        WAYS["send"](context, server.address, HOST)
    assert context.options & ssl.OP_NO_RENEGOTIATION


async def test_servers_are_left_alone() -> None:
    """A process that pins its clients can serve, in threads and with asyncio."""
    serving = server_context(world().chains["genuine"])
    options = serving.options

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4))
        await writer.drain()
        writer.close()

    # A set that would refuse everything, were it asked.
    with install(pin_set("refuse-unpinned", "nobody.example")) as installed:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
        async with server:
            address = server.sockets[0].getsockname()
            context = PinnedContext(pin_set("good"), cafile=world().cafile)
            reader, writer = await asyncio.open_connection(
                *address, ssl=context, server_hostname=HOST
            )
            writer.write(b"ping")
            installed.pins = pin_set("wrong", "nobody.example")
            assert await reader.read() == b"ping"
            writer.close()
            await writer.wait_closed()
        with world().serve() as lab:
            answered = await asyncio.to_thread(WAYS["send"], context, lab.address, HOST)
            assert answered == b"HTTP/1.1 200"
    assert serving.options == options


def test_another_library_in_between() -> None:
    """Its classes are not thrown away, and nobody believes that ours are gone."""
    usual = ssl.SSLContext.sslsocket_class
    installed = install(pin_set("good"))
    ours = vars(ssl.SSLContext)["sslsocket_class"]
    ssl.SSLContext.sslsocket_class = usual
    with pytest.raises(ConfigError, match="another library"):
        installed.uninstall()
    ssl.SSLContext.sslsocket_class = ours
    installed.uninstall()
    assert ssl.SSLContext.sslsocket_class is usual


class Own(ssl.SSLSocket):
    """A library's own sockets."""


class OwnObject(ssl.SSLObject):
    """The same over memory buffers."""


def test_contexts_with_classes_of_their_own() -> None:
    """What a library has put on its instances is reached, and stays theirs afterwards."""
    context = trusting()
    context.sslsocket_class = Own
    with world().serve("rogue") as server, install(pin_set("good")):
        assert issubclass(context.sslsocket_class, Own)
        assert context.sslsocket_class is context.sslsocket_class
        with pytest.raises(PinMismatch):
            WAYS["send"](context, server.address, HOST)
        context.sslsocket_class = ssl.SSLSocket
        with pytest.raises(PinMismatch):
            WAYS["send"](context, server.address, HOST)
    context.sslsocket_class = Own
    assert context.sslsocket_class is Own


class OwnContext(ssl.SSLContext):
    """A library whose contexts ask nobody of what class their connections should be."""

    sslsocket_class = Own
    sslobject_class = OwnObject


@pytest.mark.parametrize("way", ["send", "memory-write", "on-wrapping"])
def test_connections_of_foreign_classes(way: str) -> None:
    """Nobody would look at their pins, so that they get no connection to a pinned host."""
    told: list[PinResult] = []
    context = OwnContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world().cafile)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with install(pin_set("good"), on_result=told.append) as installed:
            with pytest.raises(PinMismatch, match="does not reach"):
                WAYS[way](context, address, HOST)
            assert [each.reason for each in told] == [Reason.EMPTY_CHAIN]
            with world().serve("rogue") as server:
                assert WAYS[way](context, server.address, UNPINNED) == b"HTTP/1.1 200"
            installed.pins = pin_set("refuse-unpinned")
            with pytest.raises(PinMismatch, match="does not reach"):
                WAYS[way](context, address, UNPINNED)
    with world().serve() as server:
        assert WAYS[way](context, server.address, HOST) == b"HTTP/1.1 200"


def test_foreign_servers_are_left_alone() -> None:
    """A library's own server sockets have no pins to keep."""
    context = OwnContext(ssl.PROTOCOL_TLS_SERVER)
    with install(pin_set("refuse-unpinned")):
        one, other = socket.socketpair()
        with one, other:
            context.wrap_socket(one, server_side=True, do_handshake_on_connect=False).close()
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


@pytest.mark.parametrize("begin", [install, PinnedContext])
def test_sockets_that_were_replaced(
    begin: Callable[[PinSet], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries for green threads put other sockets into ssl; that is told at once."""
    monkeypatch.setattr(ssl, "SSLSocket", Own)
    with pytest.raises(ConfigError, match="replaced by") as caught:
        begin(pin_set("good"))
    assert "Own" in str(caught.value)


def test_two_at_once() -> None:
    """Of several threads that install, one does."""
    done: list[object] = []

    def attempt() -> None:
        try:
            done.append(install(pin_set("good")))
        except ConfigError as error:
            done.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    uninstall()
    assert sum(isinstance(each, ConfigError) for each in done) == 3


def test_unpinned_hosts_are_let_through() -> None:
    """And sessions with them resume, which a guard could have broken."""
    context = trusting()
    with world().serve("rogue", resuming=True) as server, install(pin_set("good")):
        with wrapped(context, server.address, UNPINNED) as tls:
            tls.sendall(REQUEST)
            whole_answer(tls)
            session = tls.session
        with wrapped(context, server.address, UNPINNED, session=session) as tls:
            tls.sendall(REQUEST)
            assert tls.session_reused

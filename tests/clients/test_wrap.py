"""Contexts that others made are held to pins, with everything that they trust."""

from __future__ import annotations

import ssl
import sys

import certifi
import pytest
import truststore
import urllib3.util
from OpenSSL import SSL

from pinwarden.clients import PinMismatch, PinnedContext, WeakenedContextError, pin_context
from pinwarden.clients.ssl_classes import set_plainly
from pinwarden.errors import ConfigError
from support.pin_world import HOST, pin_set, said, world
from support.tls_ways import REQUEST, WAYS


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=world().cafile)


def test_it_is_the_same_context() -> None:
    """Whoever holds it already has pins too, and what was set stays set."""
    context = trusting()
    context.load_verify_locations(certifi.where())
    trusted = context.get_ca_certs(binary_form=True)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    held = pin_context(context, pin_set("good"))
    assert held is context
    assert context.get_ca_certs(binary_form=True) == trusted
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.options & ssl.OP_NO_RENEGOTIATION


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_switched_off() -> None:
    """They sign with hashes that are broken."""
    context = trusting()
    context.minimum_version = ssl.TLSVersion.TLSv1
    assert pin_context(context, pin_set("good")).minimum_version == ssl.TLSVersion.TLSv1_2
    context = trusting()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    assert pin_context(context, pin_set("good")).minimum_version == ssl.TLSVersion.TLSv1_2


def test_it_becomes_as_unbending() -> None:
    """verify=False comes too late."""
    context = pin_context(trusting(), pin_set("good"))
    with pytest.raises(WeakenedContextError):
        context.check_hostname = False
    with pytest.raises(WeakenedContextError):
        context.verify_mode = ssl.CERT_NONE
    with pytest.raises(WeakenedContextError):
        context.sslsocket_class = ssl.SSLSocket
    store = pin_context(truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pin_set("good"))
    with pytest.raises(WeakenedContextError):
        store.check_hostname = False


def test_its_pins_can_be_changed() -> None:
    """As those of a context of ours, whatever class it had."""
    context = pin_context(trusting(), pin_set("wrong"))
    with world().serve() as server:
        with pytest.raises(PinMismatch):
            WAYS["send"](context, server.address, HOST)
        context.pins = pin_set("good")  # type: ignore[attr-defined]
        assert WAYS["send"](context, server.address, HOST) == b"HTTP/1.1 200"
    assert said(server) == REQUEST


class Counting(ssl.SSLSocket):
    """A library's own sockets, that do more than ssl's."""

    sent = 0

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        type(self).sent += 1
        return super().send(data, flags)


class OwnContext(ssl.SSLContext):
    """A library's own context."""

    def mine(self) -> str:
        """Anything."""
        return "mine"


def test_classes_of_a_librarys_own() -> None:
    """What they do is done still, after the check."""
    context = OwnContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world().cafile)
    context.sslsocket_class = Counting
    pin_context(context, pin_set("good"))
    assert isinstance(context, OwnContext)
    assert context.mine() == "mine"
    assert issubclass(context.sslsocket_class, Counting)
    assert "sslsocket_class" not in vars(context)
    with world().serve("rogue") as server, pytest.raises(PinMismatch):
        WAYS["send"](context, server.address, HOST)
    with world().serve() as server:
        WAYS["send"](context, server.address, HOST)
    assert context.sslsocket_class.sent == 1
    assert Counting.sent == 0


def unverifying() -> ssl.SSLContext:
    context = trusting()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def nameless() -> ssl.SSLContext:
    context = trusting()
    context.check_hostname = False
    return context


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (unverifying, "does not require certificates to verify"),
        (nameless, "does not check host names"),
        (lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "is a server's"),
        (lambda: PinnedContext(pin_set("good")), "is pinned already"),
        (lambda: pin_context(trusting(), pin_set("good")), "is pinned already"),
        (lambda: SSL.Context(SSL.TLS_CLIENT_METHOD), "'OpenSSL.SSL.Context' is not"),
        (lambda: None, "'builtins.NoneType' is not"),
        (lambda: urllib3.util, "'builtins.module' is not"),
    ],
)
def test_what_cannot_be_held(context: object, words: str) -> None:
    """Pins would mean nothing there, or nobody could look at them."""
    with pytest.raises(ConfigError, match=words) as caught:
        pin_context(context(), pin_set("good"))  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_context_that_could_not_be_held_is_as_it_was() -> None:
    """An error leaves nothing behind."""
    context = trusting()
    with pytest.raises(ConfigError):
        pin_context(context, None)  # type: ignore[arg-type]
    assert type(context) is ssl.SSLContext
    assert context.sslsocket_class is ssl.SSLSocket
    assert not context.options & ssl.OP_NO_RENEGOTIATION


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_truststore_where_the_system_verifies(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's chain is not a verified one there, so that the context is refused."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(ConfigError, match="truststore") as caught:
        pin_context(context, pin_set("good"))
    assert "cafile" in str(caught.value.hint)


def test_truststore_that_stops_verifying() -> None:
    """Its own setter goes past ours; the connection is refused instead."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world().cafile)
    pin_context(context, pin_set("good"))
    set_plainly(context._ctx, "check_hostname", False)
    context.verify_mode = ssl.CERT_NONE
    with world().serve("forged") as server, pytest.raises(PinMismatch, match="not verified"):
        WAYS["send"](context, server.address, HOST)
    assert said(server) == b""


def test_a_context_of_the_old_protocol() -> None:
    """PROTOCOL_TLS is for clients too, where it verifies."""
    with pytest.warns(DeprecationWarning, match="PROTOCOL_TLS"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_verify_locations(world().cafile)
    pin_context(context, pin_set("good"))
    with world().serve("rogue") as server, pytest.raises(PinMismatch):
        WAYS["send"](context, server.address, HOST)

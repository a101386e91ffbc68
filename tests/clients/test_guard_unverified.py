"""Chains that nobody verified prove nothing, whatever the context says of itself later."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from pinwarden.clients import PinMismatch, PinnedContext, install
from pinwarden.clients.ssl_classes import set_plainly
from pinwarden.lab.tls import server_context
from pinwarden.pinning import Mode, PinnedKey, PinPolicy, PinRole, PinSet, Reason
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_world import HOST, UNPINNED, pin_set, said, world
from support.tls_ways import REQUEST, WAYS, answer, wrapped

FALSE_CHAINS = ("forged", "fake-intermediate", "self-signed", "rogue", "stuffed", "genuine")


def unverifying() -> ssl.SSLContext:
    """What verify=False makes."""
    context = ssl.create_default_context(cafile=world().cafile)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("way", ["send", "memory-write", "on-wrapping", "connect"])
@pytest.mark.parametrize("chain", FALSE_CHAINS)
def test_no_verification_no_match(chain: str, way: str) -> None:
    """OpenSSL calls pinned keys verified here, and for the genuine server they would be."""
    context = unverifying()
    with (
        world().serve(chain) as server,
        install(pin_set("good")),
        pytest.raises(PinMismatch, match="were not verified") as caught,
    ):
        WAYS[way](context, server.address, HOST)
    assert caught.value.result.reason is Reason.EMPTY_CHAIN
    assert "verify=False" in str(caught.value.hint)
    assert said(server) == b""


class Claiming(ssl.SSLContext):
    """Says that it verifies as soon as a connection that does not is made."""

    def claim(self, made: Any) -> Any:
        self.verify_mode = ssl.CERT_REQUIRED
        self.check_hostname = True
        return made

    def wrap_socket(self, *args: Any, **kwargs: Any) -> Any:
        return self.claim(super().wrap_socket(*args, **kwargs))

    def wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
        return self.claim(super().wrap_bio(*args, **kwargs))


@pytest.mark.parametrize("way", ["send", "memory-write"])
@pytest.mark.parametrize("chain", ["forged", "fake-intermediate"])
def test_verification_that_is_claimed_afterwards(chain: str, way: str) -> None:
    """A context switched to CERT_REQUIRED between wrapping and handshake has verified nothing."""
    context = unverifying()
    context.__class__ = Claiming
    with (
        world().serve(chain) as server,
        install(pin_set("good")),
        pytest.raises(PinMismatch, match="not verified"),
    ):
        WAYS[way](context, server.address, HOST)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert said(server) == b""


@pytest.mark.parametrize("chain", ["forged", "fake-intermediate"])
def test_verification_that_ends_before_connecting(chain: str) -> None:
    """What counts is the moment in which connect() hands the settings to OpenSSL."""
    context = ssl.create_default_context(cafile=world().cafile)
    with (
        world().serve(chain) as server,
        install(pin_set("good")),
        wrapped(context, server.address, HOST, connected=False) as tls,
    ):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        tls.connect(server.address)
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
        with pytest.raises(PinMismatch, match="not verified"):
            tls.sendall(REQUEST)
    assert said(server) == b""


@pytest.mark.parametrize("way", ["send", "memory-write", "connect-then-send"])
def test_verification_that_is_off_while_wrapping(way: str) -> None:
    """As truststore has it on macOS and Windows: off for a moment, past every setter."""

    class Moment(PinnedContext):
        @contextmanager
        def off(self) -> Iterator[None]:
            set_plainly(self, "check_hostname", False)
            set_plainly(self, "verify_mode", ssl.CERT_NONE)
            yield
            set_plainly(self, "verify_mode", ssl.CERT_REQUIRED)
            set_plainly(self, "check_hostname", True)

        def _wrap_socket(self, *args: Any, **kwargs: Any) -> Any:
            with self.off():
                return super()._wrap_socket(*args, **kwargs)

        def wrap_socket(self, *args: Any, **kwargs: Any) -> Any:
            with self.off():
                return super().wrap_socket(*args, **kwargs)

        def wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
            with self.off():
                return super().wrap_bio(*args, **kwargs)

    context = Moment(pin_set("good"), cafile=world().cafile)
    with (
        world().serve("fake-intermediate") as server,
        pytest.raises(PinMismatch, match="not verified"),
    ):
        WAYS[way](context, server.address, HOST)
    assert said(server) == b""


def test_a_name_that_nobody_verified() -> None:
    """A pinned authority's certificate for another host is no certificate for this one."""
    context = ssl.create_default_context(cafile=world().cafile)
    context.check_hostname = False
    with (
        world().serve("wrong-host") as server,
        install(pin_set("good")),
        pytest.raises(PinMismatch, match="name was not verified"),
    ):
        WAYS["send"](context, server.address, HOST)
    assert said(server) == b""


def test_optional_verification_verifies() -> None:
    """A client with CERT_OPTIONAL ends a handshake that does not verify, and so it is heard."""
    context = ssl.create_default_context(cafile=world().cafile)
    context.verify_mode = ssl.CERT_OPTIONAL
    with install(pin_set("good")):
        with world().serve() as server:
            assert WAYS["send"](context, server.address, HOST) == b"HTTP/1.1 200"
        with world().serve("forged") as server, pytest.raises(ssl.SSLCertVerificationError):
            WAYS["send"](context, server.address, HOST)


def test_unverified_connections_to_unpinned_hosts() -> None:
    """They were so before, and pins for others change nothing about them."""
    with world().serve("self-signed") as server, install(pin_set("good")):
        assert WAYS["send"](unverifying(), server.address, UNPINNED) == b"HTTP/1.1 200"


def test_report_only_lets_unverified_connections_be() -> None:
    """It reports, as it does with everything."""
    told: list[Any] = []
    with world().serve() as server, install(pin_set("report-only"), on_result=told.append):
        assert WAYS["send"](unverifying(), server.address, HOST) == b"HTTP/1.1 200"
    assert [(each.reason, each.failed) for each in told] == [(Reason.EMPTY_CHAIN, True)]


@pytest.mark.parametrize("other", ["unverifying", "pinned", "trusting-more"])
def test_another_context_in_place_of_the_first(other: str) -> None:
    """`tls.context = …` between wrapping and handshake changes nothing about the pins."""
    made: dict[str, ssl.SSLContext] = {
        "unverifying": unverifying(),
        "pinned": PinnedContext(pin_set("report-only"), cafile=world().cafile),
        "trusting-more": ssl.create_default_context(cadata=world().bundle_of("a", "b", "old")),
    }
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    for chain in ("rogue", "forged", "fake-intermediate"):
        with world().serve(chain) as server, wrapped(context, server.address, HOST) as tls:
            tls.context = made[other]
            with pytest.raises(ssl.SSLCertVerificationError):
                tls.sendall(REQUEST)
        assert said(server) == b""


@contextmanager
def _anonymous_server() -> Iterator[tuple[tuple[str, int], bytearray]]:
    """A server without any certificate."""
    heard = bytearray()
    context = server_context(world().chains["genuine"], newest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("aNULL:@SECLEVEL=0")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            visitor, _ = listening.accept()
            with (
                visitor,
                suppress(OSError),
                context.wrap_socket(visitor, server_side=True) as tls,
            ):
                heard.extend(tls.recv(4096))

        thread = threading.Thread(target=take)
        thread.start()
        yield listening.getsockname(), heard
        thread.join()


def test_no_certificate_at_all() -> None:
    """Anonymous cipher suites leave nothing to compare."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    context.set_ciphers("aNULL:@SECLEVEL=0")
    with (
        _anonymous_server() as (address, heard),
        wrapped(context, address, HOST) as tls,
        pytest.raises(PinMismatch) as caught,
    ):
        tls.sendall(REQUEST)
    assert caught.value.result.reason is Reason.EMPTY_CHAIN
    assert heard == b""


def test_a_leaf_pin_does_not_stand_for_the_name() -> None:
    """A pin of a leaf does not excuse a name that is off, and the words tell which it was."""
    context = ssl.create_default_context(cafile=world().cafile)
    context.check_hostname = False
    key = pin_of_certificate(world().chains["wrong-host"].certificates[0])
    keys = (PinnedKey(key, PinRole.LEAF), PinnedKey(world().pins["spare"], PinRole.BACKUP))
    pins = PinSet([PinPolicy(host=HOST, mode=Mode.ENFORCE, keys=keys)])
    with (
        world().serve("wrong-host") as server,
        install(pins),
        wrapped(context, server.address, HOST) as tls,
        pytest.raises(PinMismatch, match="check_hostname off"),
    ):
        answer(tls)

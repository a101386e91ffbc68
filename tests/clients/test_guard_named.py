"""Clients that look at the host's name themselves are held to it here as well."""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.clients import LivePins, PinMismatch, install
from pinwarden.clients.named import is_named_by
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.tls import Credentials, LabTLS, server_context
from pinwarden.pinning import Reason
from pinwarden.pinning.peer_chain import verified_certificates
from support.pin_world import HOST, UNPINNED, pin_set, said, world
from support.tls_ways import REQUEST, WAYS


def nameless() -> ssl.SSLContext:
    """As botocore makes it: urllib3 looks at the name after the handshake."""
    context = ssl.create_default_context(cafile=world().cafile)
    context.check_hostname = False
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)
    return context


@pytest.mark.parametrize("way", ["send", "memory-write", "on-wrapping", "connect"])
def test_the_right_name_and_key_are_let_through(way: str) -> None:
    """Nothing is written into the context, which others share."""
    context = nameless()
    with world().serve() as server, install(pin_set("good")):
        assert WAYS[way](context, server.address, HOST) == b"HTTP/1.1 200"
    assert said(server) == REQUEST
    assert not context.check_hostname


@pytest.mark.parametrize("way", ["send", "memory-write", "on-wrapping", "connect"])
@pytest.mark.parametrize("chain", ["wrong-host", "rogue", "stuffed"])
def test_the_wrong_name_or_key_is_not(chain: str, way: str) -> None:
    """A certificate of the pinned authority for another host, and one of another authority."""
    context = nameless()
    with (
        world().serve(chain) as server,
        install(pin_set("good")),
        pytest.raises(PinMismatch) as caught,
    ):
        WAYS[way](context, server.address, HOST)
    named = caught.value.result.reason is Reason.NO_PIN_MATCHED
    assert named is (chain != "wrong-host")
    assert said(server) == b""


def test_a_match_is_no_match_for_another_connection_without_a_name() -> None:
    """What is remembered of a host is about connections whose name OpenSSL verified."""
    live = LivePins(pin_set("good"))
    verifying = ssl.create_default_context(cafile=world().cafile)
    with install(live), world().serve() as server, world().serve("wrong-host") as other:
        for _ in range(2):
            assert WAYS["send"](verifying, server.address, HOST) == b"HTTP/1.1 200"
            assert WAYS["send"](nameless(), server.address, HOST) == b"HTTP/1.1 200"
            with pytest.raises(PinMismatch, match="name was not verified"):
                WAYS["send"](nameless(), other.address, HOST)
    assert said(other) == b""


def test_threads_that_share_such_a_context() -> None:
    """Each is judged by its own certificate, and nobody ever finds check_hostname on."""
    context, outcomes = nameless(), list[tuple[str, bool]]()
    switched: list[bool] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if context.check_hostname:
                switched.append(True)

    def ask(chain: str, server: LabTLS, host: str) -> None:
        for _ in range(6):
            try:
                WAYS["memory-write"](context, server.address, host)
                outcomes.append((chain, True))
            except PinMismatch:
                outcomes.append((chain, False))

    with (
        world().serve() as good,
        world().serve("wrong-host") as wrong,
        world().serve("wrong-host") as elsewhere,
        install(pin_set("good")),
    ):
        threads = [
            threading.Thread(target=ask, args=each)
            for each in (
                ("genuine", good, HOST),
                ("genuine", good, HOST),
                ("wrong", wrong, HOST),
                ("wrong", wrong, HOST),
                ("unpinned", elsewhere, UNPINNED),
            )
        ]
        watcher = threading.Thread(target=watch)
        watcher.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended.set()
        watcher.join()
    assert set(outcomes) == {("genuine", True), ("wrong", False), ("unpinned", True)}
    assert len(outcomes) == 30
    assert said(wrong) == b""
    assert not switched


@pytest.mark.parametrize(
    ("names", "host", "named"),
    [
        (["shop.example"], "shop.example", True),
        (["shop.example"], "SHOP.example", True),
        (["SHOP.example"], "shop.example", True),
        (["other.example", "shop.example"], "shop.example", True),
        (["shop.example"], "www.shop.example", False),
        (["www.shop.example"], "shop.example", False),
        (["shop.example"], "shop.example.evil.test", False),
        (["evilshop.example"], "shop.example", False),
        (["*.shop.example"], "www.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "a.www.shop.example", False),
        (["*.shop.example"], ".shop.example", False),
        (["*.example"], "shop.example", False),
        (["*"], "localhost", False),
        (["w*.shop.example"], "www.shop.example", False),
        (["www.*.example"], "www.shop.example", False),
        (["*.*.example"], "www.shop.example", False),
        (["*.0.0.1"], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.2", False),
        (["::1"], "0:0:0:0:0:0:0:1", True),
        (["::1"], "::2", False),
        (["::1"], "::1%lo", False),
        (["127.0.0.1"], "localhost", False),
        (["shop.example"], "", False),
    ],
)
def test_what_a_certificate_names(names: list[str], host: str, named: bool) -> None:
    """Neither more nor less than OpenSSL finds in it."""
    server = _serving(names)
    assert _named(server, host) is named
    assert _verified(server, host) is named


_labels = st.sampled_from(["a", "www", "*", "w*", "xn--bcher-kva", "127", "0", "1"])
_names = st.lists(_labels, min_size=1, max_size=4).map(".".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(_names, min_size=1, max_size=3), _names)
def test_never_more_than_openssl(names: list[str], host: str) -> None:
    """Whatever the names, what OpenSSL would have refused is no name of the host."""
    server = _serving(names)
    assert _verified(server, host) or not _named(server, host)


def test_what_cannot_be_read() -> None:
    """A certificate that ssl cannot show names nobody."""

    class Unreadable:
        def get_info(self) -> dict[str, object]:
            return {"subjectAltName": (("DNS", None), ("IP Address", "<invalid>"))}

    assert not is_named_by(Unreadable(), "127.0.0.1")
    assert not is_named_by(Unreadable(), "localhost")
    assert not is_named_by(object(), "localhost")


_AUTHORITY = CA("Names")
_ANCHORS = pem([_AUTHORITY.root]).decode()


def _serving(names: list[str]) -> ssl.SSLContext:
    addresses = [each for each in names if _is_address(each)]
    return server_context(
        Credentials.of(
            _AUTHORITY.issue(
                [each for each in names if each not in addresses], ips=addresses, cn="names.example"
            )
        )
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _client(server: ssl.SSLContext, host: str, *, check: bool) -> ssl.SSLObject:
    context = ssl.create_default_context(cadata=_ANCHORS)
    context.check_hostname = check
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    while client.version() is None:
        for end in (client, other):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return client


def _named(server: ssl.SSLContext, host: str) -> bool:
    client = _client(server, "names.example", check=False)
    (leaf, *_) = verified_certificates(client)
    return is_named_by(leaf, host)


def _verified(server: ssl.SSLContext, host: str) -> bool:
    try:
        _client(server, host, check=True)
    except ValueError:
        # Errors of verification are ValueErrors as well.
        return False
    return True

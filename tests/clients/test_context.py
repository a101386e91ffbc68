"""A pinned context is Python's default context and cannot be made less."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pinwarden.clients import (
    LivePins,
    PinMismatch,
    PinnedContext,
    WeakenedContextError,
    ssl_classes,
)
from pinwarden.errors import ConfigError
from pinwarden.pinning import PinResult
from support.pin_world import HOST, pin_set, said, world
from support.tls_ways import REQUEST, WAYS

ATTRIBUTES = (
    "verify_mode",
    "check_hostname",
    "verify_flags",
    "protocol",
    "maximum_version",
    "post_handshake_auth",
    "hostname_checks_common_name",
    "security_level",
    "num_tickets",
)


def made() -> PinnedContext:
    return PinnedContext(pin_set("good"), cafile=world().cafile)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_it_is_the_default_context(attribute: str) -> None:
    """Whatever this Python holds right for clients is so here too."""
    default = ssl.create_default_context(cafile=world().cafile)
    assert getattr(made(), attribute) == getattr(default, attribute)


def test_what_it_adds_to_the_default() -> None:
    """No renegotiation, and nothing before TLS 1.2; the rest of the options as they were."""
    context, default = made(), ssl.create_default_context(cafile=world().cafile)
    assert context.options == default.options | ssl.OP_NO_RENEGOTIATION
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.get_ciphers() == default.get_ciphers()
    assert isinstance(context, ssl.SSLContext)


def test_whom_it_trusts(tmp_path: Path) -> None:
    """The anchors that are given, in each of the three ways, or else those of the system."""
    root = world().bundle_of("a")
    for kind in (root, ssl.PEM_cert_to_DER_cert(root)):
        context = PinnedContext(pin_set("good"), cadata=kind)
        assert context.get_ca_certs(binary_form=True) == [world().authorities.a.root]
    assert made().cert_store_stats()["x509_ca"] == 2
    system = ssl.create_default_context()
    assert PinnedContext(pin_set("good")).cert_store_stats() == system.cert_store_stats()
    (tmp_path / "empty").mkdir()
    alone = PinnedContext(pin_set("report-only"), capath=str(tmp_path / "empty"))
    with world().serve() as server, pytest.raises(ssl.SSLCertVerificationError):
        WAYS["send"](alone, server.address, HOST)
    with pytest.raises(FileNotFoundError):
        PinnedContext(pin_set("good"), cafile="nowhere.pem")


@pytest.mark.parametrize("pins", [None, "pins.toml", Path("pins.toml"), [], object()])
def test_what_is_no_pin_set(pins: object) -> None:
    """It is told at once, and not by the first connection."""
    with pytest.raises(ConfigError, match="is not a PinSet") as caught:
        PinnedContext(pins)  # type: ignore[arg-type]
    assert "PinSet.load" in str(caught.value.hint)
    live = LivePins(pin_set("good"))
    with pytest.raises(ConfigError, match="is not a PinSet"):
        live.replace(pins)  # type: ignore[arg-type]
    context = made()
    with pytest.raises(ConfigError, match="is not a PinSet"):
        context.pins = pins  # type: ignore[assignment]
    assert (live.pins, live.epoch, context.pins) == (pin_set("good"), 1, pin_set("good"))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("verify_mode", ssl.CERT_NONE),
        ("verify_mode", 0),
        ("verify_mode", ssl.CERT_OPTIONAL),
        ("check_hostname", False),
        ("check_hostname", 0),
        ("sslsocket_class", ssl.SSLSocket),
        ("sslobject_class", ssl.SSLObject),
    ],
)
def test_it_cannot_be_weakened(attribute: str, value: object) -> None:
    """The error says what was tried, and by what it mostly comes about."""
    context = made()
    before = getattr(context, attribute)
    with pytest.raises(WeakenedContextError, match="pinned context: ") as caught:
        setattr(context, attribute, value)
    assert isinstance(caught.value, ValueError)
    if attribute in ("verify_mode", "check_hostname"):
        assert "verify=False" in str(caught.value)
    assert getattr(context, attribute) == before


def test_what_libraries_set_in_passing() -> None:
    """To set what is so already, or to add, is no harm."""
    context = made()
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_mode = 2  # type: ignore[assignment]
    context.check_hostname = True
    context.check_hostname = 1  # type: ignore[assignment]
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(cadata=world().bundle_of("old"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    context.set_ciphers("ECDHE+AESGCM")
    context.post_handshake_auth = True
    with world().serve() as server:
        assert WAYS["on-wrapping"](context, server.address, HOST) == b"HTTP/1.1 200"


class ForeignSocket(ssl.SSLSocket):
    """As a library for green threads has its own."""


class ForeignObject(ssl.SSLObject):
    """The same over memory buffers."""


def test_connections_of_foreign_classes() -> None:
    """Whoever goes around the context's classes gets no connection."""
    context = made()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        raw = socket.create_connection(listening.getsockname(), timeout=20)
        with pytest.raises(WeakenedContextError, match="foreign class"):
            ForeignSocket._create(sock=raw, context=context, server_hostname=HOST)  # type: ignore[attr-defined]
    with pytest.raises(WeakenedContextError, match="foreign class"):
        ForeignObject._create(  # type: ignore[attr-defined]
            ssl.MemoryBIO(), ssl.MemoryBIO(), context=context, server_hostname=HOST
        )


def test_it_serves_nobody() -> None:
    """Pins are for clients, and so is the context."""
    context = made()
    one, other = socket.socketpair()
    with one, other, pytest.raises(ValueError, match="server_hostname"):
        context.wrap_socket(one, server_side=True)
    with pytest.raises((ssl.SSLError, ValueError)):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


def test_the_key_log_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSLKEYLOGFILE works as it does with the default context."""
    log = tmp_path / "keys.txt"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    context = made()
    assert context.keylog_filename == str(log)
    with world().serve() as server:
        WAYS["send"](context, server.address, HOST)
    assert "CLIENT_TRAFFIC_SECRET_0" in log.read_text()
    monkeypatch.delenv("SSLKEYLOGFILE")
    assert made().keylog_filename is None


def test_whoever_listens_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A callback that raises is logged, and the connection goes on, or ends, as it would."""

    class Broken:
        def tell(
            self, result: PinResult, port: int | None = None, served: Sequence[bytes] = ()
        ) -> None:
            told.append((port is None, len(served)))
            raise RuntimeError("reporter")

    def broken(_: PinResult) -> None:
        raise RuntimeError("callback")

    told: list[tuple[bool, int]] = []
    for behaviour, chain in (("good", "genuine"), ("good", "rogue")):
        for options in ({"on_result": broken}, {"reporter": Broken()}):
            context = PinnedContext(pin_set(behaviour), cafile=world().cafile, **options)
            with world().serve(chain) as server:
                try:
                    WAYS["send"](context, server.address, HOST)
                except PinMismatch:
                    assert chain == "rogue"
            assert said(server) == (REQUEST if chain == "genuine" else b"")
    # Only a failure, with its port and the certificates as they were sent.
    assert told == [(False, 2)]
    raised = [each for each in caplog.records if "to be told raised" in each.message]
    assert [record.name for record in raised] == ["pinwarden.pins"] * 3


def test_a_python_that_tells_no_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused when the context is made, since it could only pretend."""

    class Poor:
        SSLSocket = object

    monkeypatch.setattr(ssl_classes, "ssl", Poor)
    monkeypatch.setattr(ssl_classes, "SSLSocket", Poor.SSLSocket)
    with pytest.raises(ConfigError, match="cannot pin"):
        made()


def test_it_is_light() -> None:
    """Programs that only pin pay for ssl, and for nothing that they did not ask for."""
    code = "import sys, pinwarden.clients; print(' '.join(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    heavy = {"asyncio", "cryptography", "logging", "urllib3", "requests", "httpx", "truststore"}
    assert loaded & heavy == set()


INJECTED = """
import ssl, sys, truststore
order, cafile, toml, genuine, stuffed = sys.argv[1:]
if order == "first":
    truststore.inject_into_ssl()
from pinwarden.clients import PinnedContext, PinMismatch, install, pin_context
from pinwarden.pinning import PinSet
if order == "later":
    truststore.inject_into_ssl()
from support.tls_ways import WAYS
pins = PinSet.parse(toml)
contexts = [
    PinnedContext(pins, cafile=cafile),
    pin_context(ssl.create_default_context(cafile=cafile), pins),
    ssl.create_default_context(cafile=cafile),
]
assert isinstance(contexts[2], truststore.SSLContext)
assert truststore.SSLContext not in PinnedContext.__mro__
for context in contexts[:2]:
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
with install(pins):
    for context in contexts:
        for way in ("on-wrapping", "connect", "memory-write"):
            answer = WAYS[way](context, ("127.0.0.1", int(genuine)), "localhost")
            assert answer == b"HTTP/1.1 200", answer
            try:
                WAYS[way](context, ("127.0.0.1", int(stuffed)), "localhost")
            except PinMismatch:
                continue
            raise SystemExit(f"{order} {context} {way}: no mismatch")
print("well")
"""


@pytest.mark.parametrize("order", ["first", "later"])
def test_truststore_in_the_place_of_ssl(order: str) -> None:
    """truststore.inject_into_ssl() replaces ssl.SSLContext, before or after us."""
    pins = world().pins
    toml = f"""
[[policy]]
host = "localhost"
mode = "enforce"
ca_pins = ["{pins["intermediate"]}"]
backup_pins = ["{pins["spare"]}"]
"""
    with world().serve() as genuine, world().serve("stuffed") as stuffed:
        arguments = (order, world().cafile, toml, str(genuine.port), str(stuffed.port))
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", INJECTED, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    assert (ran.stdout, ran.returncode) == ("well\n", 0), ran.stderr
    assert len(stuffed.visits) == 9
    assert said(stuffed) == b""

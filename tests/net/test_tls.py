"""What a host serves over TLS: chains as verified and as sent, and every way to have none."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from pinwarden.errors import ConfigError
from pinwarden.lab.ca import CA, key_pem, pem
from pinwarden.lab.tls import Credentials, LabTLS, server_context
from pinwarden.net.endpoint import Endpoint, parse_endpoint
from pinwarden.net.served import Failure, ServedAddress, ServedHost
from pinwarden.net.tls import MOST_ADDRESSES, TLSAsker, _without_idle_loopback, verifying_context
from pinwarden.net.tls_words import starttls_hint
from support.pin_world import HOST, said, world

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asker(seconds: float = 10.0, **options: object) -> TLSAsker:
    context = verifying_context(world().cafile)
    return TLSAsker(context, timeout=seconds, **options)  # type: ignore[arg-type]


async def ask(port: int, host: str = HOST, seconds: float = 10.0) -> ServedAddress:
    served = await asker(seconds).ask(Endpoint(host, port), [("127.0.0.1", port)])
    (address,) = served.addresses
    return address


async def ask_raw(
    handler: Handler, seconds: float = 10.0, starttls: str | None = None
) -> ServedAddress:
    """What a server of ours that plays `handler` comes to."""
    done = asyncio.Event()

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            done.set()

    async with await asyncio.start_server(closing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await asker(seconds).ask(Endpoint(HOST, port), [("127.0.0.1", port)])
        await done.wait()
    return found.addresses[0]


def root_of(name: str = "a") -> bytes:
    ca: CA = getattr(world().authorities, name)
    return ca.root


@pytest.mark.parametrize("name", ["genuine", "rsa-pss", "ed25519", "compressed"])
async def test_the_verified_chain(name: str) -> None:
    """It runs to the trust anchor, which is not sent; and nothing is said to the server."""
    sent = world().chains[name].certificates
    async with world().serve(name) as server:
        address = await ask(server.port)
        assert said(server) == b""
    assert address.sent == sent
    assert address.verified == (*sent, root_of())
    assert (address.failure, address.problem, address.protocol) == (None, "", "TLSv1.3")


async def test_appended_certificates_are_not_in_the_verified_chain() -> None:
    """A stuffed chain is told as sent, and verified as what it is."""
    async with world().serve("stuffed") as server:
        address = await ask(server.port)
    genuine = world().chains["genuine"].certificates
    assert set(genuine) < set(address.sent)
    assert set(genuine).isdisjoint(address.verified)
    assert address.verified[-1] == root_of("b")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("forged", "signature failure"),
        ("expired", "expired"),
        ("wrong-host", "not valid for 'localhost'"),
        ("self-signed", "its root is not trusted here"),
    ],
)
async def test_what_does_not_verify(name: str, words: str) -> None:
    """There is no verified chain, whatever was sent, and the reason is the library's own."""
    async with world().serve(name) as server:
        address = await ask(server.port)
        assert said(server) == b""
    assert address.failure is Failure.UNTRUSTED
    assert address.verified == ()
    assert address.sent == world().chains[name].certificates
    assert words in address.problem


async def test_a_forgotten_intermediate() -> None:
    """The commonest mistake of servers is named, since OpenSSL's own words hide it."""
    issued = world().authorities.a.issue([HOST])
    async with LabTLS(Credentials.of(issued, intermediates=False)) as server:
        address = await ask(server.port)
    assert "does not send the intermediate" in address.problem


async def test_what_openssl_sees_in_a_false_intermediate() -> None:
    """Neither the false intermediate nor what it claims to be issued by gets in."""
    async with world().serve("fake-intermediate") as server:
        address = await ask(server.port)
    assert world().authorities.a.intermediate not in address.verified


async def test_an_address_as_a_host() -> None:
    """A certificate must be for the address, and is asked for without a server name."""
    async with world().serve() as server:
        found = await asker().ask(parse_endpoint(f"127.0.0.1:{server.port}"))
        assert found.addresses[0].verified
        assert server.visits[0].sni is None


async def test_every_address_of_a_name() -> None:
    """A name with several addresses is asked at each, once, and they may differ."""
    async with world().serve() as one, world().serve("rogue") as other:
        places = [("127.0.0.1", one.port), ("127.0.0.1", other.port), ("127.0.0.1", one.port)]
        found = await asker().ask(Endpoint(HOST), places)
    assert [each.port for each in found.addresses] == [one.port, other.port]
    assert [chain[-1] for chain in found.chains] == [root_of(), root_of("b")]


async def test_a_name_is_looked_up() -> None:
    """Without an address the system's resolver is asked, for one family if so said."""
    async with world().serve() as server:
        found = await asker(family=socket.AF_INET).ask(Endpoint("localhost", server.port))
        assert [each.address for each in found.addresses] == ["127.0.0.1"]
        assert found.chains


async def test_a_name_that_is_none() -> None:
    """A name without an address gives no address and says so."""
    found = await asker().ask(Endpoint("does-not-exist.invalid"))
    assert found.addresses == ()
    assert "has no address" in found.problem


async def test_more_addresses_than_are_asked() -> None:
    """The rest is counted, not forgotten."""
    places = [("127.0.0.1", port) for port in range(1, MOST_ADDRESSES + 4)]
    found = await asker(0.5).ask(Endpoint(HOST), places)
    assert len(found.addresses) == MOST_ADDRESSES
    assert found.left_out == 3


async def test_nobody_listens() -> None:
    """A refused connection is unreachable, in the system's words."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = await ask(port)
    assert address.failure is Failure.UNREACHABLE
    assert address.problem == "cannot be connected to: connection refused"


async def test_a_server_that_speaks_no_tls() -> None:
    """What it says instead is shown in part, and escaped."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 \x1b]0;title\x07 ready\r\n")
        await writer.drain()

    address = await ask_raw(greet)
    assert address.failure is Failure.NOT_TLS
    assert r"'220 \x1b]0;" in address.problem
    assert address.problem.isprintable()


@pytest.mark.parametrize("port", [25, 587, 143, 5432])
def test_a_hint_on_well_known_ports(port: int) -> None:
    """Where a protocol usually begins in plain text, the option for it is named."""
    assert "--starttls" in starttls_hint(Endpoint(HOST, port))
    assert starttls_hint(Endpoint(HOST, port, "smtp")) == ""
    assert starttls_hint(Endpoint(HOST, 8443)) == ""


async def test_a_server_that_hangs_up() -> None:
    """At once, or in the middle of a handshake."""

    async def at_once(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"\x16\x03\x03\x10\x00")
        await writer.drain()

    for handler in (at_once, half):
        address = await ask_raw(handler)
        assert address.failure is Failure.REFUSED
        assert address.verified == ()


async def test_a_server_that_says_nothing() -> None:
    """Waiting ends with the time given for it."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass

    assert (await ask_raw(wait, seconds=0.2)).failure is Failure.TIMEOUT


async def test_a_server_that_drips() -> None:
    """A handshake that goes on for ever is bounded as a whole, not octet by octet."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"\x16\x03\x03\xff\x00\x02\x00\xff\xff")
        while True:
            writer.write(b"\x00")
            await writer.drain()
            await asyncio.sleep(0.01)

    address = await ask_raw(drip, seconds=0.3)
    assert address.failure in (Failure.TIMEOUT, Failure.REFUSED)


async def test_a_server_that_floods() -> None:
    """A handshake has a size; more than that is not read."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        # HelloRequest, which OpenSSL passes over during a handshake however often it comes.
        record = b"\x16\x03\x03\x00\x04" + b"\x00\x00\x00\x00"
        for _ in range(1000):
            writer.write(record * 1000)
            await writer.drain()

    address = await ask_raw(flood)
    assert address.failure is Failure.REFUSED
    assert "more than 1 MiB" in address.problem


async def test_an_alert() -> None:
    """A name that the server does not know is refused in its own words."""
    async with LabTLS(world().chains["genuine"], {HOST: None}) as server:
        address = await ask(server.port)
    assert address.failure is Failure.REFUSED
    assert "unrecognized name" in address.problem


async def test_a_reset() -> None:
    """A connection that is reset is no traceback."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert (await ask_raw(reset)).failure is Failure.REFUSED


async def test_a_server_that_wants_a_client_certificate(tmp_path: Path) -> None:
    """In TLS 1.2 the handshake fails without one; with one there is a chain."""
    context = server_context(world().chains["genuine"], newest=ssl.TLSVersion.TLSv1_2)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(world().cafile)
    file = tmp_path / "client.pem"
    client = world().client_certificate
    file.write_bytes(key_pem(client.private_key) + pem(client.certificates))

    async def nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(nothing, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        without = await ask(port)
        ours = verifying_context(world().cafile, client_certificate=str(file))
        found = await TLSAsker(ours).ask(Endpoint(HOST, port), [("127.0.0.1", port)])
    assert without.failure is Failure.REFUSED
    # Not even the chain that OpenSSL had found: the server has not proven to hold the key.
    assert without.verified == ()
    assert found.addresses[0].verified[-1] == root_of()


@pytest.mark.parametrize("partial", [True, False])
async def test_where_a_chain_ends(partial: bool, tmp_path: Path) -> None:
    """With partial chains it ends at the first trusted certificate, else at the root."""
    store = tmp_path / "store.pem"
    store.write_text(world().bundle_of("a", "intermediate"))
    context = verifying_context(str(store))
    flag = ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags = context.verify_flags | flag if partial else context.verify_flags & ~flag
    async with world().serve() as server:
        found = await TLSAsker(context).ask(Endpoint(HOST), [("127.0.0.1", server.port)])
    end = world().authorities.a.intermediate if partial else root_of()
    assert found.addresses[0].verified[-1] == end


def test_a_context_that_does_not_verify_is_refused() -> None:
    """What OpenSSL calls a verified chain is not verified without CERT_REQUIRED."""
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="without verification"):
        TLSAsker(context)
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="without verification"):
        TLSAsker(context)


def test_files_that_are_none(tmp_path: Path) -> None:
    """Trust anchors and client certificates that cannot be read are the user's error."""
    empty, sealed = tmp_path / "empty.pem", tmp_path / "sealed.pem"
    empty.write_text("")
    sealed.write_bytes(_sealed(world().client_certificate))
    for path in (str(empty), str(tmp_path / "none"), "nul\0byte", str(tmp_path)):
        with pytest.raises(ConfigError, match="trust anchors"):
            verifying_context(path)
        with pytest.raises(ConfigError, match="client certificate"):
            verifying_context(client_certificate=path)
    with pytest.raises(ConfigError, match=r"client certificate .*: the key is encrypted"):
        verifying_context(client_certificate=str(sealed))


async def test_an_address_of_this_machine_at_which_nobody_listens() -> None:
    """`localhost` is two addresses on most machines, and a server is at one of them."""
    with world().serve() as server:
        endpoint = Endpoint(HOST, server.port)
        named = await asker().ask(endpoint)
        assert [each.address for each in named.addresses] == ["127.0.0.1"]
        # An address that was asked for by the user is told of.
        places = [("127.0.0.1", server.port), ("::1", server.port)]
        both = await asker().ask(endpoint, places)
    assert [each.nobody_listens for each in both.addresses] == [False, True]
    assert _without_idle_loopback(both.addresses) == both.addresses[:1]
    assert _without_idle_loopback(both.addresses[1:]) == both.addresses[1:]
    elsewhere = replace(both.addresses[1], address="192.0.2.1")
    kept = (both.addresses[0], elsewhere)
    assert _without_idle_loopback(kept) == kept


def _sealed(credentials: Credentials) -> bytes:
    """A certificate, and its key encrypted."""
    key = credentials.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    return key + pem(credentials.certificates)


def test_an_address_is_shown_with_its_port() -> None:
    """An IPv6 address in brackets."""
    assert str(ServedAddress(address="::1", port=1)) == "[::1]:1"
    assert str(ServedAddress(address="127.0.0.1", port=1)) == "127.0.0.1:1"
    assert ServedHost(endpoint=Endpoint(HOST)).chains == ()


async def test_an_ipv6_address() -> None:
    """A certificate for ::1 is verified as such, and the name has the address of its kind."""

    async def nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = server_context(world().chains["genuine"])
    try:
        server = await asyncio.start_server(nothing, "::1", 0, ssl=context)
    except OSError:
        pytest.skip("this machine has no ::1")
    async with server:
        endpoint = parse_endpoint(f"[::1]:{server.sockets[0].getsockname()[1]}")
        found = await asker(family=socket.AF_INET6).ask(endpoint)
    assert [each.address for each in found.addresses] == ["::1"]
    assert found.addresses[0].verified

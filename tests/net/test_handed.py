"""What servers hand over beside their chains: asked of OpenSSL's own, and of broken ones."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pinwarden.lab.ca import CA, new_key
from pinwarden.lab.tls import Credentials, LabTLS, server_context
from pinwarden.net.address_classes import why_not_public
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.hello.fetch import fetch_handed
from pinwarden.net.hello.offer import Offer
from pinwarden.net.served import Failure, HandedOver, ServedAddress, Wanted
from pinwarden.net.tls import TLSAsker, verifying_context
from support.broken_servers import FOR_EVER, MANNERS, broken_server, closed_port
from support.handing_servers import encoded_list, handing_server, ocsp_answer
from support.pin_world import HOST, said, world
from support.starttls_server import DIALOGUES, StartTLSServer

ALL = Wanted(anchored=True, handed=True)
SCTS = encoded_list([b"one", b"another"])


async def ask(
    port: int,
    wanted: Wanted = ALL,
    *,
    host: str = HOST,
    seconds: float = 10.0,
    starttls: str | None = None,
) -> ServedAddress:
    asker = TLSAsker(verifying_context(world().cafile), timeout=seconds, wanted=wanted)
    found = await asker.ask(Endpoint(host, port, starttls), [("127.0.0.1", port)])
    return found.addresses[0]


def staple() -> bytes:
    """An OCSP response for the genuine chain, with SCTs in it."""
    leaf = world().chains["genuine"].certificates[0]
    return ocsp_answer(world().authorities.a, leaf, sct_list=SCTS)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize(
    ("scts", "stapled"),
    [(True, True), (True, False), (False, True), (False, False)],
    ids=["both", "SCTs", "OCSP", "neither"],
)
async def test_openssl(version: str, scts: bool, stapled: bool) -> None:
    """Every octet of an SCT list and an OCSP response comes through, in both versions."""
    genuine, ocsp = world().chains["genuine"], staple() if stapled else b""
    with handing_server(
        genuine, sct_list=SCTS if scts else b"", ocsp=ocsp, version=version
    ) as port:
        address = await ask(port)
    assert address.handed == HandedOver(
        leaf=genuine.certificates[0], sct_list=SCTS if scts else b"", ocsp=ocsp
    )
    assert address.sent == genuine.certificates
    assert len(address.verified) == 3


@pytest.mark.parametrize(
    "more",
    [
        ("-groups", "P-256"),
        ("-groups", "P-384"),
        ("-groups", "P-521"),
        ("-groups", "X448"),
        ("-groups", "ffdhe2048"),
        ("-groups", "ffdhe8192"),
        ("-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        ("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
        ("-Verify", "1"),
        ("-split_send_frag", "512", "-max_send_frag", "512"),
        ("-record_padding", "1000"),
        ("-no_middlebox",),
        ("-num_tickets", "9"),
        ("-alpn", "h2"),
    ],
    ids=lambda each: " ".join(each)[1:],
)
async def test_openssl_in_other_ways(more: tuple[str, ...]) -> None:
    """With a retry, in each suite, in pieces, padded, asking for a certificate of ours."""
    genuine, ocsp = world().chains["genuine"], staple()
    reader_of = Offer.of(ssl.create_default_context())
    with handing_server(genuine, sct_list=SCTS, ocsp=ocsp, version="tls1_3", more=more) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            handed = await asyncio.wait_for(fetch_handed(reader, writer, HOST, reader_of), 20)
        finally:
            writer.transport.abort()
    assert handed == HandedOver(leaf=genuine.certificates[0], sct_list=SCTS, ocsp=ocsp)


@pytest.mark.parametrize(
    "more",
    [
        ("-cipher", "AES128-GCM-SHA256"),
        ("-cipher", "AES128-SHA"),
        ("-cipher", "DHE-RSA-AES128-GCM-SHA256"),
        ("-cipher", "ECDHE-RSA-AES128-SHA"),
        ("-sigalgs", "RSA+SHA224"),
        ("-groups", "X448"),
    ],
    ids=lambda each: " ".join(each)[1:],
)
async def test_old_servers_of_tls_1_2(more: tuple[str, ...]) -> None:
    """What OpenSSL by itself would speak is no fault of the server's; all of it is read."""
    old = Credentials.of(world().authorities.a.issue([HOST], key=new_key("rsa")))
    with handing_server(old, sct_list=SCTS, version="tls1_2", more=more) as port:
        address = await ask(port)
    assert address.problem == ""
    assert address.verified
    assert address.handed == HandedOver(leaf=old.certificates[0], sct_list=SCTS)


async def test_a_key_that_is_too_weak() -> None:
    """More cipher suites do not mean weaker keys; what was shown is told all the same."""
    key = rsa.generate_private_key(65537, 1024)
    weak = Credentials.of(world().authorities.a.issue([HOST], key=key))
    with handing_server(weak, more=("-cipher", "ALL:@SECLEVEL=0")) as port:
        address = await ask(port)
    assert address.failure is Failure.UNTRUSTED
    assert "key too weak" in address.problem
    assert (address.verified, address.anchored) == ((), ())
    assert address.sent == weak.certificates


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
async def test_a_server_that_wants_a_client_certificate(version: str) -> None:
    """The words name what to do; in TLS 1.3 only the request fails, and all else is known."""
    wanted = Wanted(handed=True, response=True)
    genuine = world().chains["genuine"]
    more = ("-Verify", "1", "-verify_return_error")
    with handing_server(genuine, sct_list=SCTS, version=version, more=more) as port:
        address = await ask(port, wanted)
    if version == "tls1_2":
        assert address.failure is Failure.REFUSED
        assert "(perhaps it wants a client's: --client-cert)" in address.problem
        return
    assert address.verified
    assert address.handed == HandedOver(leaf=genuine.certificates[0], sct_list=SCTS)
    assert "it wants a client certificate (--client-cert)" in address.response_problem


async def test_all_at_once() -> None:
    """Chain, SCTs and the head of an answer, from a server with one place for visitors."""
    wanted = Wanted(anchored=True, handed=True, response=True)
    fields = {"Expect-CT": "max-age=1"}
    with handing_server(world().chains["genuine"], sct_list=SCTS, headers=fields) as port:
        address = await ask(port, wanted)
    assert address.verified
    assert address.handed is not None
    assert address.handed.sct_list == SCTS
    assert address.response == b"HTTP/1.1 204 No Content\r\nExpect-CT: max-age=1\r\n\r\n"


@pytest.mark.parametrize("name", ["genuine", "rsa-pss", "ed25519"])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_python(name: str, newest: ssl.TLSVersion) -> None:
    """A server that hands over nothing is read as one, with each sort of key."""
    credentials = world().chains[name]
    async with LabTLS(credentials, newest=newest) as server:
        address = await ask(server.port)
        assert said(server) == b""
    assert address.handed == HandedOver(leaf=credentials.certificates[0])


async def test_a_long_chain() -> None:
    """Certificates of several records are put together."""
    genuine = world().chains["genuine"]
    long = replace(genuine, certificates=genuine.certificates + genuine.certificates[1:] * 60)
    async with LabTLS(long) as server:
        address = await ask(server.port)
    assert address.handed == HandedOver(leaf=genuine.certificates[0])


@pytest.mark.parametrize("protocol", ["smtp", "postgres", "xmpp"])
async def test_behind_starttls(protocol: str) -> None:
    """The same after a dialogue in plain text."""
    with StartTLSServer(DIALOGUES[protocol], world().chains["genuine"]) as server:
        address = await ask(server.port, starttls=protocol)
    assert server.problems == []
    assert address.handed == HandedOver(leaf=world().chains["genuine"].certificates[0])


async def test_only_what_is_wanted() -> None:
    """By default one connection is made, and two more facts stay unasked for."""
    async with world().serve() as server:
        address = await ask(server.port, Wanted())
        assert len(server.visits) == 1
    assert (address.handed, address.anchored, address.response) == (None, (), b"")


async def ask_changing(chains: list[Credentials]) -> ServedAddress:
    """What a server comes to that shows the next of these at each connection."""
    contexts = cycle([server_context(each) for each in chains])
    entrance = server_context(chains[0])

    def choose(tls: ssl.SSLSocket | ssl.SSLObject, *_: object) -> None:
        tls.context = next(contexts)

    entrance.sni_callback = choose
    async with await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=entrance
    ) as server:
        return await ask(server.sockets[0].getsockname()[1], Wanted(handed=True))


async def test_another_certificate_next_time() -> None:
    """Behind an address may be several servers: the one with this certificate is looked for."""
    shown = [world().chains["genuine"], Credentials.of(world().authorities.a.issue([HOST]))]
    address = await ask_changing(shown)
    assert address.handed == HandedOver(leaf=shown[0].certificates[0])


async def test_another_certificate_each_time() -> None:
    """What came with another certificate is not taken for this one's."""
    shown = [Credentials.of(world().authorities.a.issue([HOST])) for _ in range(4)]
    address = await ask_changing(shown)
    assert address.sent == shown[0].certificates
    assert address.handed == HandedOver(
        leaf=shown[3].certificates[0], problem="each connection shows another certificate"
    )


async def test_the_name_is_told() -> None:
    """The certificate is that of the name, not the server's usual one."""
    other = Credentials.of(world().authorities.a.issue([HOST]))
    async with LabTLS(world().chains["rogue"], {HOST: other}) as server:
        address = await ask(server.port)
        assert [each.sni for each in server.visits] == [HOST, HOST]
    assert address.handed == HandedOver(leaf=other.certificates[0])


def issued_at(days_ago: int) -> Credentials:
    start = datetime.now(UTC) - timedelta(days=days_ago)
    return Credentials.of(world().authorities.a.issue([HOST], not_before=start))


@pytest.mark.parametrize(
    ("credentials", "host", "code"),
    [
        (lambda: world().chains["expired"], HOST, 10),
        (lambda: issued_at(-2), HOST, 9),
        (lambda: world().chains["wrong-host"], HOST, 62),
        (lambda: world().chains["genuine"], "192.0.2.1", 64),
        (lambda: issued_at(200), "www.example.com", 62),
    ],
    ids=["expired", "not yet valid", "wrong host", "wrong address", "expired and wrong host"],
)
async def test_an_anchored_chain(credentials: object, host: str, code: int) -> None:
    """Dates and names aside, whose certificate it is can be known; it never counts as verified."""
    shown: Credentials = credentials()  # type: ignore[operator]
    async with LabTLS(shown) as server:
        address = await ask(server.port, host=host)
        assert said(server) == b""
    assert (address.failure, address.verify_code) == (Failure.UNTRUSTED, code)
    assert address.verified == ()
    assert address.sent == shown.certificates
    assert address.anchored == (*shown.certificates, world().authorities.a.root)
    assert address.handed == HandedOver(leaf=shown.certificates[0])


@pytest.mark.parametrize("name", ["self-signed", "forged", "unknown", "unknown and expired"])
async def test_what_has_no_anchor(name: str) -> None:
    """Nothing is anchored where trust itself is missing; the chain as sent is told."""
    start = datetime.now(UTC) - timedelta(days=200)
    unknown = CA("Unknown")
    chains = {
        "unknown": Credentials.of(unknown.issue([HOST])),
        "unknown and expired": Credentials.of(unknown.issue([HOST], not_before=start)),
    }
    shown = chains.get(name) or world().chains[name]
    async with LabTLS(shown) as server:
        address = await ask(server.port)
    assert address.failure is Failure.UNTRUSTED
    assert (address.anchored, address.verified) == ((), ())
    assert address.sent == shown.certificates


async def test_anchoring_changes_nothing_for_others() -> None:
    """While one chain is looked at without dates, no other one passes without them."""
    asker = TLSAsker(verifying_context(world().cafile), wanted=ALL)
    async with world().serve("expired") as one, world().serve("wrong-host") as other:
        found = await asyncio.gather(
            *(
                asker.ask(Endpoint(HOST), [("127.0.0.1", one.port), ("127.0.0.1", other.port)])
                for _ in range(8)
            )
        )
    addresses = [each for host in found for each in host.addresses]
    assert {each.failure for each in addresses} == {Failure.UNTRUSTED}
    assert all(each.anchored and not each.verified for each in addresses)


@pytest.mark.parametrize("manner", MANNERS)
async def test_broken_servers(manner: str) -> None:
    """Each comes to one reason in one line, when the time is over at the latest."""
    seconds = 0.5 if manner in FOR_EVER else 20.0
    with broken_server(manner) as port:
        address = await ask(port, seconds=seconds)
    assert address.failure in (Failure.TIMEOUT, Failure.REFUSED, Failure.NOT_TLS)
    assert (address.failure is Failure.TIMEOUT) is (manner in FOR_EVER)
    assert address.problem.isprintable()
    assert address.handed is None


@pytest.mark.parametrize("manner", MANNERS)
async def test_broken_after_the_handshake(manner: str) -> None:
    """Where only the reading of the first flight fails, the chain is known, and the reason."""
    seconds = 0.5 if manner in FOR_EVER else 20.0
    asker = TLSAsker(verifying_context(world().cafile), timeout=seconds, wanted=ALL)
    with broken_server(manner) as port:
        place = ServedAddress(address="127.0.0.1", port=port, sent=(b"leaf",))
        handed = await asker._handed(Endpoint(HOST, port), place)
    assert handed.leaf == handed.sct_list == handed.ocsp == b""
    assert handed.problem.startswith("a connection to read it came to nothing: ")
    assert handed.problem.isprintable()


async def test_an_address_that_is_not_admitted() -> None:
    """Whoever must not be led inside does not even connect; the rest of a name is asked."""
    asker = TLSAsker(
        verifying_context(world().cafile),
        admit=lambda each: why_not_public(each) if each != "127.0.0.1" else None,
    )
    async with world().serve() as server:
        places = [("127.0.0.1", server.port), ("127.0.0.2", server.port), ("10.0.0.1", 443)]
        found = await asker.ask(Endpoint(HOST, server.port), places)
        assert len(server.visits) == 1
    first, *others = found.addresses
    assert first.verified
    assert [each.failure for each in others] == [Failure.FORBIDDEN] * 2
    assert [each.problem for each in others] == [
        "is not asked: it is this machine itself",
        "is not asked: it is of a private network",
    ]


async def test_a_name_that_leads_inside() -> None:
    """What counts is the address that a name has, and no second look-up follows."""
    asker = TLSAsker(verifying_context(world().cafile), admit=why_not_public)
    async with world().serve() as server:
        found = await asker.ask(Endpoint("localhost", server.port))
        assert server.visits == []
    assert {each.failure for each in found.addresses} == {Failure.FORBIDDEN}


async def test_nobody_listens() -> None:
    """A closed port is one reason, not four."""
    address = await ask(closed_port())
    assert address.failure is Failure.UNREACHABLE
    assert (address.handed, address.anchored, address.sent) == (None, (), ())

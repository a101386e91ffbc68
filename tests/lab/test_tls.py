"""The lab's TLS server presents what it is told to, seen by `ssl`, aiohttp and OpenSSL."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl

import aiohttp
import pytest

from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.tls import Credentials, LabTLS


@pytest.fixture(scope="module")
def live() -> CA:
    return CA("TLS Lab")


@pytest.fixture(scope="module")
def shop(live: CA) -> Issued:
    return live.issue(["shop.example"])


@pytest.fixture(scope="module")
def mail(live: CA) -> Issued:
    return live.issue(["mail.example"])


def trusting(ca: CA) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=pem([ca.root]).decode())


def connect(
    server: LabTLS, context: ssl.SSLContext, name: str | None
) -> tuple[bytes | None, str | None]:
    """The certificate and version of one handshake."""
    with (
        socket.create_connection(server.address, timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=name) as tls,
    ):
        return tls.getpeercert(binary_form=True), tls.version()


def test_the_name_chooses_the_chain(live: CA, shop: Issued, mail: Issued) -> None:
    """Each name must get its certificate, others the default, and both must verify."""
    with LabTLS(Credentials.of(shop), {"mail.example": Credentials.of(mail)}) as server:
        assert connect(server, trusting(live), "shop.example")[0] == shop.certificate
        assert connect(server, trusting(live), "mail.example")[0] == mail.certificate
        assert [visit.sni for visit in server.visits] == ["shop.example", "mail.example"]


def test_a_name_can_be_refused(live: CA, shop: Issued) -> None:
    """A name mapped to nothing must end the handshake with an alert."""
    with (
        LabTLS(Credentials.of(shop), {"gone.example": None}) as server,
        pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"),
    ):
        connect(server, trusting(live), "gone.example")


def test_without_a_name_the_default_is_shown(shop: Issued) -> None:
    """A client that says no name must get the default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with LabTLS(Credentials.of(shop), {"x.example": None}) as server:
        assert connect(server, context, None)[0] == shop.certificate
        assert server.visits[0].sni is None


def test_a_forgotten_intermediate(live: CA, shop: Issued) -> None:
    """Without the intermediate, who trusts the root alone must not verify."""
    with (
        LabTLS(Credentials.of(shop, intermediates=False)) as server,
        pytest.raises(ssl.SSLCertVerificationError, match="local issuer"),
    ):
        connect(server, trusting(live), "shop.example")


def test_the_chain_may_change(live: CA, shop: Issued) -> None:
    """From the next connection on, another certificate must be shown."""
    with LabTLS(Credentials.of(shop)) as server:
        connect(server, trusting(live), "shop.example")
        renewed = live.issue(["shop.example"], key=shop.private_key)
        server.present(Credentials.of(renewed))
        assert connect(server, trusting(live), "shop.example")[0] == renewed.certificate


def test_tls_1_2(live: CA, shop: Issued) -> None:
    """An old server must speak the old version."""
    with LabTLS(Credentials.of(shop), newest=ssl.TLSVersion.TLSv1_2) as server:
        assert connect(server, trusting(live), "shop.example")[1] == "TLSv1.2"


async def test_http_for_client_libraries(live: CA, shop: Issued) -> None:
    """A client must get body and headers over one connection, and be remembered."""
    headers = {"Public-Key-Pins": 'max-age=1; pin-sha256="x"'}
    async with LabTLS(Credentials.of(shop), headers=headers, body=b"hello") as server:
        context = trusting(live)
        async with aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{server.port}/x"
            for _ in range(2):
                async with session.post(
                    url, data=b"secret", ssl=context, server_hostname="shop.example"
                ) as response:
                    assert await response.read() == b"hello"
                    assert response.headers["Public-Key-Pins"] == headers["Public-Key-Pins"]
        (visit,) = server.visits
        assert visit.said.count(b"secret") == 2
        assert visit.handshake


def test_who_does_not_trust_says_nothing(shop: Issued) -> None:
    """A client that breaks off must be remembered as having said nothing."""
    with LabTLS(Credentials.of(shop)) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(server, trusting(CA("Other")), "shop.example")
        assert [(visit.sni, bytes(visit.said)) for visit in server.visits] == [
            ("shop.example", b"")
        ]


def test_manners(live: CA, shop: Issued) -> None:
    """Plain text, a closed door and silence must all be no handshake."""
    with LabTLS(Credentials.of(shop)) as server:
        server.manner = "plain"
        with socket.create_connection(server.address, timeout=5) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
        server.manner = "closed"
        with pytest.raises((ssl.SSLError, OSError)):
            connect(server, trusting(live), "shop.example")
        server.manner = "silent"
        with socket.create_connection(server.address, timeout=0.2) as raw:
            raw.sendall(b"\x16\x03\x01")
            with pytest.raises(TimeoutError):
                raw.recv(1)
        assert not any(visit.handshake for visit in server.visits)


async def test_any_order_is_sent_as_it_is(live: CA, shop: Issued) -> None:
    """OpenSSL's client must see all certificates in the order that was asked for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    sent = (shop.certificate, live.root, live.intermediate)
    async with LabTLS(Credentials(sent, shop.private_key)) as server:
        process = await asyncio.create_subprocess_exec(
            *(openssl, "s_client", "-connect", f"127.0.0.1:{server.port}"),
            *("-servername", "shop.example", "-showcerts"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
    shown = [
        block.partition(b"-----END")[0].replace(b"\n", b"")
        for block in output.split(b"-----BEGIN CERTIFICATE-----\n")[1:]
    ]
    expected = [b"".join(pem([each]).splitlines()[1:-1]) for each in sent]
    assert shown[:3] == expected

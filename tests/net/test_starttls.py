"""TLS that begins in plain text, protocol by protocol, and servers that do not agree to it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.lab.tls import server_context
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedAddress
from pinwarden.net.starttls import LONGEST_LINE, STARTTLS_PORTS, Declined, start_tls
from pinwarden.net.tls import TLSAsker, verifying_context
from support.pin_world import HOST, world
from support.starttls_server import DIALOGUES, Dialogue, StartTLSServer, lines


async def ask(protocol: str, port: int, seconds: float = 10.0) -> ServedAddress:
    asker = TLSAsker(verifying_context(world().cafile), timeout=seconds)
    served = await asker.ask(Endpoint(HOST, port, protocol), [("127.0.0.1", port)])
    (address,) = served.addresses
    return address


async def declined(protocol: str, dialogue: Dialogue) -> str:
    with StartTLSServer(dialogue, world().chains["genuine"]) as server:
        address = await ask(protocol, server.port)
    assert address.failure is Failure.NOT_TLS
    assert address.verified == address.sent == ()
    return address.problem


def test_every_protocol_is_tried() -> None:
    """A protocol without a server here would be one that nobody has tried."""
    assert DIALOGUES.keys() == STARTTLS_PORTS.keys()


@pytest.mark.parametrize("protocol", sorted(STARTTLS_PORTS))
async def test_the_chain_behind_a_protocol(protocol: str) -> None:
    """The verified chain is that of the server, which hears nothing through TLS."""
    with StartTLSServer(DIALOGUES[protocol], world().chains["genuine"]) as server:
        address = await ask(protocol, server.port)
    assert server.problems == []
    assert address.problem == ""
    assert address.verified == (
        *world().chains["genuine"].certificates,
        world().authorities.a.root,
    )
    assert server.said == b""


@pytest.mark.parametrize("protocol", sorted(STARTTLS_PORTS))
async def test_an_untrusted_chain_behind_a_protocol(protocol: str) -> None:
    """The chain as sent is fetched by the same dialogue, and is not verified."""
    with StartTLSServer(DIALOGUES[protocol], world().chains["self-signed"]) as server:
        address = await ask(protocol, server.port)
    assert address.failure is Failure.UNTRUSTED
    assert address.verified == ()
    assert address.sent == world().chains["self-signed"].certificates


async def test_a_real_mail_server() -> None:
    """A mail server that we did not write agrees with ours on RFC 3207."""
    controller = Controller(
        Sink(),
        hostname="127.0.0.1",
        port=0,
        tls_context=server_context(world().chains["genuine"]),
    )
    # Its own start() wants to know the port beforehand.
    with socket.create_server(("127.0.0.1", 0)) as free:
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        address = await ask("smtp", controller.port)
    finally:
        controller.stop()
    assert address.verified[-1] == world().authorities.a.root


@pytest.mark.parametrize(
    ("protocol", "greeting", "answers", "words"),
    [
        ("smtp", b"554 go away\r\n", (), "'554 go away'"),
        ("smtp", b"220 x\r\n", ((b"EHLO", b"250 x\r\n"), (b"NO", b"")), "'500 what?'"),
        ("imap", b"* BYE overloaded\r\n", (), "'* BYE overloaded'"),
        ("imap", b"* OK\r\n", ((b"A1", b"TAG NO not here\r\n"),), "'a1 NO not here'"),
        ("pop3", b"+OK\r\n", ((b"STLS", b"-ERR no\r\n"),), "'-ERR no'"),
        ("ftp", b"220 x\r\n", ((b"AUTH", b"534 no\r\n"),), "'534 no'"),
        ("smtp", b"220-" + b"x" * 20_000, (), "a line without end"),
        ("smtp", b"220-x\r\n" * 200, (), "an answer without end"),
        ("imap", b"* FLAGS\r\n" * 200, (), "an answer without end"),
        ("smtp", b"220 \x1b[31mred\x07\r\n", ((b"EHLO", b"421 \x1b[0m\r\n"),), r"\x1b[0m"),
        ("sieve", b"NO\r\n", (), "'NO'"),
        ("mysql", b"\x01\0\0\0x", (), "no greeting of MySQL"),
        ("mysql", b"\xff\xff\xff\0x", (), "no greeting of MySQL"),
        ("mysql", b"\x40\0\0\0\x0a5.7\0" + bytes(80), (), "without TLS"),
        ("ldap", bytes.fromhex("300c02010178070a013504000400"), (), "result code 53"),
        ("ldap", b"HTTP/1.1 400 Bad Request\r\n", (), "no answer of LDAP"),
        ("ldap", bytes.fromhex("3084000000040201027e"), (), "no answer of LDAP"),
        ("postgres", b"N", (), "without TLS"),
        ("postgres", b"E", (), "is none"),
        ("xmpp", b"<stream:stream><stream:features/></stream:stream>", (), "offers no STARTTLS"),
        ("xmpp", b"x" * 100_000, (), "too much"),
    ],
)
async def test_a_server_that_does_not_agree(
    protocol: str, greeting: bytes, answers: tuple[tuple[bytes, bytes], ...], words: str
) -> None:
    """However it declines, that is told in one printable line and no chain is believed."""
    problem = await declined(protocol, lines(greeting, *answers))
    assert words in problem
    assert problem.isprintable()


@pytest.mark.parametrize("protocol", sorted(STARTTLS_PORTS))
async def test_a_server_that_hangs_up(protocol: str) -> None:
    """A closed connection is told as such, whatever the protocol was waiting for."""

    def hang_up(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
        raise EOFError

    assert "closed the connection" in await declined(protocol, hang_up)


async def test_a_server_that_says_nothing() -> None:
    """Waiting ends with the time given for it."""

    def wait(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass
        raise EOFError

    with StartTLSServer(wait, world().chains["genuine"]) as server:
        address = await ask("smtp", server.port, seconds=0.2)
    assert address.failure is Failure.TIMEOUT


async def test_plain_text_before_tls_is_no_part_of_it() -> None:
    """What is injected behind the server's consent must not be taken for something said in TLS."""
    injected = lines(
        b"220 x\r\n", (b"EHLO", b"250 STARTTLS\r\n"), (b"STARTTLS", b"220 go\r\n250 injected\r\n")
    )
    with StartTLSServer(injected, world().chains["genuine"]) as server:
        address = await ask("smtp", server.port)
    assert address.failure is Failure.NOT_TLS
    assert address.verified == ()


_PIECES = (
    *(
        b"220",
        b"250",
        b"234",
        b"382",
        b"201",
        b" ",
        b"-",
        b"\r\n",
        b"* OK",
        b"a1 OK",
        b"OK",
        b"+OK",
    ),
    *(b"-ERR", b"S", b"\x0a8.0\0", b"\x40\0\0\0", b"\xff\xff", bytes(40), b"\x84", b"\x0a\x01\0"),
    *(b"\x30\x0c\x02\x01\x01\x78\x07", b"xmlns:xmpp-tls", b"</stream:features>", b"<proceed", b">"),
)


@given(
    st.sampled_from(sorted(STARTTLS_PORTS)),
    st.lists(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=4)), max_size=12),
)
def test_whatever_a_server_says(protocol: str, pieces: list[bytes]) -> None:
    """TLS begins, or one printable reason why not: never another error, and never a hang."""

    async def talk() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other_end:
            _, writer = await asyncio.open_connection(*other_end.getsockname())
            reader = asyncio.StreamReader(limit=LONGEST_LINE)
            reader.feed_data(b"".join(pieces))
            reader.feed_eof()
            try:
                await start_tls(protocol, reader, writer, HOST)
            except Declined as error:
                reasons.append(str(error))
            finally:
                writer.close()
                await writer.wait_closed()

    reasons: list[str] = []
    asyncio.run(talk())
    assert all(reason and reason.isprintable() for reason in reasons)

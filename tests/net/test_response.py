"""The head of an answer over HTTP: bounded, over the connection that was verified."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import __version__
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.lab.tls import LabTLS, server_context
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.response import HeadFinder, encode_request, status_of, verify_path
from pinwarden.net.served import ServedAddress, Wanted
from pinwarden.net.tls import TLSAsker, verifying_context
from support.pin_world import HOST, said, world
from support.starttls_server import DIALOGUES, StartTLSServer

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def ask(
    port: int, *, host: str = HOST, seconds: float = 10.0, path: str = "/", **options: str
) -> ServedAddress:
    asker = TLSAsker(
        verifying_context(world().cafile),
        timeout=seconds,
        wanted=Wanted(response=True, path=path),
        **options,  # type: ignore[arg-type]
    )
    return (await asker.ask(Endpoint(host, port), [("127.0.0.1", port)])).addresses[0]


async def ask_playing(answer: Answer, seconds: float = 10.0) -> tuple[ServedAddress, list[bytes]]:
    """What a server comes to that answers so, and the requests that it heard."""
    heard: list[bytes] = []
    ended: list[asyncio.Task[None]] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(heard[-1], writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    context = server_context(world().chains["genuine"])
    async with await asyncio.start_server(play, "127.0.0.1", 0, ssl=context) as server:
        address = await ask(server.sockets[0].getsockname()[1], seconds=seconds)
        await asyncio.gather(*ended, return_exceptions=True)
    return address, heard


def saying(*parts: bytes) -> Answer:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


async def test_the_head() -> None:
    """One HEAD request, over the verified connection, and the answer's head as received."""
    async with world().serve() as server:
        server.headers = {"Public-Key-Pins": 'max-age=1; pin-sha256="x"'}
        address = await ask(server.port, path="/a?b=c", contact="mailto@example.com")
        heard = said(server)
        assert len(server.visits) == 1
    assert address.verified
    assert address.response_problem == ""
    assert address.response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert address.response.endswith(b'Public-Key-Pins: max-age=1; pin-sha256="x"\r\n\r\n')
    assert (
        heard
        == (
            f"HEAD /a?b=c HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
            f"User-Agent: pinwarden/{__version__} (+mailto@example.com)\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n"
        ).encode()
    )


@pytest.mark.parametrize("name", ["expired", "wrong-host", "self-signed"])
async def test_nothing_is_asked_for_unverified(name: str) -> None:
    """Whoever is not proven to be the host is told nothing, and gives no headers."""
    async with world().serve(name) as server:
        address = await ask(server.port)
        assert said(server) == b""
    assert address.response == b""
    assert "does not verify" in address.response_problem


async def test_nothing_is_asked_for_behind_starttls() -> None:
    """A mail server is sent no request of another protocol."""
    asker = TLSAsker(verifying_context(world().cafile), wanted=Wanted(response=True))
    with StartTLSServer(DIALOGUES["smtp"], world().chains["genuine"]) as server:
        places = [("127.0.0.1", server.port)]
        address = (await asker.ask(Endpoint(HOST, server.port, "smtp"), places)).addresses[0]
    assert server.said == b""
    assert address.verified
    assert address.response_problem == "smtp is not HTTP"


async def test_a_server_of_tls_1_2() -> None:
    """The request goes through any version."""
    async with LabTLS(world().chains["genuine"], newest=ssl.TLSVersion.TLSv1_2) as server:
        address = await ask(server.port)
    assert address.protocol == "TLSv1.2"
    assert address.response.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("status", [405, 501])
async def test_a_server_that_does_not_know_head(status: int) -> None:
    """It is asked once more with GET, over a new connection, and its body is not read."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        known = request.startswith(b"GET ")
        code = 200 if known else status
        writer.write(f"HTTP/1.1 {code} x\r\nA: b\r\n\r\n".encode() + b"body" * known)
        await writer.drain()

    address, heard = await ask_playing(answer)
    assert [each[:5] for each in heard] == [b"HEAD ", b"GET /"]
    assert address.response == b"HTTP/1.1 200 x\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("silent", [True, False], ids=["says nothing", "hangs up"])
async def test_a_server_that_does_not_answer_to_head(silent: bool) -> None:
    """Small servers, such as that of `openssl s_server -www`, know GET alone."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request.startswith(b"GET "):
            writer.write(b"HTTP/1.0 200 ok\r\nA: b\r\n\r\nbody")
            await writer.drain()
        elif silent:
            await asyncio.sleep(0.8)

    address, heard = await ask_playing(answer, seconds=1.0)
    assert [each[:5] for each in heard] == [b"HEAD ", b"GET /"]
    assert address.response == b"HTTP/1.0 200 ok\r\nA: b\r\n\r\n"
    assert address.response_problem == ""


async def test_a_server_that_knows_neither() -> None:
    """It is asked twice and not again; what it says then is its answer."""
    address, heard = await ask_playing(saying(b"HTTP/1.1 501 no\r\n\r\n"))
    assert len(heard) == 2
    assert address.response == b"HTTP/1.1 501 no\r\n\r\n"


async def test_interim_answers() -> None:
    """They are no answer (RFC 9110 section 15.2), however many come."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    address, _ = await ask_playing(saying(hints, hints, b"HTTP/1.1 204 \r\n\r\n"))
    assert address.response == b"HTTP/1.1 204 \r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((), "ended the connection without an answer"),
        ((b"HTTP/1.1 200 OK\r\nA: b\r\n",), "ended the connection without an answer"),
        ((b"\0\0\x12\x04\0\0\0\0\0",), r"not answer with HTTP/1, but with '\\x00\\x00"),
        ((b"220 mail ready\r\n",), "not answer with HTTP/1, but with '220 mail"),
        ((b"HTTP/2 200\r\n\r\n",), "the answer begins with 'HTTP/2 200"),
        ((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 20_000), "more than 64 KiB"),
        ((b"HTTP/1.1 103 x\r\n\r\n" * 5_000,), "more than 64 KiB"),
    ],
    ids=["nothing", "half", "h2", "mail", "no version", "endless", "endless hints"],
)
async def test_no_answer(answer: tuple[bytes, ...], words: str) -> None:
    """The chain is known nevertheless, and the reason is said in one line."""
    address, _ = await ask_playing(saying(*answer))
    assert address.verified
    assert address.failure is None
    assert address.response == b""
    assert words.replace("\\\\", "\\") in address.response_problem
    assert address.response_problem.isprintable()


async def test_silence_after_the_handshake() -> None:
    """The time for an answer is limited too."""

    async def wait(_: bytes, writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    address, _ = await ask_playing(wait, 0.3)
    assert address.verified
    assert address.response_problem == "did not answer over HTTP within 0.3 s"


@pytest.mark.parametrize("path", ["", "x", "//x y", "/\r\nHost: other", "/ü", "/#a", "/" * 9000])
def test_paths_that_are_none(path: str) -> None:
    """Nothing can be smuggled into a request."""
    with pytest.raises(ConfigError, match="path "):
        verify_path(path)
    with pytest.raises(ConfigError):
        TLSAsker(wanted=Wanted(response=True, path=path))


def test_a_contact_that_is_none() -> None:
    """The contact is one that anybody can be told."""
    with pytest.raises(ConfigError, match="contact"):
        TLSAsker(contact="x\r\nCookie: y")


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (Endpoint("www.example.com"), b"www.example.com"),
        (Endpoint("www.example.com", 8443), b"www.example.com:8443"),
        (Endpoint("2001:db8::1"), b"[2001:db8::1]"),
    ],
    ids=["usual", "port", "address"],
)
def test_the_host_that_is_named(endpoint: Endpoint, host: bytes) -> None:
    """RFC 9110 section 7.2: with the port unless it is the usual one."""
    assert b"\r\nHost: " + host + b"\r\n" in encode_request(endpoint, "HEAD")


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\n\r\n", b"\r\n\n"])
def test_ends_of_lines(end: bytes) -> None:
    """LF alone is taken for the end of a line (RFC 9112 section 2.2)."""
    head = b"HTTP/1.0 301 Moved\r\nLocation: /" + end
    assert HeadFinder().feed(head + b"body\r\n\r\n") == head
    assert status_of(head) == 301


@given(st.data())
def test_in_any_pieces(data: st.DataObject) -> None:
    """However it arrives, the same head is found, and nothing of what follows."""
    head = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    whole = b"HTTP/1.1 100 Continue\n\n" + head + b"<html>\n\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=9)))
    reader, found = HeadFinder(), None
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found = found or reader.feed(whole[start:end])
    assert found == head


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda each: b"HTTP/1.1 " + each))
def test_any_octets(data: bytes) -> None:
    """A head, a wish for more, or one of our errors in one line."""
    words = ""
    try:
        head = HeadFinder().feed(data)
        assert head is None or data.endswith(head) or head in data
    except MalformedError as error:
        words = str(error)
    assert words == "" or words.isprintable()

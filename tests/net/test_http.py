"""What the HTTP client promises, tried on real sockets against servers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from net.asking import IMPATIENT, MAX, client, get_once
from net.raw_server import Asked, RawServer, answer, raw
from pinwarden.errors import MalformedError, OutsideError, PinwardenError
from pinwarden.net.body import TooLargeError, TruncatedError, gunzip
from pinwarden.net.http import BodyTooLargeError, Limits

# Answers that are right


async def test_a_plain_answer_is_returned_whole():
    """Status, headers in any case and body reach the caller."""
    response = await get_once(answer(body=b"hello", headers={"ETag": '"1"'}))
    assert (response.status, response.headers["etag"], response.body) == (200, '"1"', b"hello")


async def test_a_gzip_answer_is_inflated_also_when_not_asked_for():
    """The Content-Encoding decides, whatever was negotiated."""
    body = b"tile" * 5000
    packed = gzip.compress(body)
    for accept_encoding in ("gzip", None):
        response = await get_once(
            answer(body=packed, headers={"Content-Encoding": "gzip"}),
            accept_encoding=accept_encoding,
        )
        assert response.body == body


async def test_a_chunked_answer_is_read_to_its_end():
    """Chunked transfer coding needs no Content-Length."""
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert (await get_once(raw(data))).body == b"abcde"


async def test_requests_share_one_kept_alive_connection():
    """One request after the other needs one connection."""
    async with RawServer([answer(body=b"x")]) as server, client() as http:
        for _ in range(5):
            await http.get(server.url(), max_bytes=MAX)
    assert {asked.connection for asked in server.asked} == {1}


async def test_a_status_the_caller_accepts_is_returned():
    """A 404 is an answer for who asked for it and an error for everybody else."""
    response = await get_once(answer("404 Not Found"), accept=(404,))
    assert response.status == 404
    with pytest.raises(OutsideError, match="answered 404 Not Found"):
        await get_once(answer("404 Not Found"))


async def test_not_modified_is_an_answer_only_to_a_condition():
    """A 304 nobody asked for would leave the caller without a body."""
    response = await get_once(answer("304 Not Modified"), headers={"If-None-Match": '"1"'})
    assert response.status == 304
    with pytest.raises(OutsideError, match="304"):
        await get_once(answer("304 Not Modified"))


@pytest.mark.parametrize("status", [201, 204, 206, 299])
async def test_no_other_success_passes_for_the_whole_answer(status):
    """A partial content nobody asked for would be a hole in a tile."""
    with pytest.raises(OutsideError, match=str(status)):
        await get_once(answer(f"{status} Well"))


# Bounds


async def test_a_declared_length_over_the_cap_is_refused_unread():
    """Nothing of the body is awaited: the server never sends it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"
    with pytest.raises(BodyTooLargeError, match="larger than 100000 bytes"):
        await get_once(raw(head))


async def test_an_endless_body_is_cut_at_the_cap():
    """A body without a declared length is counted while it streams."""
    sent = 0

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    with pytest.raises(OutsideError, match="larger than"):
        await get_once(endless, limits=Limits(timeout=20, attempts=1))
    assert sent < 50_000_000


async def test_a_decompression_bomb_is_stopped_at_the_cap():
    """The cap holds for the inflated body too."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < MAX
    with pytest.raises(OutsideError, match="larger than"):
        await get_once(answer(body=bomb, headers={"Content-Encoding": "gzip"}))


async def test_a_slow_endless_body_ends_with_the_total_timeout():
    """A byte now and then does not keep a request alive."""

    async def dripping(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(OutsideError, match=r"no whole answer within 0.3 s; 3 attempts"):
        await get_once(dripping, limits=IMPATIENT)


async def test_a_server_that_accepts_and_never_answers_times_out():
    """Silence is given up after the allowed attempts."""

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    with pytest.raises(OutsideError, match="no whole answer"):
        await get_once(silent, limits=IMPATIENT)


async def test_endless_headers_are_refused():
    """The head of an answer is bounded too."""
    flood = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(100_000))
    with pytest.raises(OutsideError):
        await get_once(raw(flood))


async def test_a_refused_connection_is_an_outside_error():
    """The error names the target, and the refusal is retried first."""
    async with RawServer([answer()]) as server:
        url = server.url("/gone")
    async with client() as http:
        with pytest.raises(OutsideError, match="3 attempts") as caught:
            await http.get(url, max_bytes=MAX)
    assert caught.value.target == url


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 99)[:-9],
    ],
    ids=["length", "chunked", "gzip"],
)
async def test_a_truncated_body_is_retried_and_never_returned(data):
    """Half an answer is no answer."""
    with pytest.raises(OutsideError, match="body ends too early; 3 attempts"):
        await get_once(raw(data))
    response = await get_once(raw(data), answer(body=b"whole"))
    assert response.body == b"whole"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("gzip", b"not gzip"), ("gzip, gzip", gzip.compress(gzip.compress(b"x")))],
    ids=["unknown", "not gzip", "twice"],
)
async def test_a_broken_or_foreign_encoding_is_refused(encoding, body):
    """What cannot be inflated with a limit is not handed on."""
    with pytest.raises(OutsideError):
        await get_once(answer(body=body, headers={"Content-Encoding": encoding}))


def test_gunzip_is_bounded_whole_and_takes_members():
    """A body may be several gzip members, but not very many."""
    assert gunzip(gzip.compress(b"ab") + gzip.compress(b"cd"), 4) == b"abcd"
    assert gunzip(gzip.compress(b""), 0) == b""
    with pytest.raises(TooLargeError):
        gunzip(gzip.compress(b"ab") + gzip.compress(b"cd"), 3)
    with pytest.raises(MalformedError, match="members"):
        gunzip(gzip.compress(b"") * 9, 10)
    with pytest.raises(TruncatedError):
        gunzip(gzip.compress(b"ab")[:-1], 10)
    with pytest.raises(MalformedError):
        gunzip(gzip.compress(b"ab") + b"trailing bytes", 10)
    with pytest.raises(MalformedError):
        gunzip(zlib.compress(b"ab"), 10)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail + b"\r\n\r\n"),
        st.tuples(st.integers(0, 999), st.binary(max_size=60)).map(
            lambda made: b"HTTP/1.1 %03d X\r\nContent-Length: 3\r\n\r\n" % made[0] + made[1]
        ),
    )
)
def test_any_bytes_give_an_answer_or_our_error(data):
    """Whatever a server sends, only our own errors leave."""

    async def once() -> None:
        limits = Limits(timeout=0.3, attempts=1)
        with contextlib.suppress(PinwardenError):
            await get_once(raw(data), limits=limits)

    asyncio.run(once())

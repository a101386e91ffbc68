"""Every fault of answering shows on the wire as it was asked for, and can be switched off."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import aiohttp
import pytest

from pinwarden.ct.head import LogKey
from pinwarden.ct.log import LogKind
from pinwarden.ct.sct import parse_sct, verify_sct, x509_entry
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from support import oracle

from .conftest import BOTH

Fill = Callable[[LabLog, int], None]


@pytest.fixture
async def server(fill: Fill) -> AsyncIterator[LabServer]:
    log = LabLog("a", kinds=BOTH)
    fill(log, 300)
    async with LabServer([log]) as running:
        yield running


@pytest.fixture
def log(server: LabServer) -> LabLog:
    return server.logs[0]


@pytest.fixture
def sth(log: LabLog) -> str:
    return log.url(LogKind.RFC6962) + "ct/v1/get-sth"


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url, allow_redirects=False) as response:
        return response.status


async def body(session: aiohttp.ClientSession, url: str) -> bytes:
    async with session.get(url) as response:
        assert response.status == 200
        read = await response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            return gzip.decompress(read)
        return read


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        (datetime(2026, 9, 1, 12, 30, tzinfo=UTC), "Tue, 01 Sep 2026 12:30:00 GMT"),
        ("soon", "soon"),
        (None, None),
    ],
)
async def test_status_with_retry_after(
    log: LabLog,
    sth: str,
    session: aiohttp.ClientSession,
    value: int | datetime | str | None,
    expected: str | None,
) -> None:
    """The status must come with Retry-After in the form that was asked for."""
    log.faults.status, log.faults.retry_after = 429, value
    async with session.get(sth) as response:
        assert (response.status, response.headers.get("Retry-After")) == (429, expected)
    log.faults.clear()
    assert await status(session, sth) == 200


async def test_faults_strike_where_and_as_often_as_asked(
    log: LabLog, sth: str, session: aiohttp.ClientSession
) -> None:
    """`on`, `every` and `times` must choose the requests that are hit."""
    entries = log.url(LogKind.RFC6962) + "ct/v1/get-entries?start=0&end=1"
    log.faults.status, log.faults.on = 503, "get-entries"
    assert [await status(session, url) for url in (sth, entries)] == [200, 503]
    log.faults.every = 2
    assert sorted([await status(session, entries) for _ in range(4)]) == [200, 200, 503, 503]
    log.faults.every, log.faults.times = 1, 2
    assert [await status(session, entries) for _ in range(4)] == [503, 503, 200, 200]


async def test_short_answers(log: LabLog, session: aiohttp.ClientSession) -> None:
    """get-entries must give fewer entries than asked for, from the right place."""
    log.faults.short_answers = 5
    read = await body(session, log.url(LogKind.RFC6962) + "ct/v1/get-entries?start=10&end=200")
    assert oracle.read_entries(read) == [log.leaf(index) for index in range(10, 15)]


async def test_empty_entries(log: LabLog, session: aiohttp.ClientSession) -> None:
    """get-entries must answer well formed, and with nothing."""
    log.faults.empty_entries = True
    read = await body(session, log.url(LogKind.RFC6962) + "ct/v1/get-entries?start=0&end=9")
    assert json.loads(read) == {"entries": []}


async def test_partial_tiles_vanish_where_the_full_one_exists(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """Only partial tiles of full ones may go, for data and hashes."""
    url = log.url(LogKind.STATIC) + "tile/"
    paths = ("data/000.p/12", "0/000.p/12", "data/000", "data/001.p/44", "0/001.p/44", "1/000.p/1")
    assert [await status(session, url + path) for path in paths] == [200] * 6
    log.faults.partial_tile_404 = True
    assert [await status(session, url + path) for path in paths] == [404, 404, 200, 200, 200, 200]


async def test_a_missing_tile(log: LabLog, session: aiohttp.ClientSession) -> None:
    """A tile named missing must be 404, and no other."""
    log.faults.missing.add("tile/0/000")
    url = log.url(LogKind.STATIC) + "tile/"
    assert [await status(session, url + path) for path in ("0/000", "data/000")] == [404, 200]


async def test_gzip_can_be_switched_off(log: LabLog, session: aiohttp.ClientSession) -> None:
    """With and without compression the tile must be the same."""
    url = log.url(LogKind.STATIC) + "tile/data/000"
    packed = await body(session, url)
    log.gzip_tiles = False
    async with session.get(url) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.read() == packed


async def test_the_fork_is_served_by_both_faces(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """Tiles and entries must be those of the fork as long as it is on, also after caching."""
    tile = log.url(LogKind.STATIC) + "tile/data/000"
    entries = log.url(LogKind.RFC6962) + "ct/v1/get-entries?start=250&end=255"
    honest = await body(session, tile), await body(session, entries)
    log.faults.fork = 255
    forked = [each.leaf for each in oracle.read_tile(await body(session, tile))]
    assert forked[:255] == [log.leaf(index) for index in range(255)]
    assert forked[255] != log.leaf(255)
    assert oracle.read_entries(await body(session, entries)) == forked[250:]
    log.faults.clear()
    assert (await body(session, tile), await body(session, entries)) == honest


async def test_redirect(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The answer must point elsewhere."""
    log.faults.redirect = "http://127.0.0.1:1/"
    async with session.get(sth, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:1/")


async def test_garbage(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """Noise, a friendly page and false gzip must all come with status 200."""
    log.faults.garbage = "html"
    assert b"<html>" in await body(session, sth)
    log.faults.garbage = "random"
    with pytest.raises(ValueError, match="decode"):
        json.loads(await body(session, sth))
    log.faults.garbage = "gzip"
    with pytest.raises(gzip.BadGzipFile):
        await body(session, sth)


async def test_a_bomb(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """A small body must be a valid gzip of the size that was asked for."""
    log.faults.bomb = (8 << 20) + 5
    async with session.get(sth) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    assert len(packed) < 20_000
    assert gzip.decompress(packed) == bytes((8 << 20) + 5)


async def test_a_flood(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The body must be as large as one has patience, and the server must live on."""
    log.faults.endless = "flood"
    async with session.get(sth) as response:
        got = 0
        while got < 20 << 20:
            got += len(await response.content.readany())
    log.faults.clear()
    assert await status(session, sth) == 200


async def test_a_drip(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The body must go on and on, slowly."""
    log.faults.endless = "drip"
    async with session.get(sth) as response:
        pieces = [await response.content.readany() for _ in range(5)]
    assert all(pieces)
    assert pieces[-1] == b" "


async def test_silence(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The request must be taken and never answered; a visitor who gives up is forgotten."""
    log.faults.silent = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await status(session, sth)
    assert log.visits.count("get-sth") == 1


async def test_reset(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The connection must end without an answer."""
    log.faults.reset = True
    with pytest.raises(aiohttp.ClientConnectionError):
        await status(session, sth)


async def test_a_cut_body(log: LabLog, session: aiohttp.ClientSession) -> None:
    """The body must end before its promised length."""
    log.faults.cut_body = True
    with pytest.raises(aiohttp.ClientPayloadError):
        await body(session, log.url(LogKind.STATIC) + "tile/data/000")


async def test_slow(log: LabLog, sth: str, session: aiohttp.ClientSession) -> None:
    """The answer must be late, and right."""
    log.faults.slow, log.faults.on = 0.3, "get-sth"
    late = asyncio.create_task(body(session, sth))
    for _ in range(3):
        assert await status(session, log.url() + "ct/v1/get-roots") == 200
    assert not late.done()
    oracle.read_sth(await late, log.face(LogKind.RFC6962).spki)


async def test_refusing_connections(
    server: LabServer, log: LabLog, sth: str, session: aiohttp.ClientSession
) -> None:
    """A refusing log must also drop who is connected, and come back on the same port."""
    assert await status(session, sth) == 200
    server.refuse(log)
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(session, sth)
    server.accept(log)
    assert await status(session, sth) == 200


async def test_faults_of_one_log_leave_others_alone(
    server: LabServer, session: aiohttp.ClientSession
) -> None:
    """Two logs have two hosts, as it were."""
    other = LabLog("b")
    await server.add(other)
    server.refuse(server.logs[0])
    assert await status(session, other.url() + "ct/v1/get-sth") == 200


@pytest.mark.parametrize("kind", BOTH, ids=str)
async def test_a_promise_that_is_not_kept(log: LabLog, kind: LogKind) -> None:
    """What is withheld has an SCT like any other, the same when it is submitted again."""
    issued = CA("Some CA").issue(["www.example.com"])
    size = log.size
    log.faults.withhold = True
    promised = log.add_chain(issued.certificate_chain, kind)
    log.faults.clear()
    assert log.size == size
    # Later it is too late to enter it; only the signature is made anew.
    again = log.add_chain(issued.certificate_chain, kind)
    assert parse_sct(again).timestamp_ms == parse_sct(promised).timestamp_ms
    assert log.size == size
    verify_sct(parse_sct(promised), x509_entry(issued.certificate), LogKey(log.face(kind).spki))


async def test_wrong_proofs(log: LabLog, session: aiohttp.ClientSession) -> None:
    """Each hash of a proof, and of a tile, has one bit the other way."""
    proof = f"{log.url()}ct/v1/get-entry-and-proof?leaf_index=7&tree_size=300"
    tile = f"{log.url(LogKind.STATIC)}tile/0/000"
    honest = json.loads(await body(session, proof))["audit_path"], await body(session, tile)
    log.faults.wrong_proof = True
    lying = json.loads(await body(session, proof))["audit_path"], await body(session, tile)
    assert len(honest[0]) == len(lying[0])
    assert not set(honest[0]) & set(lying[0])
    for start in range(0, len(honest[1]), 32):
        node = honest[1][start : start + 32]
        assert lying[1][start : start + 32] == node[:-1] + bytes([node[-1] ^ 1])

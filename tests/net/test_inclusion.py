"""Inclusion proofs as the log clients fetch them, from lab logs on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from net.raw_server import Asked, RawServer, answer
from net.small_log import SmallLog, described, head_of, ok
from pinwarden.ct.leaf import EntryType, Extra, encode_leaf, encode_leaf_index
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import Frontier, LeafHash, leaf_hash, verify_inclusion
from pinwarden.errors import BadProofError, MalformedError, OutsideError
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.net.evidence import GarbageError
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import LogClient, NotInLogError, open_log

KINDS = (LogKind.RFC6962, LogKind.STATIC)
QUICK = Limits(timeout=5, attempts=1, patience=5, backoff_first=0)
SIZE = 66_000
NOBODY = LeafHash(bytes(32))


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> LogKind:
    return request.param


@pytest.fixture(scope="module")
def log() -> LabLog:
    """A log of more entries than one level of tiles holds."""
    log = LabLog("inclusion", kinds=KINDS)
    leaves = [
        encode_leaf(1_790_000_000_000 + i, EntryType.X509, b"\x30", None, encode_leaf_index(i))
        for i in range(SIZE)
    ]
    log.add_leaves(leaves, [Extra()] * SIZE)
    return log


@pytest.fixture(autouse=True)
def honest(log: LabLog) -> None:
    """Every test begins with a log that does nothing wrong."""
    log.faults.clear()
    log.visits.clear()


@asynccontextmanager
async def reading(log: LabLog, kind: LogKind) -> AsyncIterator[LogClient]:
    async with LabServer([log]), HTTPClient(limits=QUICK) as http:
        yield open_log(log.description(kind), http)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_536, 65_537, SIZE])
async def test_proofs_lead_to_the_signed_root(log: LabLog, kind: LogKind, size: int) -> None:
    """The first, the last and others of each tree, over all levels of tiles."""
    log.faults.shrink = size
    async with reading(log, kind) as client:
        head = await client.fetch_head()
        for index in {0, size // 3, size // 2, size - 1}:
            leaf = leaf_hash(log.leaf(index))
            where, proof = await client.fetch_inclusion(leaf, index, head)
            assert where == index
            verify_inclusion(leaf, where, head.size, proof, head.root)


async def test_a_static_log_is_asked_for_few_tiles(log: LabLog) -> None:
    """A proof costs a tile or two a level, and no entries."""
    async with reading(log, LogKind.STATIC) as client:
        head = await client.fetch_head()
        log.visits.clear()
        await client.fetch_inclusion(leaf_hash(log.leaf(300)), 300, head)
    assert log.visits.count("tile/data") == 0
    assert 0 < log.visits.count("tile/") <= 6


async def test_an_entry_that_is_not_there(log: LabLog, kind: LogKind) -> None:
    """The log answers, and says no: another error than silence, with the log's own words."""
    log.faults.shrink = 100
    async with reading(log, kind) as client:
        head = await client.fetch_head()
        with pytest.raises(NotInLogError) as refused:
            await client.fetch_inclusion(NOBODY, 100, head)
    if kind is LogKind.RFC6962:
        assert refused.value.evidence == b"no entry has this hash\n"


async def test_a_static_log_needs_the_place(log: LabLog) -> None:
    """Without a leaf_index there is nothing to ask for."""
    async with reading(log, LogKind.STATIC) as client:
        with pytest.raises(MalformedError):
            await client.fetch_inclusion(NOBODY, None, await client.fetch_head())


async def test_an_rfc6962_log_does_not(log: LabLog) -> None:
    """It is asked by hash, whatever the SCT says of a place."""
    leaf = leaf_hash(log.leaf(7))
    async with reading(log, LogKind.RFC6962) as client:
        head = await client.fetch_head()
        assert (await client.fetch_inclusion(leaf, None, head))[0] == 7
        assert (await client.fetch_inclusion(leaf, 8, head))[0] == 7


async def test_wrong_proofs_are_not_believed(log: LabLog, kind: LogKind) -> None:
    """What a log gives is its word until it leads to the root."""
    leaf = leaf_hash(log.leaf(300))
    async with reading(log, kind) as client:
        head = await client.fetch_head()
        log.faults.wrong_proof = True
        index, proof = await client.fetch_inclusion(leaf, 300, head)
        with pytest.raises(BadProofError):
            verify_inclusion(leaf, index, head.size, proof, head.root)


async def test_silence_is_no_answer(log: LabLog, kind: LogKind) -> None:
    """A log that fails has not said that the entry is missing."""
    async with reading(log, kind) as client:
        head = await client.fetch_head()
        log.faults.status = 503
        with pytest.raises(OutsideError):
            await client.fetch_inclusion(leaf_hash(log.leaf(3)), 3, head)


async def test_a_partial_tile_that_was_filled(log: LabLog) -> None:
    """An old tree is proven from the full tiles that took the place of its partial ones."""
    log.faults.shrink = 65_600
    async with reading(log, LogKind.STATIC) as client:
        head = await client.fetch_head()
        log.faults.partial_tile_404 = True
        leaf = leaf_hash(log.leaf(65_590))
        index, proof = await client.fetch_inclusion(leaf, 65_590, head)
    verify_inclusion(leaf, index, head.size, proof, head.root)


@pytest.mark.parametrize(
    "body",
    [
        {"leaf_index": "7", "audit_path": []},
        {"leaf_index": 7, "audit_path": ["AAAA"]},
        {"leaf_index": 7, "audit_path": ["A" * 43 + "="] * 65},
        {"audit_path": []},
        [],
    ],
    ids=["index-in-words", "short-node", "too-long", "no-index", "list"],
)
async def test_garbage_is_called_so(body: object) -> None:
    """What is no answer to get-proof-by-hash is kept as evidence."""
    small = SmallLog(10, override={"get-proof-by-hash": lambda query: ok(body)})
    async with RawServer([small]) as server, HTTPClient(limits=QUICK) as http:
        client = open_log(described(server.url("/log/"), LogKind.RFC6962), http)
        with pytest.raises(GarbageError):
            await client.fetch_inclusion(NOBODY, None, small.head(10))


async def test_a_real_log_proves_all_its_entries(corpus: Path) -> None:
    """Each of 512 real precertificates, from the log's own hash tiles, by the client as it is."""
    folder = corpus / "ct-logs" / "sunlight-navigli2025h2"
    tops: list[bytes] = []

    async def files(asked: Asked, writer: asyncio.StreamWriter) -> None:
        path = asked.path.removeprefix("/log/")
        # Of the level above the corpus has nothing: it follows from the entries.
        above = path == "tile/1/000.p/2"
        body = b"".join(tops) if above else (folder / path).read_bytes()
        await answer(body=body)(asked, writer)

    async with RawServer([files]) as server, HTTPClient(limits=QUICK) as http:
        client = open_log(described(server.url("/log/"), LogKind.STATIC), http)
        leaves = (await client.fetch_range(0, 512, 512)).leaf_hashes()
        tops += [Frontier().extend(leaves[at : at + 256]).root() for at in (0, 256)]
        head = head_of(512, Frontier().extend(leaves).root())
        for index, leaf in enumerate(leaves):
            where, proof = await client.fetch_inclusion(leaf, index, head)
            verify_inclusion(leaf, where, head.size, proof, head.root)
            with pytest.raises(BadProofError):
                verify_inclusion(leaf, where ^ 1, head.size, proof, head.root)

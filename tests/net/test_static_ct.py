"""What is special about reading static logs: checkpoints, tiles, and tiles that are gone."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from net.raw_server import Asked, Handler, RawServer, answer
from net.small_log import NOW_MS, described, head_of, signature
from pinwarden.ct.entry import EntryType, encode_leaf, encode_leaf_index, encode_tile_leaf
from pinwarden.ct.head import LogID, encode_checkpoint
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    Frontier,
    LeafHash,
    RootHash,
    leaf_hash,
    verify_consistency,
)
from pinwarden.ct.tiles import DATA, parse_tile_path
from pinwarden.ct.tree import Tree
from pinwarden.errors import BadProofError, OutsideError, PinwardenError, VerificationError
from pinwarden.net.evidence import BadHeadError, GarbageError
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.net.static_ct import StaticClient

ORIGIN = "small.example/log"


class SmallTiles:
    """A static log of tiny entries, as files."""

    def __init__(self, size: int) -> None:
        self.leaves = [
            encode_leaf(NOW_MS + i, EntryType.X509, b"\x30%d" % i, None, encode_leaf_index(i))
            for i in range(size)
        ]
        self.tree = Tree([leaf_hash(leaf) for leaf in self.leaves])
        self.size = size
        self.asked: list[str] = []
        self.gone: set[str] = set()
        self.gone_status = "404 Not Found"
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.packed = False

    def checkpoint(self, size: int, origin: str = ORIGIN) -> bytes:
        root = self.tree.root(size)
        log_id = described("", LogKind.STATIC).log_id
        return encode_checkpoint(origin, size, root, NOW_MS, signature(size, root), log_id)

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        assert asked.path.startswith("/log/"), asked.path
        path = asked.path.removeprefix("/log/")
        self.asked.append(path)
        if path in self.gone:
            await answer(self.gone_status, b"gone")(asked, writer)
            return
        await answer(body=self.file(path), headers=self.headers)(asked, writer)

    def file(self, path: str) -> bytes:
        if path in self.files:
            return self.files[path]
        if path == "checkpoint":
            return self.checkpoint(self.size)
        tile = parse_tile_path(path)
        if tile.level != DATA:
            return self.tree.tile(tile.level, tile.index, tile.width)
        start = tile.index * 256
        chosen = self.leaves[start : start + tile.width]
        assert len(chosen) == tile.width, f"{path} does not exist"
        body = b"".join(encode_tile_leaf(leaf, None, ()) for leaf in chosen)
        return gzip.compress(body) if self.packed else body


@asynccontextmanager
async def reading(handler: Handler) -> AsyncIterator[StaticClient]:
    limits = Limits(timeout=5, attempts=2, backoff_first=0)
    async with RawServer([handler]) as server, HTTPClient(limits=limits) as http:
        client = open_log(described(server.url("/log/"), LogKind.STATIC), http)
        assert isinstance(client, StaticClient)
        yield client


async def test_ranges_are_tiles():
    """Each range is one data tile, the first and last perhaps a part of one."""
    async with reading(answer()) as client:
        assert list(client.split(300, 700)) == [(300, 512), (512, 700)]
        assert list(client.split(256, 512)) == [(256, 512)]
        assert list(client.split(700, 700)) == []


@pytest.mark.parametrize(
    ("low", "high", "size", "asked"),
    [
        (0, 256, 600, ["tile/data/000"]),
        (300, 310, 600, ["tile/data/001"]),
        (512, 600, 600, ["tile/data/002.p/88"]),
        (520, 530, 600, ["tile/data/002.p/88"]),
        (10, 600, 600, ["tile/data/000", "tile/data/001", "tile/data/002.p/88"]),
        (512, 599, 599, ["tile/data/002.p/87"]),
    ],
)
async def test_exactly_the_entries_come_from_tiles_that_the_size_implies(low, high, size, asked):
    """No partial width is ever asked for that the signed size does not imply."""
    log = SmallTiles(600)
    async with reading(log) as client:
        batch = await client.fetch_range(low, high, size)
    assert (batch.first, batch.leaves) == (low, log.leaves[low:high])
    assert batch.entry(high - 1).leaf_index == high - 1
    assert log.asked == asked


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "410 Gone"])
async def test_a_partial_tile_that_is_gone_is_taken_from_the_full_one(status):
    """Logs may drop partial tiles once they are full; file servers say so differently."""
    log = SmallTiles(600)
    log.gone, log.gone_status = {"tile/data/001.p/44", "tile/0/001.p/44"}, status
    async with reading(log) as client:
        batch = await client.fetch_range(256, 300, 300)
        assert batch.leaves == log.leaves[256:300]
        frontier = await client.fetch_frontier(head_of(300, log.tree.root(300)))
    assert frontier == Frontier().extend([leaf_hash(leaf) for leaf in log.leaves[:300]])
    assert log.asked[:2] == ["tile/data/001.p/44", "tile/data/001"]


async def test_a_tile_that_is_gone_altogether_is_an_error():
    """It says which one."""
    log = SmallTiles(600)
    log.gone = {"tile/data/001.p/44", "tile/data/001"}
    async with reading(log) as client:
        with pytest.raises(OutsideError, match="tile/data/001'"):
            await client.fetch_range(256, 300, 300)


async def test_a_compressed_tile_is_read_with_or_without_a_word_about_it():
    """Compressed in transit, or stored compressed and served as if it were not."""
    log = SmallTiles(300)
    log.packed = True
    for headers in ({"Content-Encoding": "gzip"}, {}):
        log.headers = headers
        async with reading(log) as client:
            assert (await client.fetch_range(256, 300, 300)).leaves == log.leaves[256:300]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x1f\x8b broken",
        gzip.compress(b"x")[:-1],
        SmallTiles(255).file("tile/data/000.p/255"),
        SmallTiles(256).file("tile/data/000") + b"\x00",
    ],
    ids=["empty", "zero", "no gzip", "cut gzip", "an entry less", "a byte more"],
)
async def test_a_tile_of_another_width_is_garbage(body):
    """A tile has as many entries as its name says, and ends with the last of them."""
    log = SmallTiles(256)
    log.files["tile/data/000"] = body
    async with reading(log) as client:
        with pytest.raises(GarbageError) as caught:
            await client.fetch_range(0, 256, 256)
    assert caught.value.evidence == body


async def test_a_stored_bomb_is_stopped():
    """A tile packed without a word about it is inflated with a limit too."""
    log = SmallTiles(256)
    log.files["tile/data/000"] = gzip.compress(bytes(65 * 1024 * 1024), 1)
    async with reading(log) as client:
        with pytest.raises(OutsideError, match="larger than"):
            await client.fetch_range(0, 256, 256)


async def test_ranges_out_of_order_are_the_caller_s_bug():
    """Nothing is asked for outside the tree."""
    async with reading(SmallTiles(10)) as client:
        for low, high, size in ((5, 5, 10), (-1, 5, 10), (5, 11, 10)):
            with pytest.raises(RuntimeError):
                await client.fetch_range(low, high, size)


# Checkpoints


async def test_a_checkpoint_is_verified_with_origin_and_key():
    """A head of the right log is returned, also when it is an old one."""
    log = SmallTiles(10)
    async with reading(log) as client:
        assert (await client.fetch_head()).size == 10
        log.files["checkpoint"] = log.checkpoint(4)
        assert (await client.fetch_head()).size == 4


async def test_a_checkpoint_of_another_log_is_garbage():
    """The origin must be that of the log list, and the key the log's own."""
    log = SmallTiles(10)
    root = log.tree.root(10)
    other_key = encode_checkpoint(ORIGIN, 10, root, NOW_MS, signature(10, root), LogID(bytes(32)))
    for raw in (log.checkpoint(10, "other.example/log"), other_key, b"", b"\xff", b"<html>"):
        log.files["checkpoint"] = raw
        async with reading(log) as client:
            with pytest.raises(GarbageError) as caught:
                await client.fetch_head()
        assert caught.value.evidence == raw


async def test_a_checkpoint_with_a_bad_signature_is_kept_as_evidence():
    """The error holds the checkpoint exactly as received."""
    log = SmallTiles(10)
    forged = log.checkpoint(10).replace(b"\n10\n", b"\n11\n")
    log.files["checkpoint"] = forged
    async with reading(log) as client:
        with pytest.raises(BadHeadError) as caught:
            await client.fetch_head()
    assert caught.value.evidence == forged


# Hash tiles


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 1000])
async def test_the_frontier_is_made_of_the_edge_tiles(size):
    """It is the frontier of all entries before, and only tiles the size implies are asked for."""
    log = SmallTiles(1000)
    expected = Frontier().extend([leaf_hash(leaf) for leaf in log.leaves[:size]])
    async with reading(log) as client:
        assert await client.fetch_frontier(head_of(size, log.tree.root(size))) == expected
    for path in log.asked:
        tile = parse_tile_path(path)
        assert tile.width == size >> 8 * tile.level & 255


async def test_tiles_that_do_not_make_the_root_are_refused():
    """Hashes in tiles are the log's word until they lead to its signature."""
    log = SmallTiles(300)
    async with reading(log) as client:
        with pytest.raises(BadProofError):
            await client.fetch_frontier(head_of(300, RootHash(bytes(32))))
        with pytest.raises(BadProofError):
            await client.fetch_frontier(head_of(0, RootHash(bytes(32))))
    assert await_root(log) == log.tree.root(300)


def await_root(log: SmallTiles) -> RootHash:
    return Frontier().extend([LeafHash(leaf_hash(leaf)) for leaf in log.leaves]).root()


@pytest.mark.parametrize("length", [0, 44 * 32 - 1, 44 * 32 + 32])
async def test_a_hash_tile_of_another_width_is_garbage(length):
    """Its length is known beforehand."""
    log = SmallTiles(300)
    log.files["tile/0/001.p/44"] = bytes(length)
    async with reading(log) as client:
        with pytest.raises(GarbageError, match="44 hashes"):
            await client.fetch_frontier(head_of(300, log.tree.root(300)))


async def test_a_consistency_proof_is_made_of_tiles():
    """The proof between any two sizes verifies; between equal sizes none is needed."""
    log = SmallTiles(1000)
    async with reading(log) as client:
        for first, second in ((1, 1000), (255, 256), (256, 257), (512, 999)):
            proof = await client.fetch_consistency(first, second)
            verify_consistency(first, log.tree.root(first), second, log.tree.root(second), proof)
        assert await client.fetch_consistency(0, 10) == []
        assert await client.fetch_consistency(10, 10) == []


# Issuers


async def test_an_issuer_must_be_the_one_it_is_called_by():
    """Its hash is checked, and it is fetched once."""
    log = SmallTiles(1)
    issuer = b"\x30\x03abc"
    good, bad = sha256(issuer).digest(), bytes(32)
    log.files = {f"issuer/{good.hex()}": issuer, f"issuer/{bad.hex()}": issuer}
    async with reading(log) as client:
        assert await client.fetch_issuer(good) == issuer
        assert await client.fetch_issuer(good) == issuer
        assert log.asked == [f"issuer/{good.hex()}"]
        with pytest.raises(VerificationError, match="another certificate"):
            await client.fetch_issuer(bad)


# Real and hostile answers


async def test_a_real_log_is_read_to_its_root(corpus):
    """Real data tiles hash to the root that their real hash tiles make."""
    folder = corpus / "ct-logs" / "sunlight-navigli2025h2"

    async def files(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answer(body=(folder / asked.path.removeprefix("/log/")).read_bytes())(asked, writer)

    hashes = (folder / "tile/0/000").read_bytes() + (folder / "tile/0/001").read_bytes()
    leaves = [LeafHash(hashes[i : i + 32]) for i in range(0, len(hashes), 32)]
    expected = Frontier().extend(leaves)
    frontier = Frontier()
    async with reading(files) as client:
        for low, high in client.split(0, 512):
            batch = await client.fetch_range(low, high, 512)
            frontier = frontier.extend(batch.leaf_hashes())
            assert not batch.entry(low).problems
    assert frontier == expected


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_any_answer_gives_a_value_or_our_error(body):
    """Whatever a log answers to whatever call, only our own errors leave."""

    async def all_calls() -> None:
        async with reading(answer(body=body)) as client:
            for call in (
                client.fetch_head(),
                client.fetch_range(0, 2, 2),
                client.fetch_frontier(head_of(3, EMPTY_ROOT)),
                client.fetch_consistency(1, 3),
                client.fetch_issuer(bytes(32)),
            ):
                with contextlib.suppress(PinwardenError):
                    await call

    asyncio.run(all_calls())

"""Reading a static log (static-ct-api): a checkpoint, and tiles that never change.

Hashes in tiles are the log's word, so a frontier made of them is verified
against a signed root. Entries need no hash tiles: whoever hashes every entry
makes the root himself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256

from pinwarden.ct.entry import RawBatch, join_batches, parse_data_tile
from pinwarden.ct.head import Head, LogKey, parse_checkpoint
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import HASH_SIZE, Frontier, LeafHash, NodeHash
from pinwarden.ct.note import MAX_NOTE_SIZE
from pinwarden.ct.tiles import (
    FULL_WIDTH,
    Tile,
    consistency_proof_from_tiles,
    consistency_tiles,
    data_tile_for,
    edge_tiles,
    frontier_from_tiles,
    inclusion_proof_from_tiles,
    inclusion_tiles,
    tile_path,
)
from pinwarden.errors import BadProofError, MalformedError, VerificationError, quoted
from pinwarden.net.body import TooLargeError, TruncatedError, gunzip
from pinwarden.net.evidence import GarbageError, NotInLogError, signed_head, understood
from pinwarden.net.http import BodyTooLargeError, HTTPClient

_MOST_HASH_TILE = FULL_WIDTH * HASH_SIZE
# Logs take submissions of up to about 128 kB, and an entry can hold two of those.
_MOST_DATA_TILE = 64 * 1024 * 1024
_MOST_ISSUER = 1024 * 1024
_MOST_ISSUERS_KEPT = 1000
# How servers of plain files say that there is no such file.
_ABSENT = frozenset({403, 404, 410})
_GZIP_MAGIC = b"\x1f\x8b"


class StaticClient:
    """One static log; the promises are those of `logs.LogClient`."""

    def __init__(self, log: Log, http: HTTPClient) -> None:
        self.log = log
        self._http = http
        self._key = LogKey(log.key)
        self._issuers: dict[bytes, bytes] = {}

    async def fetch_head(self) -> Head:
        """The checkpoint, its origin and the log's own signature verified."""
        url = f"{self.log.url}checkpoint"
        response = await self._http.get(url, max_bytes=MAX_NOTE_SIZE)
        parse = partial(parse_checkpoint, origin=self.log.origin, log_id=self.log.log_id)
        return signed_head(url, response.body, parse, self._key)

    def split(self, start: int, size: int) -> Iterator[tuple[int, int]]:
        """One range for each data tile."""
        while start < size:
            end = min(size, start - start % FULL_WIDTH + FULL_WIDTH)
            yield start, end
            start = end

    async def fetch_range(self, low: int, high: int, size: int) -> RawBatch:
        """Exactly these entries, from the data tiles that hold them."""
        if not 0 <= low < high <= size:
            raise RuntimeError(f"entries {low} to {high} asked of a tree of {size}")
        first = low - low % FULL_WIDTH
        batches = [
            await self._fetch_data_tile(data_tile_for(index, size))
            for index in range(first, high, FULL_WIDTH)
        ]
        whole = batches[0] if len(batches) == 1 else join_batches(batches)
        return whole if len(whole) == high - low else whole.between(low, high)

    async def fetch_batch(self, start: int, size: int) -> RawBatch:
        """The entries of one tile from `start` on."""
        low, high = next(self.split(start, size))
        return await self.fetch_range(low, high, size)

    async def fetch_frontier(self, head: Head) -> Frontier:
        """The right edge from the last tile of each level."""
        tiles = await self._fetch_hash_tiles(edge_tiles(head.size))
        try:
            return frontier_from_tiles(head.size, tiles, head.root)
        except BadProofError as error:
            raise BadProofError(f"{quoted(self.log.url)}: {error}") from error

    async def fetch_issuer(self, fingerprint: bytes) -> bytes:
        """A certificate of a chain, which must be the one it is called by."""
        known = self._issuers.get(fingerprint)
        if known is not None:
            return known
        url = f"{self.log.url}issuer/{fingerprint.hex()}"
        response = await self._http.get(url, max_bytes=_MOST_ISSUER)
        if sha256(response.body).digest() != fingerprint:
            raise VerificationError(f"{quoted(url)}: is another certificate")
        if len(self._issuers) < _MOST_ISSUERS_KEPT:
            self._issuers[fingerprint] = response.body
        return response.body

    async def fetch_consistency(self, first: int, second: int) -> list[NodeHash]:
        """The proof made from hash tiles of the tree of `second` entries."""
        if not 0 < first < second:
            return []
        tiles = await self._fetch_hash_tiles(consistency_tiles(first, second))
        return consistency_proof_from_tiles(first, second, tiles)

    async def fetch_inclusion(
        self, leaf: LeafHash, index: int | None, head: Head
    ) -> tuple[int, list[NodeHash]]:
        """The audit path of the entry `index`, made from hash tiles; `leaf` is not looked at.

        Raises MalformedError without an index: nobody can be asked where the leaf is.
        """
        if index is None:
            raise MalformedError(f"{quoted(self.log.url)}: a static log is asked by leaf_index")
        if index >= head.size:
            raise NotInLogError(
                f"{quoted(self.log.url)}: has no entry {index}, only {head.size} entries",
                target=self.log.url,
                evidence=b"",
            )
        tiles = await self._fetch_hash_tiles(inclusion_tiles(index, head.size))
        return index, inclusion_proof_from_tiles(index, head.size, tiles)

    async def _fetch_data_tile(self, tile: Tile) -> RawBatch:
        """The entries of a tile, or of the full one that has taken its place."""
        got, url, body = await self._fetch_tile(tile, _MOST_DATA_TILE)
        if body.startswith(_GZIP_MAGIC):
            # Stored compressed and served without saying so. As the beginning of
            # a timestamp these bytes would be far outside of any calendar.
            body = _unpacked(url, body)
        parse = partial(parse_data_tile, first=tile.index * FULL_WIDTH, width=got.width)
        batch = understood(url, body, parse)
        return batch if got == tile else batch.between(batch.first, batch.first + tile.width)

    async def _fetch_hash_tiles(self, tiles: Sequence[Tile]) -> dict[Tile, bytes]:
        fetched: dict[Tile, bytes] = {}
        for tile in tiles:
            got, url, body = await self._fetch_tile(tile, _MOST_HASH_TILE)
            if len(body) != got.width * HASH_SIZE:
                raise GarbageError(
                    f"{quoted(url)}: tile of {got.width} hashes has {len(body)} bytes",
                    target=url,
                    evidence=body,
                )
            fetched[tile] = body
        return fetched

    async def _fetch_tile(self, tile: Tile, max_bytes: int) -> tuple[Tile, str, bytes]:
        """The tile as asked, or the full one: a log may drop partial tiles that were filled."""
        if tile.is_partial:
            url = self.log.url + tile_path(tile)
            response = await self._http.get(url, max_bytes=max_bytes, accept=_ABSENT)
            if response.status not in _ABSENT:
                return tile, url, response.body
        url = self.log.url + tile_path(tile.full)
        response = await self._http.get(url, max_bytes=max_bytes)
        return tile.full, url, response.body


def _unpacked(url: str, body: bytes) -> bytes:
    try:
        return gunzip(body, _MOST_DATA_TILE)
    except TooLargeError:
        raise BodyTooLargeError(
            f"{quoted(url)}: tile is larger than {_MOST_DATA_TILE} bytes", target=url
        ) from None
    except (TruncatedError, MalformedError) as error:
        raise GarbageError(
            f"{quoted(url)}: compressed tile is broken", target=url, evidence=body
        ) from error

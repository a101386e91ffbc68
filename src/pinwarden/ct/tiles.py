"""Tiles: the files in which a static log serves its tree (static-ct-api, "Merkle Tree").

Which tile holds what, how it is called, and frontiers and proofs made from
tiles. Hashes in tiles are the log's word until they led to a signed root, so
what is made here is verified here where the root is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pinwarden.ct.merkle import HASH_SIZE, Frontier, NodeHash, RootHash, fold, pair_up
from pinwarden.ct.tree import (
    Node,
    Range,
    consistency_ranges,
    inclusion_ranges,
    make_proof,
    whole_subtrees,
)
from pinwarden.errors import BadProofError, MalformedError, quoted

DATA: Literal["data"] = "data"
FULL_WIDTH = 256
MAX_LEVEL = 5
# Six levels of 8 bits.
MAX_SIZE = 1 << 8 * (MAX_LEVEL + 1)

_BITS = 8
_PATH = re.compile(r"tile/([0-5]|data)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: its level (or `DATA`), its place in that level, and how many columns it has."""

    level: int | Literal["data"]
    index: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        level = 0 if self.level == "data" else self.level
        if not 0 <= level <= MAX_LEVEL or not 1 <= self.width <= FULL_WIDTH:
            raise MalformedError(f"there is no tile of level {level} and width {self.width}")
        if not 0 <= self.index < MAX_SIZE >> _BITS:
            raise MalformedError(f"there is no tile number {self.index}")

    @property
    def is_partial(self) -> bool:
        """Whether the tile is still growing."""
        return self.width < FULL_WIDTH

    @property
    def full(self) -> Tile:
        """The tile that this one is or will become."""
        return Tile(self.level, self.index)


def tile_path(tile: Tile) -> str:
    """The path below the monitoring prefix, such as `tile/0/x001/x234/067.p/12`."""
    digits = f"{tile.index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = f"tile/{tile.level}/" + "/".join((*(f"x{one}" for one in groups[:-1]), groups[-1]))
    return f"{path}.p/{tile.width}" if tile.is_partial else path


def parse_tile_path(path: str) -> Tile:
    """The inverse of `tile_path`; raises `MalformedError` for every other spelling."""
    match = _PATH.fullmatch(path) if len(path) <= _MAX_PATH else None
    if match is None:
        raise MalformedError(f"{quoted(path)} is not the path of a tile")
    level, number, width = match.groups()
    tile = Tile(
        DATA if level == "data" else int(level),
        int(number.replace("x", "").replace("/", "")),
        int(width or FULL_WIDTH),
    )
    if tile_path(tile) != path:
        raise MalformedError(f"{quoted(path)} is not the one path of its tile")
    return tile


def data_tile_for(index: int, size: int) -> Tile:
    """The data tile with this entry in a log of `size` entries."""
    if not 0 <= index < _checked(size):
        raise MalformedError(f"entry {index} is not in a log of {size} entries")
    return _tile(DATA, index >> _BITS, size)


def edge_tiles(size: int) -> tuple[Tile, ...]:
    """The hash tiles that hold the right edge of a tree, lowest level first."""
    _checked(size)
    return tuple(
        Tile(level, size >> _BITS * (level + 1), width)
        for level in range(MAX_LEVEL + 1)
        if (width := size >> _BITS * level & FULL_WIDTH - 1)
    )


def frontier_from_tiles(size: int, tiles: Mapping[Tile, bytes], root: RootHash) -> Frontier:
    """The frontier of a tree from its `edge_tiles`.

    Raises `MalformedError` for a tile that is missing or not of its width, and
    `BadProofError` if the hashes do not make the tree of `root`.
    """
    hashes = _Hashes(size, tiles)
    frontier = Frontier(size, tuple(hashes.node(node) for node in whole_subtrees(0, size)))
    if frontier.root() != root:
        raise BadProofError(f"tiles do not make the root of {size} entries")
    return frontier


def inclusion_tiles(index: int, size: int) -> tuple[Tile, ...]:
    """The hash tiles that hold the audit path of an entry."""
    return _tiles_for(inclusion_ranges(index, _checked(size)), size)


def inclusion_proof_from_tiles(
    index: int, size: int, tiles: Mapping[Tile, bytes]
) -> list[NodeHash]:
    """The audit path of an entry from its `inclusion_tiles`; raises `MalformedError`.

    It proves nothing before `merkle.verify_inclusion`.
    """
    return make_proof(inclusion_ranges(index, _checked(size)), _Hashes(size, tiles).node)


def consistency_tiles(first: int, second: int) -> tuple[Tile, ...]:
    """The hash tiles that hold the consistency proof between two sizes."""
    return _tiles_for(consistency_ranges(first, _checked(second)), second)


def consistency_proof_from_tiles(
    first: int, second: int, tiles: Mapping[Tile, bytes]
) -> list[NodeHash]:
    """The consistency proof from its `consistency_tiles`; raises `MalformedError`.

    It proves nothing before `merkle.verify_consistency`.
    """
    return make_proof(consistency_ranges(first, _checked(second)), _Hashes(second, tiles).node)


def tile_hashes(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes of a tile, lowest column first.

    A log may have dropped a partial tile whose full one exists; then `data` may
    be that one, of which the first columns are taken. Raises `MalformedError`.
    """
    if len(data) not in (tile.width * HASH_SIZE, FULL_WIDTH * HASH_SIZE):
        raise MalformedError(f"tile {tile_path(tile)} cannot have {len(data)} bytes")
    return [data[i : i + HASH_SIZE] for i in range(0, tile.width * HASH_SIZE, HASH_SIZE)]


def _checked(size: int) -> int:
    if not 0 <= size < MAX_SIZE:
        raise MalformedError(f"no static log can have {size} entries")
    return size


def _tile(level: int | Literal["data"], index: int, size: int) -> Tile:
    shift = 0 if level == "data" else level * _BITS
    columns = size >> shift
    return Tile(level, index, min(FULL_WIDTH, columns - (index << _BITS)))


def _tile_of(node: Node, size: int) -> Tile:
    # Tiles keep every eighth level; the levels between are in the tile as leaves.
    level, index = node
    stored, above = divmod(level, _BITS)
    return _tile(stored, index << above >> _BITS, size)


def _tiles_for(ranges: Sequence[Range], size: int) -> tuple[Tile, ...]:
    nodes = (node for low, high in ranges for node in whole_subtrees(low, high))
    return tuple(dict.fromkeys(_tile_of(node, size) for node in nodes))


class _Hashes:
    """Whole subtrees, looked up in tiles."""

    def __init__(self, size: int, tiles: Mapping[Tile, bytes]) -> None:
        self._size = _checked(size)
        self._tiles = tiles

    def node(self, node: Node) -> bytes:
        tile = _tile_of(node, self._size)
        data = self._tiles.get(tile)
        if data is None:
            raise MalformedError(f"tile {tile_path(tile)} is missing")
        level, index = node
        above = level % _BITS
        start = (index << above) % FULL_WIDTH
        row = tile_hashes(tile, data)[start : start + (1 << above)]
        while len(row) > 1:
            row = pair_up(row)
        return fold(row)

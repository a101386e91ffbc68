"""Which nodes a proof is made of, and a growing tree that keeps every node.

A proof is a list of ranges of leaves (RFC 9162 sections 2.1.3.1 and 2.1.4.1),
and each range is a few whole subtrees. So whoever can look up whole subtrees,
in memory (`Tree`) or in tiles (`tiles.py`), can make every proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    LeafHash,
    NodeHash,
    RootHash,
    fold,
    pair_up,
)
from pinwarden.errors import MalformedError

Range = tuple[int, int]
Node = tuple[int, int]
"""A whole subtree: its level (0 is a leaf) and its place in that level."""


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose hashes are the audit path, lowest first (RFC 9162 2.1.3.1)."""
    if not 0 <= index < size:
        raise MalformedError(f"index {index} is not in a tree of {size} entries")
    ranges: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    ranges.reverse()
    return ranges


def consistency_ranges(first: int, second: int) -> list[Range]:
    """The ranges of leaves whose hashes are the consistency proof (RFC 9162 2.1.4.1)."""
    if not 0 < first <= second:
        raise MalformedError(f"there is no consistency proof from {first} to {second} entries")
    ranges: list[Range] = []
    low, high = 0, second
    while high != first:
        middle = low + _split(high - low)
        if first <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:
        ranges.append((low, high))
    ranges.reverse()
    return ranges


def whole_subtrees(low: int, high: int) -> Iterator[Node]:
    """The whole subtrees that make up the leaves from `low` to before `high`, left to right."""
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        yield level, low >> level
        low += 1 << level


def make_proof(ranges: Sequence[Range], lookup: Callable[[Node], bytes]) -> list[NodeHash]:
    """The hash of each range, given a way to look up whole subtrees."""
    return [fold([lookup(node) for node in whole_subtrees(low, high)]) for low, high in ranges]


def _split(count: int) -> int:
    # k of RFC 6962 section 2.1: the largest power of two smaller than `count`.
    return 1 << ((count - 1).bit_length() - 1)


class Tree:
    """A Merkle tree that keeps all its nodes: 64 bytes for each leaf."""

    def __init__(self, leaves: Sequence[LeafHash] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaves)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: LeafHash) -> None:
        """Adds one leaf."""
        self.extend((leaf,))

    def extend(self, leaves: Sequence[LeafHash]) -> None:
        """Adds leaves."""
        if any(len(leaf) != HASH_SIZE for leaf in leaves):
            raise MalformedError("a leaf hash is no SHA-256 hash")
        row: list[bytes] = list(leaves)
        level = 0
        while row:
            if level == len(self._levels):
                self._levels.append(bytearray())
            nodes = self._levels[level]
            alone = [bytes(nodes[-HASH_SIZE:])] if len(nodes) // HASH_SIZE & 1 else []
            nodes += b"".join(row)
            row = pair_up(alone + row)
            level += 1

    def leaf(self, index: int) -> LeafHash:
        """The hash of one leaf."""
        if not 0 <= index < self.size:
            raise MalformedError(f"index {index} is not in a tree of {self.size} entries")
        return LeafHash(self._node((0, index)))

    def root(self, size: int | None = None) -> RootHash:
        """The root over the first `size` leaves, or over all of them."""
        size = self._known(self.size if size is None else size)
        if size == 0:
            return EMPTY_ROOT
        return RootHash(fold([self._node(node) for node in whole_subtrees(0, size)]))

    def inclusion_proof(self, index: int, size: int) -> list[NodeHash]:
        """The audit path of a leaf in the tree of the first `size` leaves."""
        return make_proof(inclusion_ranges(index, self._known(size)), self._node)

    def consistency_proof(self, first: int, second: int) -> list[NodeHash]:
        """The proof that the tree of `first` leaves is a prefix of that of `second`."""
        return make_proof(consistency_ranges(first, self._known(second)), self._node)

    def tile(self, level: int, index: int, width: int = 256) -> bytes:
        """The hashes of one tile (static-ct-api), or of its first `width` columns."""
        if not (level >= 0 and index >= 0 and 1 <= width <= 256):
            raise MalformedError(f"there is no tile {index} of width {width} at level {level}")
        nodes = self._levels[8 * level] if 8 * level < len(self._levels) else bytearray()
        start = index * 256 * HASH_SIZE
        stop = start + width * HASH_SIZE
        if stop > len(nodes):
            raise MalformedError(f"tile {index} at level {level} is not {width} hashes wide")
        return bytes(nodes[start:stop])

    def _known(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise MalformedError(f"tree has {self.size} entries and not {size}")
        return size

    def _node(self, node: Node) -> bytes:
        level, index = node
        return bytes(self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE])


def root_of(leaves: Sequence[LeafHash]) -> RootHash:
    """The root of a tree (RFC 6962 section 2.1)."""
    return Tree(leaves).root()


def inclusion_proof(leaves: Sequence[LeafHash], index: int, size: int) -> list[NodeHash]:
    """The audit path of a leaf in the tree of the first `size` leaves."""
    return Tree(leaves).inclusion_proof(index, size)


def consistency_proof(leaves: Sequence[LeafHash], first: int, second: int) -> list[NodeHash]:
    """The proof that the tree of `first` leaves is a prefix of that of `second`."""
    return Tree(leaves).consistency_proof(first, second)

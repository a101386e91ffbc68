"""Merkle trees as RFC 6962 section 2.1 and RFC 9162 section 2.1 define them.

Hashing, the two kinds of proof, and the *frontier*: the right edge of a growing
tree, which is all that must be kept to check every later tree head. The tree
with all its levels, which can make proofs, is in `tree.py`.

1. A leaf and an inner node are hashed with different first bytes, so that
   neither can be passed off as the other.
2. A proof must be used up entirely: a node too many is refused like one too few.
3. The empty tree proves nothing: there is no inclusion in it and no consistency
   from it (RFC 6962 section 2.1.2 defines proofs for 0 < m < n only).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NewType

from pinwarden.errors import BadProofError, MalformedError

LeafHash = NewType("LeafHash", bytes)
NodeHash = NewType("NodeHash", bytes)
RootHash = NewType("RootHash", bytes)

HASH_SIZE = 32
EMPTY_ROOT = RootHash(sha256(b"").digest())

_MAX_SIZE = 1 << 64  # a tree_size is a uint64 (RFC 6962 section 3.5)
_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(data: bytes) -> LeafHash:
    """The hash of one leaf, given its exact MerkleTreeLeaf bytes (RFC 6962 section 2.1)."""
    return LeafHash(sha256(_LEAF + data).digest())


def node_hash(left: bytes, right: bytes) -> NodeHash:
    """The hash of an inner node (RFC 6962 section 2.1)."""
    return NodeHash(sha256(_NODE + left + right).digest())


def pair_up(row: Sequence[bytes]) -> list[bytes]:
    """The parents of a row of neighbours; a last one without a partner is left out."""
    rest = iter(row)
    return [sha256(_NODE + a + b).digest() for a, b in zip(rest, rest, strict=False)]


def verify_inclusion(
    leaf: LeafHash, index: int, size: int, proof: Sequence[bytes], root: RootHash
) -> None:
    """Checks that `leaf` is number `index` of the tree (RFC 9162 section 2.1.3.2).

    Raises `BadProofError`.
    """
    if not 0 <= index < size < _MAX_SIZE:
        raise BadProofError(f"index {index} is not in a tree of {size} entries")
    _require_hashes(leaf, root, *_bounded(proof))
    number, last = index, size - 1
    computed: bytes = leaf
    for node in proof:
        if last == 0:
            raise BadProofError("inclusion proof is too long")
        if number & 1 or number == last:
            computed = node_hash(node, computed)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, node)
        number >>= 1
        last >>= 1
    if last:
        raise BadProofError("inclusion proof is too short")
    if computed != root:
        raise BadProofError(f"inclusion proof of entry {index} does not lead to the root")


def verify_consistency(
    first: int,
    first_root: RootHash,
    second: int,
    second_root: RootHash,
    proof: Sequence[bytes],
) -> None:
    """Checks that the first tree is a prefix of the second (RFC 9162 section 2.1.4.2).

    Two trees of one size are consistent if their roots are equal and the proof
    is empty. From an empty tree to a larger one there is no proof: it is a prefix
    of every tree, and a caller that takes this for evidence is deceived.

    Raises `BadProofError`.
    """
    if not 0 <= first <= second < _MAX_SIZE:
        raise BadProofError(f"there is no consistency proof from {first} to {second} entries")
    _require_hashes(first_root, second_root, *_bounded(proof))
    if first == second:
        if proof:
            raise BadProofError("consistency proof between equal sizes is not empty")
        if first_root != second_root:
            raise BadProofError(f"two different roots for one size of {first} entries")
        if first == 0 and first_root != EMPTY_ROOT:
            raise BadProofError("root of an empty tree is not that of no entries")
        return
    if first == 0:
        raise BadProofError("consistency proof from an empty tree proves nothing")
    old, new = _roots_from_consistency(first, first_root, second, proof)
    if old != first_root:
        raise BadProofError(f"consistency proof does not lead to the root at {first} entries")
    if new != second_root:
        raise BadProofError(f"consistency proof does not lead to the root at {second} entries")


def _roots_from_consistency(
    first: int, first_root: RootHash, second: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    nodes = list(proof)
    if first & (first - 1) == 0:
        # A whole subtree is its own first node, and the proof leaves it out.
        nodes.insert(0, first_root)
    if not nodes:
        raise BadProofError("consistency proof is empty")
    number, last = first - 1, second - 1
    while number & 1:
        number >>= 1
        last >>= 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise BadProofError("consistency proof is too long")
        if number & 1 or number == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            new = node_hash(new, node)
        number >>= 1
        last >>= 1
    if last:
        raise BadProofError("consistency proof is too short")
    return old, new


def _bounded(proof: Sequence[bytes]) -> Sequence[bytes]:
    if len(proof) > 64:
        raise BadProofError(f"a proof of {len(proof)} nodes is longer than any tree is high")
    return proof


def _require_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise BadProofError(f"a hash of {len(value)} bytes is no SHA-256 hash")


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: its largest whole subtrees from left to right.

    There is one node for each bit set in `size`, the largest subtree first.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size < _MAX_SIZE:
            raise MalformedError(f"a tree cannot have {self.size} entries")
        if len(self.nodes) != self.size.bit_count():
            raise MalformedError(
                f"frontier of {self.size} entries has {len(self.nodes)} nodes "
                f"instead of {self.size.bit_count()}"
            )
        if any(len(node) != HASH_SIZE for node in self.nodes):
            raise MalformedError("frontier has a node that is no SHA-256 hash")

    def append(self, leaf: LeafHash) -> Frontier:
        """The frontier after one more leaf."""
        return self.extend((leaf,))

    def extend(self, leaves: Sequence[LeafHash]) -> Frontier:
        """The frontier after more leaves: about one hash for each of them."""
        kept = list(self.nodes)
        edge: list[bytes] = []
        size = self.size
        row: list[bytes] = list(leaves)
        # Level by level. What this level already had on its right edge stands left
        # of the new nodes; whoever stays without a partner is the new right edge.
        while row:
            if size & 1:
                row.insert(0, kept.pop())
            if len(row) & 1:
                edge.append(row[-1])
            row = pair_up(row)
            size >>= 1
        edge.reverse()
        return Frontier(self.size + len(leaves), (*kept, *edge))

    def root(self) -> RootHash:
        """The root of the tree so far (RFC 6962 section 2.1)."""
        if not self.nodes:
            return EMPTY_ROOT
        return RootHash(fold(self.nodes))

    def to_bytes(self) -> bytes:
        """The inverse of `parse_frontier`."""
        return self.size.to_bytes(8, "big") + b"".join(self.nodes)


def parse_frontier(data: bytes) -> Frontier:
    """A frontier as `Frontier.to_bytes` wrote it; raises `MalformedError`."""
    if len(data) < 8 or (len(data) - 8) % HASH_SIZE:
        raise MalformedError(f"frontier cannot be {len(data)} bytes long")
    nodes = tuple(data[i : i + HASH_SIZE] for i in range(8, len(data), HASH_SIZE))
    return Frontier(int.from_bytes(data[:8], "big"), nodes)


def frontier_from_inclusion(
    leaf: LeafHash, size: int, proof: Sequence[bytes], root: RootHash
) -> Frontier:
    """The frontier of a tree of `size` entries from the audit path of its last leaf.

    That path holds the left neighbours only, and they are the frontier before
    the last leaf. Raises `BadProofError` if the result is not the tree of `root`.
    """
    verify_inclusion(leaf, size - 1, size, proof, root)
    return Frontier(size - 1, tuple(reversed(proof))).append(leaf)


def fold(nodes: Sequence[bytes]) -> NodeHash:
    """The hash over neighbouring subtrees of falling size; there must be at least one."""
    computed = nodes[-1]
    for node in nodes[-2::-1]:
        computed = node_hash(node, computed)
    return NodeHash(computed)

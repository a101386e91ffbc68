"""The entries of a lab log and the tree they make, true or forked."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.ct.leaf import Extra
from pinwarden.ct.merkle import leaf_hash
from pinwarden.ct.tree import Tree
from pinwarden.lab.exchange import Shelf


class History:
    """Entries and the tree they make."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.leaves: list[bytes] = []
        self.extras: list[Extra | bytes] = []
        self.tree = Tree()
        self.shelf = shelf or Shelf()
        self.by_hash: dict[bytes, int] = {}

    def extend(self, leaves: Sequence[bytes], extras: Sequence[Extra | bytes]) -> None:
        """Adds entries."""
        hashed = [leaf_hash(leaf) for leaf in leaves]
        self.by_hash.update(zip(hashed, range(len(self.leaves), 1 << 62), strict=False))
        self.leaves += leaves
        self.extras += extras
        self.tree.extend(hashed)

    def forked(self, at: int) -> History:
        """The same up to entry `at`, and from there on another log."""
        other = History()
        other.extend(self.leaves[:at], self.extras[:at])
        other.extend([another(leaf) for leaf in self.leaves[at:]], self.extras[at:])
        return other


def another(leaf: bytes) -> bytes:
    """The same leaf with another timestamp: well formed, and not what was promised."""
    return leaf[:2] + (int.from_bytes(leaf[2:10], "big") ^ 1).to_bytes(8, "big") + leaf[10:]


def flipped(node: bytes) -> bytes:
    """A hash with its last bit the other way."""
    return node[:-1] + bytes([node[-1] ^ 1])

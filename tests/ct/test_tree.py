"""The growing tree, against the recursive definitions of RFC 9162 written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.merkle import EMPTY_ROOT, leaf_hash, node_hash
from pinwarden.ct.tree import (
    Tree,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    root_of,
    whole_subtrees,
)
from pinwarden.errors import MalformedError

LEAVES = [leaf_hash(bytes((number,))) for number in range(140)]


def _split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), mth(leaves[k:])]
    return [*path(index - k, leaves[k:]), mth(leaves[:k])]


def subproof(size: int, leaves: list[bytes], known: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 section 2.1.4.1."""
    if size == len(leaves):
        return [] if known else [mth(leaves)]
    k = _split(len(leaves))
    if size <= k:
        return [*subproof(size, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(size - k, leaves[k:], False), mth(leaves[:k])]


sizes = st.integers(1, len(LEAVES))


@given(sizes, st.data())
def test_roots_and_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    """Root, audit path and consistency proof must be what the definitions give."""
    tree = Tree(LEAVES)
    leaves: list[bytes] = list(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    assert mth(leaves) == tree.root(size) == root_of(LEAVES[:size])
    assert path(index, leaves) == tree.inclusion_proof(index, size)
    assert path(index, leaves) == inclusion_proof(LEAVES, index, size)
    assert subproof(first, leaves, True) == tree.consistency_proof(first, size)
    assert subproof(first, leaves, True) == consistency_proof(LEAVES, first, size)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_growing_in_pieces_makes_the_same_tree(chunks: list[int]) -> None:
    """A tree must not depend on how its leaves were added."""
    tree = Tree()
    for chunk in chunks:
        tree.extend(LEAVES[tree.size : tree.size + chunk])
    if tree.size < len(LEAVES):
        tree.append(LEAVES[tree.size])
    assert tree.root() == Tree(LEAVES[: tree.size]).root()
    assert [tree.leaf(number) for number in range(tree.size)] == LEAVES[: tree.size]


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_ranges_are_covered_by_whole_subtrees(low: int, high: int) -> None:
    """Whole subtrees must follow each other without gap, falling or rising in size as few."""
    position = low
    nodes = list(whole_subtrees(low, high))
    for level, index in nodes:
        assert position == index << level
        position += 1 << level
    assert position == max(low, high)
    assert len(nodes) <= 82


def test_empty_tree() -> None:
    """A tree without leaves has the empty root and neither leaves nor proofs."""
    tree = Tree()
    assert (tree.size, tree.root()) == (0, EMPTY_ROOT)
    for ask in (
        lambda: tree.leaf(0),
        lambda: tree.root(1),
        lambda: tree.inclusion_proof(0, 0),
        lambda: tree.consistency_proof(0, 0),
        lambda: tree.tile(0, 0, 1),
    ):
        with pytest.raises(MalformedError):
            ask()


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, 6), (0, -1)])
def test_proofs_of_what_is_not_there_are_refused(index: int, size: int) -> None:
    """An index or size outside of the tree must be our error."""
    with pytest.raises(MalformedError):
        Tree(LEAVES[:5]).inclusion_proof(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 5), (4, 3), (-1, 5), (3, 6)])
def test_consistency_with_what_is_not_there_is_refused(first: int, second: int) -> None:
    """Sizes that are no pair of trees must be our error."""
    with pytest.raises(MalformedError):
        Tree(LEAVES[:5]).consistency_proof(first, second)


def test_ranges_refuse_what_no_tree_has() -> None:
    """The range functions themselves must not loop on impossible sizes."""
    with pytest.raises(MalformedError):
        inclusion_ranges(3, 3)
    with pytest.raises(MalformedError):
        consistency_ranges(0, 3)


def test_only_hashes_are_leaves() -> None:
    """A leaf of another length would shift every later node."""
    with pytest.raises(MalformedError):
        Tree().extend([leaf_hash(b""), leaf_hash(b"")[:31]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (0, 0, 141), (1, 0, 1), (9, 0, 1)],
)
def test_tiles_that_are_not_there_are_refused(level: int, index: int, width: int) -> None:
    """A tile must be within the tree."""
    with pytest.raises(MalformedError):
        Tree(LEAVES).tile(level, index, width)

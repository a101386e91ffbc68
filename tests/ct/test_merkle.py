"""Proofs and frontiers: the true ones hold in every tree, and nothing else does."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    Frontier,
    LeafHash,
    RootHash,
    frontier_from_inclusion,
    leaf_hash,
    node_hash,
    parse_frontier,
    verify_consistency,
    verify_inclusion,
)
from pinwarden.ct.tree import Tree
from pinwarden.errors import BadProofError, MalformedError, PinwardenError

LIMIT = 256
TREE = Tree([leaf_hash(number.to_bytes(2, "big")) for number in range(LIMIT)])
LEAVES = [TREE.leaf(number) for number in range(LIMIT)]

# transparency-dev accepts any two equal roots of equal sizes, here the text "don't
# care", and at size 0 any root at all. We refuse both: what is no SHA-256 hash is no
# root, and the empty tree has one root only. Two file names each, in two versions.
REFUSED_ON_PURPOSE = {
    "sizes-are-equal-zero-and-proof-is-empty.json": "root of an empty tree that is not EMPTY_ROOT",
    "sizes-are-equal-one-and-proof-is-empty.json": "root that is not a SHA-256 hash",
    "sizes-are-equal-and-proof-is-empty-where-both-sizes-are-zero.json": "as the first",
    "sizes-are-equal-and-proof-is-empty-where-both-sizes-are-one.json": "as the second",
}

NOT_OURS = {
    "subtreeinclusion": "subtree proofs are of Merkle Tree Certificates, not of RFC 6962",
    "subtreeconsistency": "subtree proofs are of Merkle Tree Certificates, not of RFC 6962",
}


def flip(value: bytes, bit: int) -> bytes:
    bit %= 8 * len(value)
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_hashes_of_rfc_6962() -> None:
    """The empty root, a leaf and a node must hash as in the vectors of RFC 6962's own code."""
    empty = leaf_hash(b"")
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert empty.hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert (
        node_hash(empty, leaf_hash(b"\x00")).hex()
        == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )


def _vectors(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(folder.rglob("*.json")):
        yield str(file.relative_to(folder.parent)), json.loads(file.read_text())


def _decoded(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def _is_accepted(vector: dict[str, Any]) -> bool:
    proof = [_decoded(node) for node in vector["proof"] or ()]
    try:
        if "size1" in vector:
            verify_consistency(
                vector["size1"],
                RootHash(_decoded(vector["root1"])),
                vector["size2"],
                RootHash(_decoded(vector["root2"])),
                proof,
            )
        else:
            index = vector["leafIdx"] if "leafIdx" in vector else vector["leafIndex"]
            verify_inclusion(
                LeafHash(_decoded(vector["leafHash"])),
                index,
                vector["treeSize"],
                proof,
                RootHash(_decoded(vector["root"])),
            )
    except BadProofError:
        return False
    return True


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_every_proof_vector_has_its_verdict(corpus: Path, kind: str) -> None:
    """All vectors of transparency-dev/merkle must come out as there, except those listed."""
    vectors = list(_vectors(corpus / "merkle-proofs" / kind))
    assert len(vectors) >= 43
    expected = {
        name: not vector["wantErr"] and Path(name).name not in REFUSED_ON_PURPOSE
        for name, vector in vectors
    }
    assert expected == {name: _is_accepted(vector) for name, vector in vectors}


@pytest.mark.parametrize("kind", NOT_OURS)
def test_subtree_vectors_are_left_out(corpus: Path, kind: str) -> None:
    """What is not run must be said, with its number and the reason."""
    count = len(list((corpus / "merkle-proofs" / kind).rglob("*.json")))
    pytest.skip(f"{count} vectors in {kind}: {NOT_OURS[kind]}")


@pytest.mark.parametrize("size", [0, 1])
def test_equal_sizes_need_real_roots(size: int) -> None:
    """What transparency-dev lets pass as "don't care" must be refused as no hash."""
    root = RootHash(b"don't care 1")
    with pytest.raises(BadProofError, match="no SHA-256 hash"):
        verify_consistency(size, root, size, root, [])


def test_empty_tree_has_one_root() -> None:
    """Two empty trees are consistent under the root of nothing, and under no other."""
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    with pytest.raises(BadProofError, match="empty tree"):
        verify_consistency(0, TREE.root(1), 0, TREE.root(1), [])


@pytest.mark.parametrize("proof", [[], [bytes(32)], [EMPTY_ROOT]])
def test_no_proof_leads_from_an_empty_tree(proof: list[bytes]) -> None:
    """From size 0 there is nothing to prove, so no proof may be accepted as evidence."""
    with pytest.raises(BadProofError, match="proves nothing"):
        verify_consistency(0, EMPTY_ROOT, 8, TREE.root(8), proof)


def test_nothing_is_in_an_empty_tree() -> None:
    """Inclusion in a tree of no entries must be refused, whatever root is given."""
    for root in (EMPTY_ROOT, RootHash(LEAVES[0])):
        with pytest.raises(BadProofError, match="not in a tree of 0"):
            verify_inclusion(LEAVES[0], 0, 0, [], root)


sizes = st.integers(1, LIMIT)


@given(sizes, st.data())
def test_any_leaf_of_any_tree_is_provable(size: int, data: st.DataObject) -> None:
    """The audit path of each leaf must verify, and under no other index."""
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion_proof(index, size)
    verify_inclusion(LEAVES[index], index, size, proof, TREE.root(size))
    other = data.draw(st.integers(-1, 2 * size).filter(lambda number: number != index))
    with pytest.raises(BadProofError):
        verify_inclusion(LEAVES[index], other, size, proof, TREE.root(size))


@given(sizes, st.data())
def test_any_flipped_bit_of_an_inclusion_proof_is_noticed(size: int, data: st.DataObject) -> None:
    """One wrong bit in leaf, root or path must be refused, and so must a node more or less."""
    index = data.draw(st.integers(0, size - 1))
    proof = [bytes(node) for node in TREE.inclusion_proof(index, size)]
    parts = [LEAVES[index], TREE.root(size), *proof]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(BadProofError):
        verify_inclusion(LeafHash(parts[0]), index, size, parts[2:], RootHash(parts[1]))
    with pytest.raises(BadProofError):
        verify_inclusion(LEAVES[index], index, size, [*proof, bytes(32)], TREE.root(size))
    if proof:
        with pytest.raises(BadProofError):
            verify_inclusion(LEAVES[index], index, size, proof[:-1], TREE.root(size))


@given(sizes, sizes, st.data())
def test_any_two_trees_are_provably_consistent(a: int, b: int, data: st.DataObject) -> None:
    """The proof between any two sizes must verify, and not with one bit wrong or a node off."""
    first, second = min(a, b), max(a, b)
    proof = [bytes(node) for node in TREE.consistency_proof(first, second)]
    verify_consistency(first, TREE.root(first), second, TREE.root(second), proof)
    parts = [TREE.root(first), TREE.root(second), *proof]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(BadProofError):
        verify_consistency(first, RootHash(parts[0]), second, RootHash(parts[1]), parts[2:])
    with pytest.raises(BadProofError):
        verify_consistency(first, TREE.root(first), second, TREE.root(second), [*proof, bytes(32)])
    if proof:
        with pytest.raises(BadProofError):
            verify_consistency(first, TREE.root(first), second, TREE.root(second), proof[1:])


@given(sizes, sizes)
def test_a_rewritten_tree_is_not_consistent(first: int, second: int) -> None:
    """A log that changed its first entry must not find a proof among the honest ones."""
    first, second = min(first, second), max(first, second)
    forged = Tree([leaf_hash(b"another"), *LEAVES[1:second]])
    with pytest.raises(BadProofError):
        verify_consistency(
            first,
            TREE.root(first),
            second,
            forged.root(),
            forged.consistency_proof(first, second),
        )


hashes = st.one_of(st.binary(max_size=33), st.binary(min_size=32, max_size=32))


@given(hashes, st.integers(-2, 1 << 65), st.integers(-2, 1 << 65), st.lists(hashes), hashes)
def test_garbage_is_never_a_proof(
    leaf: bytes, first: int, second: int, proof: list[bytes], root: bytes
) -> None:
    """Any values must be refused with our error; only a lone leaf is its own root."""
    for verify in (
        lambda: verify_inclusion(LeafHash(leaf), first, second, proof, RootHash(root)),
        lambda: verify_consistency(first, RootHash(leaf), second, RootHash(root), proof),
    ):
        try:
            verify()
        except BadProofError:
            continue
        assert leaf == root
        assert proof == []


def test_overlong_proofs_are_refused_at_once() -> None:
    """A proof longer than a tree can be high must not be worked through."""
    with pytest.raises(BadProofError, match="longer than any tree"):
        verify_inclusion(LEAVES[0], 0, 1 << 63, [bytes(32)] * 100_000, TREE.root())


@given(st.lists(st.integers(0, 90), max_size=12))
def test_frontier_does_not_care_how_leaves_arrive(chunks: list[int]) -> None:
    """In whatever pieces the leaves come, every root must be that of the tree."""
    frontier = Frontier()
    for chunk in chunks:
        frontier = frontier.extend(LEAVES[frontier.size : min(frontier.size + chunk, LIMIT)])
        assert frontier.root() == TREE.root(frontier.size)
    assert Frontier().extend(LEAVES[: frontier.size]) == frontier


def test_frontier_grows_leaf_by_leaf() -> None:
    """Each single leaf must lead to the next root."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, 1):
        frontier = frontier.append(leaf)
        assert (frontier.size, frontier.root()) == (size, TREE.root(size))


@given(st.integers(0, LIMIT))
def test_frontier_survives_being_stored(size: int) -> None:
    """What was written must be read again, and continue as if nothing had happened."""
    frontier = Frontier().extend(LEAVES[:size])
    loaded = parse_frontier(frontier.to_bytes())
    assert frontier == loaded
    assert loaded.extend(LEAVES[size:]).root() == TREE.root()


@given(st.binary(max_size=120))
def test_any_bytes_are_a_frontier_or_refused(data: bytes) -> None:
    """Stored bytes must be exactly what we would write, or our error."""
    try:
        frontier = parse_frontier(data)
    except PinwardenError:
        return
    assert data == frontier.to_bytes()


@pytest.mark.parametrize(
    ("size", "nodes"),
    [
        (1, ()),
        (0, (bytes(32),)),
        (2, (bytes(32), bytes(32))),
        (1, (b"short",)),
        (-1, ()),
        (1 << 64, ()),
    ],
)
def test_frontiers_that_cannot_be_are_refused(size: int, nodes: tuple[bytes, ...]) -> None:
    """A frontier must have one hash for each bit of its size."""
    with pytest.raises(MalformedError):
        Frontier(size, nodes)


@given(sizes)
def test_frontier_from_the_last_audit_path(size: int) -> None:
    """The path of the last leaf must give the whole right edge, checked against the root."""
    proof = TREE.inclusion_proof(size - 1, size)
    frontier = frontier_from_inclusion(LEAVES[size - 1], size, proof, TREE.root(size))
    assert Frontier().extend(LEAVES[:size]) == frontier
    with pytest.raises(BadProofError):
        frontier_from_inclusion(leaf_hash(b"another"), size, proof, TREE.root(size))


def test_there_is_no_last_leaf_in_an_empty_tree() -> None:
    """An empty tree must be refused, not wrapped around."""
    with pytest.raises(BadProofError):
        frontier_from_inclusion(LEAVES[0], 0, [], EMPTY_ROOT)

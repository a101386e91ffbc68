"""Tiles: their names, what they hold, and the trees that can be proved from them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    Frontier,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from pinwarden.ct.tiles import (
    DATA,
    MAX_SIZE,
    Tile,
    consistency_proof_from_tiles,
    consistency_tiles,
    data_tile_for,
    edge_tiles,
    frontier_from_tiles,
    inclusion_proof_from_tiles,
    inclusion_tiles,
    parse_tile_path,
    tile_hashes,
    tile_path,
)
from pinwarden.ct.tree import Tree
from pinwarden.errors import BadProofError, MalformedError, PinwardenError

# Three levels of tiles: the example size of static-ct-api.
SIZE = 70_000
TREE = Tree([leaf_hash(number.to_bytes(3, "big")) for number in range(SIZE)])

sizes = st.one_of(st.integers(1, 700), st.integers(65_000, SIZE), st.integers(1, SIZE))


def served(tiles: tuple[Tile, ...]) -> dict[Tile, bytes]:
    return {tile: TREE.tile(int(tile.level), tile.index, tile.width) for tile in tiles}


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067, 12), "tile/0/x001/x234/067.p/12"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(5, 999), "tile/5/999"),
        (Tile(1, 1000, 1), "tile/1/x001/000.p/1"),
        (Tile(DATA, 5, 255), "tile/data/005.p/255"),
        (Tile(DATA, 1_234_067), "tile/data/x001/x234/067"),
    ],
)
def test_paths_of_the_specification(tile: Tile, path: str) -> None:
    """Tiles must be called as static-ct-api calls them, both ways."""
    assert path == tile_path(tile)
    assert tile == parse_tile_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/6/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/entries/000",
        "tile/0/" + "x999/" * 5000 + "999",
        "tile/0/x999/x999/x999/x999/x999/999",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    """A tile must have one path only."""
    with pytest.raises(MalformedError):
        parse_tile_path(path)


tiles = st.builds(
    Tile,
    st.one_of(st.just(DATA), st.integers(0, 5)),
    st.integers(0, (1 << 40) - 1),
    st.integers(1, 256),
)


@given(tiles)
def test_paths_round_trip(tile: Tile) -> None:
    """Every tile must be found again by its path."""
    assert tile == parse_tile_path(tile_path(tile))
    assert tile.full == parse_tile_path(tile_path(tile).partition(".p/")[0])


@given(
    st.one_of(
        st.text(max_size=30),
        st.from_regex(r"tile/[0-5]/(x[0-9]{3}/){0,2}[0-9]{3}(\.p/[0-9]{1,3})?", fullmatch=True),
    )
)
def test_any_text_is_a_path_or_refused(path: str) -> None:
    """What is accepted must be exactly what we would ask for."""
    try:
        tile = parse_tile_path(path)
    except PinwardenError:
        return
    assert path == tile_path(tile)


@pytest.mark.parametrize(
    "arguments", [(6, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 1 << 40, 1), (0, 0, 0), (0, 0, 257)]
)
def test_tiles_that_cannot_be_are_refused(arguments: tuple[int, int, int]) -> None:
    """A tile must have a level, a place and a width that static-ct-api knows."""
    with pytest.raises(MalformedError):
        Tile(*arguments)


def test_edge_of_the_example_of_the_specification() -> None:
    """A tree of 70,000 has partial tiles of width 112, 17 and 1 at its edge."""
    assert edge_tiles(SIZE) == (Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1))
    assert edge_tiles(256) == (Tile(1, 0, 1),)
    assert edge_tiles(0) == ()


@pytest.mark.parametrize(
    ("index", "size", "expected"),
    [
        (0, 1, Tile(DATA, 0, 1)),
        (0, 256, Tile(DATA, 0)),
        (255, 300, Tile(DATA, 0)),
        (256, 300, Tile(DATA, 1, 44)),
        (69_999, 70_000, Tile(DATA, 273, 112)),
    ],
)
def test_data_tile_of_an_entry(index: int, size: int, expected: Tile) -> None:
    """An entry must be looked for in its tile, at the width that the size implies."""
    assert expected == data_tile_for(index, size)


@given(sizes)
def test_frontier_from_tiles(size: int) -> None:
    """The edge tiles alone must give the frontier of any size."""
    expected = (
        Frontier().extend([TREE.leaf(number) for number in range(size)]) if size < 700 else None
    )
    frontier = frontier_from_tiles(size, served(edge_tiles(size)), TREE.root(size))
    assert frontier.root() == TREE.root(size)
    assert expected in (None, frontier)


def test_frontier_of_an_empty_log() -> None:
    """An empty log needs no tiles."""
    assert frontier_from_tiles(0, {}, EMPTY_ROOT) == Frontier()
    with pytest.raises(BadProofError):
        frontier_from_tiles(0, {}, TREE.root(1))


@given(sizes, st.data())
def test_any_flipped_bit_of_an_edge_tile_is_noticed(size: int, data: st.DataObject) -> None:
    """A tile that lies must not become a frontier."""
    tiles = served(edge_tiles(size))
    tile = data.draw(st.sampled_from(list(tiles)))
    changed = bytearray(tiles[tile])
    bit = data.draw(st.integers(0, 8 * len(changed) - 1))
    changed[bit // 8] ^= 1 << bit % 8
    tiles[tile] = bytes(changed)
    with pytest.raises(BadProofError):
        frontier_from_tiles(size, tiles, TREE.root(size))


@given(sizes, st.data())
def test_inclusion_from_tiles(size: int, data: st.DataObject) -> None:
    """The named tiles must be enough to prove any entry of any size."""
    index = data.draw(st.integers(0, size - 1))
    needed = inclusion_tiles(index, size)
    assert len(needed) <= 6
    proof = inclusion_proof_from_tiles(index, size, served(needed))
    assert TREE.inclusion_proof(index, size) == proof
    verify_inclusion(TREE.leaf(index), index, size, proof, TREE.root(size))


@given(sizes, sizes)
def test_consistency_from_tiles(a: int, b: int) -> None:
    """The named tiles must be enough to prove any growth."""
    first, second = min(a, b), max(a, b)
    proof = consistency_proof_from_tiles(first, second, served(consistency_tiles(first, second)))
    assert TREE.consistency_proof(first, second) == proof
    verify_consistency(first, TREE.root(first), second, TREE.root(second), proof)


def test_full_tile_stands_in_for_a_partial_one() -> None:
    """Where the log has dropped the partial tile, the first columns of the full one serve."""
    tile = Tile(0, 1, 44)
    full = TREE.tile(0, 1)
    assert tile_hashes(tile, full) == tile_hashes(tile, full[: 44 * 32])
    tiles = {tile: full, **served(edge_tiles(300)[1:])}
    assert frontier_from_tiles(300, tiles, TREE.root(300)).root() == TREE.root(300)


@pytest.mark.parametrize("length", [0, 31, 43 * 32, 44 * 32 - 1, 44 * 32 + 1, 45 * 32, 8193])
def test_tiles_of_a_wrong_length_are_refused(length: int) -> None:
    """A tile must have exactly its hashes."""
    with pytest.raises(MalformedError):
        tile_hashes(Tile(0, 1, 44), bytes(length))


def test_missing_tiles_are_named() -> None:
    """Whoever forgot a tile must be told which."""
    tiles = served(edge_tiles(300)[1:])
    with pytest.raises(MalformedError, match=r"tile/0/001\.p/44 is missing"):
        frontier_from_tiles(300, tiles, TREE.root(300))


@settings(max_examples=50)
@given(st.integers(-2, 1 << 65), st.integers(-2, 1 << 65))
def test_any_size_is_answered_or_refused(one: int, other: int) -> None:
    """A head may claim any size: the tiles to ask for must be few, or it is refused."""
    for ask in (
        lambda: edge_tiles(one),
        lambda: inclusion_tiles(one, other),
        lambda: consistency_tiles(one, other),
        lambda: (data_tile_for(one, other),),
    ):
        try:
            needed = ask()
        except PinwardenError:
            continue
        assert len(needed) <= 12


@pytest.mark.parametrize("size", [-1, MAX_SIZE, 1 << 64])
def test_sizes_no_static_log_can_have_are_refused(size: int) -> None:
    """Six levels of tiles hold no more than 2^48 entries."""
    with pytest.raises(MalformedError):
        edge_tiles(size)

"""Batches of entries: whole, in order, and nothing passed over."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.entry import (
    EntryType,
    RawBatch,
    encode_extra_data,
    encode_leaf,
    encode_tile_leaf,
    join_batches,
    parse_data_tile,
    parse_get_entries,
)
from pinwarden.errors import MalformedError, PinwardenError
from support.made_entries import (
    CA,
    PRECERT,
    PRECERT_EXTRA,
    X509_EXTRA,
    get_entries,
    precert_leaf,
    tile_of,
    x509_leaf,
)


@pytest.mark.parametrize("index", [-1, 4, 9, 1 << 70])
def test_entries_outside_of_the_batch_are_not_confused(index: int) -> None:
    """Asking for what is not there must never give another entry."""
    with pytest.raises(IndexError):
        parse_data_tile(tile_of(4, 5), 5, 4).entry(index)


@pytest.mark.parametrize("width", [0, -1, 257, 1 << 40])
def test_widths_no_tile_has_are_refused(width: int) -> None:
    """A tile has between 1 and 256 entries."""
    with pytest.raises(MalformedError, match="cannot hold"):
        parse_data_tile(tile_of(1), 0, width)


def test_tiles_of_another_width_are_refused() -> None:
    """More or fewer entries than the width, or a byte more or less, must be refused."""
    data = tile_of(5)
    for wrong, width in ((data, 4), (data, 6), (data + b"\x00", 5), (data[:-1], 5), (b"", 1)):
        with pytest.raises(MalformedError):
            parse_data_tile(wrong, 0, width)


@given(st.data())
def test_a_cut_tile_is_refused_wherever_it_is_cut(data: st.DataObject) -> None:
    """No prefix of a tile may pass for the tile."""
    whole = tile_of(3)
    with pytest.raises(MalformedError):
        parse_data_tile(whole[: data.draw(st.integers(0, len(whole) - 1))], 0, 3)


@pytest.mark.parametrize("kind", [2, 255, 256, 32768])
def test_an_unknown_type_in_a_tile_is_refused(kind: int) -> None:
    """What cannot be delimited could hide what follows it."""
    leaf = x509_leaf(0)
    bad = leaf[:10] + kind.to_bytes(2, "big") + leaf[12:]
    with pytest.raises(MalformedError, match=f"unknown type {kind}"):
        parse_data_tile(tile_of(2) + encode_tile_leaf(bad, None, ()), 0, 3)


def test_smallest_entries_are_read() -> None:
    """Entries shorter than any header that is read ahead must still end the tile."""
    leaf = encode_leaf(0, EntryType.X509, b"c")
    raw = encode_tile_leaf(leaf, None, ())
    assert len(raw) == 18
    assert parse_data_tile(raw, 0, 1).leaves == [leaf]
    short = encode_leaf(0, EntryType.PRECERT, b"t", bytes(32))
    assert parse_data_tile(encode_tile_leaf(short, b"", ()), 0, 1).leaves == [short]


TILE = tile_of(3)


@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda at, cut, new: TILE[:at] + new + TILE[at + cut :],
            st.integers(0, len(TILE)),
            st.integers(0, 8),
            st.binary(max_size=8),
        ),
    ),
    st.integers(1, 4),
)
def test_any_bytes_are_a_tile_or_refused(data: bytes, width: int) -> None:
    """What is accepted must be all of the data, and each entry read or refused."""
    try:
        batch = parse_data_tile(data, 0, width)
    except PinwardenError:
        return
    assert len(batch) == width
    read_all(batch)
    extras: Sequence[Any] = batch.extras
    assert data == b"".join(
        leaf[2:] + extra[0][extra[1] : extra[2]]
        for leaf, extra in zip(batch.leaves, extras, strict=True)
    )


def read_all(batch: RawBatch) -> None:
    for index in range(batch.first, batch.first + len(batch)):
        try:
            assert batch.entry(index).index == index
        except PinwardenError:
            continue


BODY = get_entries((x509_leaf(), X509_EXTRA), (precert_leaf(), PRECERT_EXTRA))


@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda at, cut, new: BODY[:at] + new + BODY[at + cut :],
            st.integers(0, len(BODY)),
            st.integers(0, 8),
            st.binary(max_size=8),
        ),
    )
)
def test_any_bytes_are_entries_or_refused(body: bytes) -> None:
    """Any answer must give a batch, each entry of it read or refused."""
    try:
        batch = parse_get_entries(body, 3)
    except PinwardenError:
        return
    assert len(batch.leaf_hashes()) == len(batch)
    read_all(batch)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_any_leaf_and_extra_are_read_or_refused(leaf: bytes, extra: bytes) -> None:
    """Whatever a log puts into an entry, only our errors may come out."""
    for start in (leaf, x509_leaf()[:15] + leaf, precert_leaf()[:47] + leaf):
        read_all(parse_get_entries(get_entries((start, extra)), 0))
    read_all(parse_get_entries(get_entries((precert_leaf(), extra)), 0))
    for precertificate in (leaf, PRECERT[: len(leaf)] + extra):
        chain = [extra, CA[: len(extra)] + leaf]
        raw = encode_extra_data(EntryType.PRECERT, precertificate, chain)
        read_all(parse_get_entries(get_entries((precert_leaf(), raw)), 0))


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_part_of_a_batch_keeps_its_numbers(low: int, high: int) -> None:
    """Cutting a batch must keep each entry under its number."""
    batch = parse_data_tile(tile_of(5, 4), 4, 5)
    part = batch.between(low, high)
    kept = [index for index in range(4, 9) if low <= index < high]
    assert len(part) == len(kept)
    assert [part.entry(index) for index in kept] == [batch.entry(index) for index in kept]


@given(st.lists(st.integers(0, 3), max_size=4))
def test_batches_join_to_the_whole(cuts: list[int]) -> None:
    """However the pieces were cut, joined they must be the batch."""
    batch = parse_data_tile(tile_of(5), 0, 5)
    parts = []
    position = 0
    for cut in (*cuts, 5):
        parts.append(batch.between(position, min(position + cut, 5)))
        position = min(position + cut, 5)
    assert join_batches(parts) == batch


def test_a_gap_between_batches_is_refused() -> None:
    """A missing entry must never be glossed over, nor one that comes twice."""
    batch = parse_data_tile(tile_of(5), 0, 5)
    for parts in (
        [batch.between(0, 2), batch.between(3, 5)],
        [batch.between(0, 2), batch.between(1, 5)],
        [batch.between(0, 2), parse_get_entries(get_entries((x509_leaf(), b"")), 2)],
    ):
        with pytest.raises(MalformedError):
            join_batches(parts)
    assert len(join_batches([])) == 0

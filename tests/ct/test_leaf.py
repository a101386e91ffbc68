"""The leaf and what travels beside it: every byte belongs to a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.leaf import (
    EntryType,
    Extra,
    Leaf,
    encode_extra_data,
    encode_leaf,
    encode_leaf_index,
    encode_tile_leaf,
    parse_extra_data,
    parse_leaf,
    parse_leaf_index,
    parse_tile_extra,
)
from pinwarden.errors import MalformedError, PinwardenError

KEY_HASH = bytes(range(32))
X509 = encode_leaf(1, EntryType.X509, b"cert")
PRECERT = encode_leaf(2, EntryType.PRECERT, b"tbs", KEY_HASH, encode_leaf_index(256))

leaves = st.one_of(
    st.builds(
        Leaf,
        timestamp_ms=st.integers(0, (1 << 64) - 1),
        type=st.just(EntryType.X509),
        signed=st.binary(min_size=1, max_size=300),
        issuer_key_hash=st.none(),
        extensions=st.binary(max_size=20),
    ),
    st.builds(
        Leaf,
        timestamp_ms=st.integers(0, (1 << 64) - 1),
        type=st.just(EntryType.PRECERT),
        signed=st.binary(min_size=1, max_size=300),
        issuer_key_hash=st.binary(min_size=32, max_size=32),
        extensions=st.binary(max_size=20),
    ),
)


def written(leaf: Leaf) -> bytes:
    return encode_leaf(
        leaf.timestamp_ms, leaf.type, leaf.signed, leaf.issuer_key_hash, leaf.extensions
    )


@given(leaves)
def test_leaves_round_trip(leaf: Leaf) -> None:
    """A leaf must come back as it was written."""
    assert leaf == parse_leaf(written(leaf))


@given(leaves, st.data())
def test_leaves_one_byte_off_are_refused(leaf: Leaf, data: st.DataObject) -> None:
    """A leaf cut short or followed by a byte must be refused."""
    raw = written(leaf)
    with pytest.raises(MalformedError):
        parse_leaf(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(MalformedError, match="1 bytes after its end"):
        parse_leaf(raw + b"\x00")


def test_layout_of_a_leaf() -> None:
    """Whoever scans raw leaves relies on these offsets."""
    assert X509[:2] == PRECERT[:2] == b"\x00\x00"
    assert (X509[2:10], PRECERT[2:10]) == (bytes(7) + b"\x01", bytes(7) + b"\x02")
    assert (X509[10:12], PRECERT[10:12]) == (b"\x00\x00", b"\x00\x01")
    assert (X509[12:15], X509[15:]) == (b"\x00\x00\x04", b"cert\x00\x00")
    assert (PRECERT[12:44], PRECERT[44:47], PRECERT[47:50]) == (KEY_HASH, b"\x00\x00\x03", b"tbs")
    assert PRECERT[50:] == bytes.fromhex("0008 00 0005 0000000100")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x01" + X509[1:],
        b"\x00\x01" + X509[2:],
        X509[:10] + b"\x00\x02" + X509[12:],
        X509[:10] + b"\x80\x00" + X509[12:],
        X509[:12] + b"\x00\x00\x00\x00\x00",
    ],
)
def test_unknown_and_empty_leaves_are_refused(raw: bytes) -> None:
    """Another version, kind or type, and a certificate of no bytes, must be our error."""
    with pytest.raises(MalformedError):
        parse_leaf(raw)


@given(
    st.one_of(
        st.binary(max_size=80),
        st.builds(
            lambda raw, at, new: raw[:at] + new + raw[at + len(new) :],
            st.sampled_from([X509, PRECERT]),
            st.integers(0, 60),
            st.binary(max_size=4),
        ),
    )
)
def test_any_bytes_are_a_leaf_or_refused(raw: bytes) -> None:
    """What is accepted must be exactly what we would write."""
    try:
        leaf = parse_leaf(raw)
    except PinwardenError:
        return
    assert raw == written(leaf)


def test_only_precertificates_have_an_issuer_key_hash() -> None:
    """A leaf with the wrong parts must not be written."""
    with pytest.raises(MalformedError):
        encode_leaf(1, EntryType.X509, b"cert", KEY_HASH)
    with pytest.raises(MalformedError):
        encode_leaf(1, EntryType.PRECERT, b"tbs")


@given(st.integers(0, (1 << 40) - 1))
def test_leaf_index_round_trips(index: int) -> None:
    """An index of 40 bits must come back."""
    assert index == parse_leaf_index(encode_leaf_index(index))


def test_leaf_index_of_the_specification() -> None:
    """Alone it takes eight bytes, and others around it do not matter."""
    alone = encode_leaf_index(256)
    other = b"\x07\x00\x02hi"
    assert alone == bytes.fromhex("0000050000000100")
    assert parse_leaf_index(other + alone) == parse_leaf_index(alone + other) == 256
    assert parse_leaf_index(other) is None
    assert parse_leaf_index(b"") is None


@pytest.mark.parametrize(
    "extensions",
    [
        "00",
        "0000",
        "000006",
        "0000040000000100",
        "00000400000001",
        "00000500000001",
        "00000500000001000000050000000100",
        "070000070000",
    ],
)
def test_extensions_that_are_no_list_are_refused(extensions: str) -> None:
    """Cut, mismeasured and doubled extensions must be our error."""
    with pytest.raises(MalformedError):
        parse_leaf_index(bytes.fromhex(extensions))


@given(st.binary(max_size=40))
def test_any_extensions_are_read_or_refused(extensions: bytes) -> None:
    """Any extensions must give an index, nothing, or an error of ours."""
    try:
        index = parse_leaf_index(extensions)
    except PinwardenError:
        return
    assert index is None or encode_leaf_index(index) in extensions


def test_index_beyond_forty_bits_is_refused() -> None:
    """A log cannot grow past its extension."""
    with pytest.raises(MalformedError):
        encode_leaf_index(1 << 40)


certificates = st.lists(st.binary(max_size=20), max_size=4)


@given(st.one_of(st.none(), st.binary(max_size=30)), certificates)
def test_extra_data_round_trips(precertificate: bytes | None, chain: list[bytes]) -> None:
    """Precertificate and chain must come back, and nothing after them."""
    type_ = EntryType.X509 if precertificate is None else EntryType.PRECERT
    raw = encode_extra_data(type_, precertificate, chain)
    assert Extra(precertificate=precertificate, chain=tuple(chain)) == parse_extra_data(type_, raw)
    with pytest.raises(MalformedError):
        parse_extra_data(type_, raw + b"\x00")
    with pytest.raises(MalformedError):
        parse_extra_data(type_, raw[:-1])


@given(
    st.one_of(st.none(), st.binary(max_size=30)),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4),
)
def test_tile_extras_round_trip(precertificate: bytes | None, prints: list[bytes]) -> None:
    """What follows a leaf in a tile must come back, and nothing after it."""
    type_ = EntryType.X509 if precertificate is None else EntryType.PRECERT
    raw = encode_tile_leaf(b"\x00\x00", precertificate, prints)
    expected = Extra(precertificate=precertificate, chain_fingerprints=tuple(prints))
    assert expected == parse_tile_extra(type_, raw)
    with pytest.raises(MalformedError):
        parse_tile_extra(type_, raw + b"\x00")


def test_fingerprints_must_be_whole() -> None:
    """A chain in a tile must be whole SHA-256 fingerprints."""
    with pytest.raises(MalformedError, match="31 bytes of fingerprints"):
        parse_tile_extra(EntryType.X509, b"\x00\x1f" + bytes(31))


def test_endless_chains_are_refused() -> None:
    """Millions of tiny certificates must not become millions of objects."""
    raw = encode_extra_data(EntryType.X509, None, [b"x"] * 101)
    with pytest.raises(MalformedError, match="more than 100"):
        parse_extra_data(EntryType.X509, raw)


@pytest.mark.parametrize("type_", EntryType)
@given(raw=st.binary(max_size=60))
def test_any_extra_is_read_or_refused(type_: EntryType, raw: bytes) -> None:
    """Any bytes beside a leaf must be exactly what we would write, or our error."""
    try:
        extra = parse_extra_data(type_, raw)
        assert raw == encode_extra_data(type_, extra.precertificate, extra.chain)
    except PinwardenError:
        pass
    try:
        tile = parse_tile_extra(type_, raw)
    except PinwardenError:
        return
    assert raw == encode_tile_leaf(b"\x00\x00", tile.precertificate, tile.chain_fingerprints)


def test_extra_data_with_the_wrong_parts_is_not_written() -> None:
    """Only a precertificate entry has a precertificate beside it."""
    with pytest.raises(MalformedError):
        encode_extra_data(EntryType.X509, b"precert", ())
    with pytest.raises(MalformedError):
        encode_extra_data(EntryType.PRECERT, None, ())

"""Batches and entries: nothing is lost, nothing is hidden, and disagreement is said."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.entry import (
    Entry,
    EntryType,
    RawBatch,
    encode_extra_data,
    encode_leaf,
    encode_leaf_index,
    encode_tile_leaf,
    join_batches,
    parse_data_tile,
    parse_get_entries,
)
from pinwarden.ct.merkle import leaf_hash
from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import logged_tbs, with_issuer

TIME_MS = 1_767_139_200_123
START = datetime(2026, 1, 1, tzinfo=UTC)
PRINTS = (sha256(b"issuer").digest(), sha256(b"root").digest())
PRECERT_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.4")


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


CA_KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def certificate(
    subject: str,
    issuer: str = "CA",
    *,
    key: ec.EllipticCurvePrivateKey = OTHER_KEY,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=90))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(CA_KEY, SHA256()).public_bytes(Encoding.DER)


CA = certificate("CA", key=CA_KEY)
SIGNER = certificate("signer", extensions=[x509.ExtendedKeyUsage([PRECERT_SIGNING])])
CERT = certificate("www.example.com")
PRECERT = certificate("www.example.com", extensions=[x509.PrecertPoison()])
TBS = logged_tbs(view_certificate(PRECERT).tbs)
KEY_HASH = view_certificate(CA).spki_hash


def x509_leaf(index: int | None = None, timestamp_ms: int = TIME_MS) -> bytes:
    extensions = b"" if index is None else encode_leaf_index(index)
    return encode_leaf(timestamp_ms, EntryType.X509, CERT, None, extensions)


def precert_leaf(index: int | None = None, tbs: bytes = TBS, key_hash: bytes = KEY_HASH) -> bytes:
    extensions = b"" if index is None else encode_leaf_index(index)
    return encode_leaf(TIME_MS, EntryType.PRECERT, tbs, key_hash, extensions)


def get_entries(*pairs: tuple[bytes, object]) -> bytes:
    entries = []
    for leaf, extra in pairs:
        shown = base64.b64encode(extra).decode() if isinstance(extra, bytes) else extra
        entries.append({"leaf_input": base64.b64encode(leaf).decode(), "extra_data": shown})
    return json.dumps({"entries": entries}).encode()


X509_EXTRA = encode_extra_data(EntryType.X509, None, [CA])
PRECERT_EXTRA = encode_extra_data(EntryType.PRECERT, PRECERT, [CA])


def one_entry(leaf: bytes, extra: object) -> Entry:
    return parse_get_entries(get_entries((leaf, extra)), 5).entry(5)


def tile_of(count: int, first: int = 0) -> bytes:
    parts = []
    for index in range(first, first + count):
        if index % 3:
            parts.append(encode_tile_leaf(precert_leaf(index), PRECERT, PRINTS))
        else:
            parts.append(encode_tile_leaf(x509_leaf(index), None, PRINTS[: index % 2]))
    return b"".join(parts)


def test_get_entries_gives_whole_entries() -> None:
    """An answer of get-entries must give both kinds of entries with all their parts."""
    batch = parse_get_entries(
        get_entries((x509_leaf(), X509_EXTRA), (precert_leaf(), PRECERT_EXTRA)), 100
    )
    assert (len(batch), batch.first) == (2, 100)
    assert batch.entry(100) == Entry(
        index=100,
        timestamp=datetime(2025, 12, 31, 0, 0, 0, 123000, tzinfo=UTC),
        type=EntryType.X509,
        certificate=CERT,
        extensions=b"",
        leaf=x509_leaf(),
        chain=(CA,),
    )
    assert batch.entry(101) == Entry(
        index=101,
        timestamp=datetime(2025, 12, 31, 0, 0, 0, 123000, tzinfo=UTC),
        type=EntryType.PRECERT,
        tbs=TBS,
        issuer_key_hash=KEY_HASH,
        extensions=b"",
        leaf=precert_leaf(),
        precertificate=PRECERT,
        chain=(CA,),
    )


def test_data_tile_gives_whole_entries() -> None:
    """A data tile must give both kinds of entries with their fingerprints and indexes."""
    batch = parse_data_tile(tile_of(4, 258), 258, 4)
    entries = [batch.entry(index) for index in range(258, 262)]
    assert [entry.leaf_index for entry in entries] == [258, 259, 260, 261]
    assert [entry.problems for entry in entries] == [()] * 4
    assert [entry.type for entry in entries] == [0, 1, 1, 0]
    assert [entry.precertificate for entry in entries] == [None, PRECERT, PRECERT, None]
    assert [entry.chain_fingerprints for entry in entries] == [(), PRINTS, PRINTS, PRINTS[:1]]
    assert [entry.chain for entry in entries] == [()] * 4


def test_both_protocols_give_the_same_leaves() -> None:
    """One log read both ways must have one tree."""
    tile = parse_data_tile(tile_of(3), 0, 3)
    answer = parse_get_entries(get_entries(*((leaf, b"") for leaf in tile.leaves)), 0)
    assert tile.leaves == answer.leaves
    assert tile.leaf_hashes() == answer.leaf_hashes() == [leaf_hash(leaf) for leaf in tile.leaves]


@pytest.mark.parametrize("body", [b'{"entries":[]}', b'{"entries":null}'])
def test_an_answer_without_entries_is_empty(body: bytes) -> None:
    """No entries is an answer, and the one who asked must decide what it means."""
    assert len(parse_get_entries(body, 7)) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"entries":{}}',
        b'{"entries":[1]}',
        b'{"entries":[{}]}',
        b'{"entries":[{"leaf_input":1}]}',
        b'{"entries":[{"leaf_input":"A"}]}',
        b'{"entries":[{"leaf_input":"AA*="}]}',
        b'{"entries":[{"leaf_input":"AAA=","extra_data":' + b"[" * 100_000,
        b'{"entries":[]}]',
        b'{"entries":[],"x":' + b"[" * 100_000,
        b'\xff{"entries":[]}',
        b'{"error":"need tree size 5"}',
    ],
)
def test_what_is_no_answer_of_get_entries_is_refused(body: bytes) -> None:
    """An answer that is not CT must be refused as a whole."""
    with pytest.raises(MalformedError, match="get-entries"):
        parse_get_entries(body, 0)


@pytest.mark.parametrize(
    ("leaf", "extra", "problem"),
    [
        (x509_leaf(), X509_EXTRA + b"\x00", "after its end"),
        (x509_leaf(), X509_EXTRA[:-1], "ends too early"),
        (x509_leaf(), PRECERT_EXTRA, "extra_data"),
        (x509_leaf(), b"", "ends too early"),
        (x509_leaf(), None, "not base64"),
        (x509_leaf(), 7, "not base64"),
        (x509_leaf(), [[["x"]]], "not base64"),
        (x509_leaf(), "\u00e9", "not base64"),
        (precert_leaf(), X509_EXTRA, "ends too early"),
    ],
)
def test_a_bad_extra_never_costs_the_leaf(leaf: bytes, extra: object, problem: str) -> None:
    """What the log tells beside the tree may be garbage; the certificate must still be read."""
    entry = one_entry(leaf, extra)
    assert (entry.certificate, entry.tbs) in {(CERT, None), (None, TBS)}
    assert len(entry.problems) == 1
    assert problem in entry.problems[0]


def test_a_missing_extra_never_costs_the_leaf() -> None:
    """An entry without extra_data must still be read."""
    body = b'{"entries":[{"leaf_input":"' + base64.b64encode(x509_leaf()) + b'"}]}'
    entry = parse_get_entries(body, 0).entry(0)
    assert entry.certificate == CERT
    assert entry.problems


@pytest.mark.parametrize(
    "leaf", [b"", x509_leaf()[:-1], x509_leaf() + b"\x00", b"\x01" + x509_leaf()[1:]]
)
def test_an_unreadable_leaf_is_hashed_and_reported(leaf: bytes) -> None:
    """It must stay in the tree, and be an error of ours when it is asked for."""
    batch = parse_get_entries(get_entries((leaf, X509_EXTRA)), 0)
    assert batch.leaf_hashes() == [leaf_hash(leaf)]
    with pytest.raises(MalformedError):
        batch.entry(0)


def test_a_precertificate_of_another_certificate_is_a_problem() -> None:
    """Showing one precertificate and logging another's TBSCertificate must be said."""
    other = certificate("evil.example.com", extensions=[x509.PrecertPoison()])
    entry = one_entry(precert_leaf(), encode_extra_data(EntryType.PRECERT, other, [CA]))
    assert entry.tbs == TBS
    assert len(entry.problems) == 1
    assert "subject differs" in entry.problems[0]


def test_a_precertificate_without_poison_is_a_problem() -> None:
    """A final certificate in place of the precertificate must be said."""
    entry = one_entry(precert_leaf(), encode_extra_data(EntryType.PRECERT, CERT, [CA]))
    assert len(entry.problems) == 1
    assert "poison" in entry.problems[0]


@pytest.mark.parametrize("tiled", [False, True])
def test_garbage_for_a_precertificate_is_a_problem(tiled: bool) -> None:
    """Bytes that are no certificate must be said, in both protocols."""
    if tiled:
        batch = parse_data_tile(encode_tile_leaf(precert_leaf(0), b"garbage", PRINTS), 0, 1)
    else:
        extra = encode_extra_data(EntryType.PRECERT, b"garbage", [CA])
        batch = parse_get_entries(get_entries((precert_leaf(0), extra)), 0)
    assert len(batch.entry(0).problems) == 1
    assert "precertificate is not that of the entry" in batch.entry(0).problems[0]


def test_issuer_key_hash_of_another_issuer_is_a_problem() -> None:
    """The chain must begin with the issuer whose key is in the leaf."""
    entry = one_entry(precert_leaf(key_hash=bytes(32)), PRECERT_EXTRA)
    assert entry.problems == ("issuer key hash is not that of the issuer in the chain",)


def test_a_chain_that_is_no_certificate_is_a_problem() -> None:
    """An issuer that cannot be read must be said."""
    entry = one_entry(precert_leaf(), encode_extra_data(EntryType.PRECERT, PRECERT, [b"garbage"]))
    assert len(entry.problems) == 1
    assert "issuer in the chain cannot be read" in entry.problems[0]


def test_precertificate_signing_certificate() -> None:
    """Signed by such a certificate, the leaf names the final issuer, one up in the chain."""
    signed = certificate("www.example.com", "signer", extensions=[x509.PrecertPoison()])
    tbs = with_issuer(logged_tbs(view_certificate(signed).tbs), view_certificate(CA).subject, None)
    assert tbs == TBS
    extra = encode_extra_data(EntryType.PRECERT, signed, [SIGNER, CA])
    assert one_entry(precert_leaf(), extra).problems == ()
    alone = encode_extra_data(EntryType.PRECERT, signed, [SIGNER])
    assert one_entry(precert_leaf(), alone).problems == (
        "issuer key hash is not that of the issuer in the chain",
    )


@pytest.mark.parametrize(
    ("extensions", "problem"),
    [
        (encode_leaf_index(1), "says that its leaf_index is 1"),
        (b"", "has no leaf_index"),
        (b"\x07\x00\x00", "has no leaf_index"),
        (encode_leaf_index(0) * 2, "twice"),
        (b"\x00", "ends too early"),
    ],
)
def test_a_wrong_leaf_index_is_a_problem_of_a_static_log(extensions: bytes, problem: str) -> None:
    """An SCT that leads to another place cannot be checked, which must be said."""
    leaf = encode_leaf(TIME_MS, EntryType.X509, CERT, None, extensions)
    entry = parse_data_tile(encode_tile_leaf(leaf, None, ()), 0, 1).entry(0)
    assert entry.certificate == CERT
    assert len(entry.problems) == 1
    assert problem in entry.problems[0]


@pytest.mark.parametrize("extensions", [b"", b"\x00", b"anything", encode_leaf_index(5)])
def test_extensions_of_an_rfc_6962_log_are_free(extensions: bytes) -> None:
    """RFC 6962 gives extensions no form, so they are no problem there."""
    leaf = encode_leaf(TIME_MS, EntryType.X509, CERT, None, extensions)
    entry = one_entry(leaf, X509_EXTRA)
    assert (entry.problems, entry.extensions) == ((), extensions)


def test_a_time_no_calendar_has_is_a_problem_only() -> None:
    """A log with an absurd clock must not hide a certificate."""
    entry = one_entry(x509_leaf(timestamp_ms=(1 << 64) - 1), X509_EXTRA)
    assert entry.certificate == CERT
    assert entry.timestamp.year == 9999
    assert len(entry.problems) == 1


def test_fingerprints_cut_short_are_a_problem() -> None:
    """A chain of half fingerprints must be said and cost nothing else."""
    raw = encode_tile_leaf(x509_leaf(0), None, [bytes(31)])
    entry = parse_data_tile(raw, 0, 1).entry(0)
    assert (entry.certificate, entry.chain_fingerprints) == (CERT, ())
    assert len(entry.problems) == 1


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

"""Batches and entries: nothing is lost, nothing is hidden, and disagreement is said."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509

from pinwarden.ct.entry import (
    Entry,
    EntryType,
    encode_extra_data,
    encode_leaf,
    encode_leaf_index,
    encode_tile_leaf,
    parse_data_tile,
    parse_get_entries,
)
from pinwarden.ct.merkle import leaf_hash
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import logged_tbs, with_issuer
from support.made_entries import (
    CA,
    CERT,
    KEY_HASH,
    PRECERT,
    PRECERT_EXTRA,
    PRINTS,
    SIGNER,
    TBS,
    TIME_MS,
    X509_EXTRA,
    certificate,
    get_entries,
    one_entry,
    precert_leaf,
    tile_of,
    x509_leaf,
)


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

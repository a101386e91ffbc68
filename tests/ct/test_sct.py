"""SCTs: what a log signed, in a certificate or beside it, and nothing near it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.leaf import EntryType, encode_leaf_index
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import leaf_hash
from pinwarden.ct.sct import (
    SCT,
    SignedEntry,
    embedded_entry,
    log_key,
    parse_sct,
    parse_sct_list,
    sct_leaf_hash,
    signed_by_sct,
    verify_sct,
    x509_entry,
)
from pinwarden.errors import BadSignatureError, MalformedError, PinwardenError
from pinwarden.lab.ca import CA, new_key
from pinwarden.lab.log import LabLog
from pinwarden.x509.certificate import view_certificate
from support.ocsp_answers import encoded_list

ISSUER = CA("SCT CA")
BOTH = (LogKind.RFC6962, LogKind.STATIC)
LOG = LabLog("both", kinds=BOTH)
RSA_LOG = LabLog("rsa", keys=(new_key("rsa"),))
ISSUED = ISSUER.issue(["www.example.com"], logs=[LOG, RSA_LOG])
LEAF = view_certificate(ISSUED.certificate)
ABOVE = view_certificate(ISSUER.intermediate)
EMBEDDED = embedded_entry(LEAF, ABOVE)
WHOLE = x509_entry(ISSUED.certificate)


HANDED = {kind: LOG.add_chain(ISSUED.certificate_chain, kind) for kind in BOTH}


def handed(kind: LogKind = LogKind.RFC6962) -> bytes:
    return HANDED[kind]


def embedded() -> list[SCT]:
    assert LEAF.sct_list is not None
    return [parse_sct(each) for each in parse_sct_list(LEAF.sct_list)]


def test_embedded_scts_verify_with_the_issuer() -> None:
    """Both SCTs in the certificate are of the TBSCertificate without them, and the issuer's key."""
    first, second = embedded()
    verify_sct(first, EMBEDDED, log_key(LOG.face().spki))
    verify_sct(second, EMBEDDED, log_key(RSA_LOG.face().spki))


@pytest.mark.parametrize("kind", BOTH, ids=str)
def test_handed_sct_verifies_with_the_certificate(kind: LogKind) -> None:
    """An SCT from beside the certificate is of the whole of it, extensions included."""
    sct = parse_sct(handed(kind))
    verify_sct(sct, WHOLE, log_key(LOG.face(kind).spki))
    assert sct.extensions == encode_leaf_index(sct.leaf_index or 0)


def test_leaf_hash_is_that_of_the_entry_in_the_log() -> None:
    """SCT and certificate together say under which hash the entry must be found."""
    for sct, entry in ((parse_sct(handed()), WHOLE), (embedded()[0], EMBEDDED)):
        index = sct.leaf_index
        assert index is not None
        assert sct_leaf_hash(sct, entry) == leaf_hash(LOG.leaf(index))
        assert signed_by_sct(sct, entry) == LOG.leaf(index)


def test_precertificate_signing_certificate_does_not_show() -> None:
    """What a special certificate signed before is verified with the issuer of the certificate."""
    issued = ISSUER.issue(["www.example.com"], logs=[LOG], by_precert_signer=True)
    leaf = view_certificate(issued.certificate)
    assert leaf.sct_list is not None
    (raw,) = parse_sct_list(leaf.sct_list)
    verify_sct(parse_sct(raw), embedded_entry(leaf, ABOVE), log_key(LOG.face().spki))


@given(st.data())
def test_one_flipped_bit_of_the_sct_fails(data: st.DataObject) -> None:
    """Version, log, time, extensions or signature: any bit makes another SCT, or none."""
    kind = data.draw(st.sampled_from(BOTH))
    raw = bytearray(handed(kind))
    at = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[at // 8] ^= 1 << at % 8
    key = log_key(LOG.face(kind).spki)
    try:
        sct = parse_sct(bytes(raw))
    except MalformedError:
        return
    if sct.log_id != key.log_id:
        return
    with pytest.raises(BadSignatureError):
        verify_sct(sct, WHOLE, key)


@given(st.data())
def test_one_flipped_bit_of_the_certificate_fails(data: st.DataObject) -> None:
    """What is under the signature of an SCT is the certificate to the last bit."""
    sct, entry, spki = data.draw(
        st.sampled_from(
            [
                (parse_sct(handed()), WHOLE, LOG.face().spki),
                (embedded()[0], EMBEDDED, LOG.face().spki),
                (embedded()[1], EMBEDDED, RSA_LOG.face().spki),
            ]
        )
    )
    signed = bytearray(entry.signed)
    at = data.draw(st.integers(0, 8 * len(signed) - 1))
    signed[at // 8] ^= 1 << at % 8
    changed = SignedEntry(entry.type, bytes(signed), entry.issuer_key_hash)
    with pytest.raises(BadSignatureError):
        verify_sct(sct, changed, log_key(spki))


@given(st.data())
def test_one_flipped_bit_of_the_tbs_fails_or_is_refused(data: st.DataObject) -> None:
    """Whatever is changed inside a certificate, its embedded SCTs do not verify any more.

    Except in what is left out before it is signed: the SCT list itself.
    """
    tbs = bytearray(LEAF.tbs)
    at = data.draw(st.integers(0, 8 * len(tbs) - 1))
    tbs[at // 8] ^= 1 << at % 8
    sct = embedded()[0]
    try:
        changed = embedded_entry(view_certificate(_around(bytes(tbs))), ABOVE)
    except MalformedError:
        return
    if changed == EMBEDDED:
        assert LEAF.sct_list is not None
        start = LEAF.tbs.index(LEAF.sct_list)
        assert start - 40 < at // 8 < start + len(LEAF.sct_list)
        return
    with pytest.raises(BadSignatureError):
        verify_sct(sct, changed, log_key(LOG.face().spki))


def _around(tbs: bytes) -> bytes:
    """A certificate with another TBSCertificate of the same length; its signature is nobody's."""
    return ISSUED.certificate.replace(LEAF.tbs, tbs)


def test_another_issuer_key_fails() -> None:
    """An embedded SCT names the key of the issuer: a CA of the same name is not the issuer."""
    other = embedded_entry(LEAF, view_certificate(CA("SCT CA").intermediate))
    with pytest.raises(BadSignatureError):
        verify_sct(embedded()[0], other, log_key(LOG.face().spki))


def test_kinds_of_entry_are_not_mixed_up() -> None:
    """An SCT of the certificate is none of its TBSCertificate, nor the other way round."""
    key = log_key(LOG.face().spki)
    with pytest.raises(BadSignatureError):
        verify_sct(parse_sct(handed()), EMBEDDED, key)
    with pytest.raises(BadSignatureError):
        verify_sct(embedded()[0], WHOLE, key)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "ends too early", id="nothing"),
        pytest.param(b"\x00\x00", "is empty", id="no SCT"),
        pytest.param(b"\x00\x02\x00\x00", "an empty SCT", id="an empty SCT"),
        pytest.param(b"\x00\x03\x00\x01a\x00", "bytes after its end", id="bytes after it"),
        pytest.param(b"\x00\x05\x00\x01a", "ends too early", id="cut off"),
        pytest.param(b"\x00\x03\x00\x09a", "ends too early", id="an SCT cut off"),
        pytest.param(encoded_list([b"a"] * 201), "more than 200", id="hundreds"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, words: str) -> None:
    """A list is read whole or not at all: what is lost in it must be known to be lost."""
    with pytest.raises(MalformedError, match=words):
        parse_sct_list(data)


def test_list_gives_scts_as_they_are() -> None:
    """One SCT that is not readable costs no other, so that none is decoded yet."""
    assert parse_sct_list(encoded_list([b"\xff", b"\x00\x01", b"x" * 300])) == [
        b"\xff",
        b"\x00\x01",
        b"x" * 300,
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "ends too early", id="nothing"),
        pytest.param(b"\x01" + bytes(50), "unknown version 2", id="version 2"),
        pytest.param(handed() + b"\x00", "bytes after its end", id="bytes after it"),
        pytest.param(handed()[:-1], "ends too early", id="cut off"),
        pytest.param(bytes(33) + b"\xff" * 8 + bytes(6), "no time", id="no time"),
    ],
)
def test_what_is_no_sct_is_refused(data: bytes, words: str) -> None:
    """Bytes after an SCT would be outside its signature."""
    with pytest.raises(MalformedError, match=words):
        parse_sct(data)


@given(st.binary(max_size=400))
def test_anything_gives_an_sct_or_our_error(data: bytes) -> None:
    """Bytes from outside give a value, or one of our errors in one line."""
    for read in (parse_sct, parse_sct_list):
        words = ""
        try:
            read(data)
        except PinwardenError as error:
            words = str(error)
        assert words.isprintable()


def test_certificate_too_large_for_an_entry_is_refused() -> None:
    """The length of what is signed stands in three octets (RFC 6962 section 3.2)."""
    entry = SignedEntry(EntryType.X509, bytes(1 << 24))
    with pytest.raises(MalformedError):
        signed_by_sct(parse_sct(handed()), entry)


def test_key_is_loaded_once() -> None:
    """Thousands of SCTs are of a few logs."""
    spki = LOG.face().spki
    assert log_key(spki) is log_key(bytes(spki))
    assert log_key(spki).log_id == hashlib.sha256(spki).digest()

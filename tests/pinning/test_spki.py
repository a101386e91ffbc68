"""The key of a certificate is cut out byte for byte, from DER and from nothing else."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.pinning.pem import pem_blocks
from pinwarden.pinning.spki import (
    pin_of_certificate,
    spki_of_certificate,
    spki_of_request,
    strict_spki,
)
from pinwarden.pinning.strict_der import SEQUENCE, StrictReader
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.der import encode_tlv
from support import openssl_keys as made
from support.pin_samples import certificate, key
from x509.der_writer import indefinite, oid, seq, tlv

CERTIFICATE = certificate("www", "int", ca=False)
SPKI = key("www").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def parts(*, padding: int = 0, **replaced: bytes) -> bytes:
    """A certificate of made-up fields, in the order of RFC 5280 section 4.1."""
    fields = {
        "version": tlv(0xA0, tlv(2, b"\x02")),
        "serial": tlv(2, b"\x05"),
        "signature": seq(oid("1.2.3")),
        "issuer": seq(),
        "validity": seq(),
        "subject": seq(),
        "spki": SPKI,
        "issuer_id": b"",
        "subject_id": b"",
        "extensions": tlv(0xA3, seq()),
        "more": b"",
        **replaced,
    }
    tbs = tlv(0x30, *fields.values(), padding=padding)
    return seq(tbs, replaced.get("algorithm", seq()), replaced.get("value", tlv(3, b"\0")))


def without(*names: str) -> bytes:
    return parts(**dict.fromkeys(names, b""))


@pytest.mark.parametrize(
    "der",
    [
        parts(),
        without("version"),
        without("extensions"),
        parts(issuer_id=tlv(0x81, b"\0"), subject_id=tlv(0x82, b"\0")),
    ],
)
def test_all_that_rfc_5280_allows_is_read(der: bytes) -> None:
    assert spki_of_certificate(der) == SPKI


@pytest.mark.parametrize(
    "der",
    [
        parts(more=tlv(0xA4, b"")),
        parts(padding=1),
        parts(subject=tlv(0x30, bytes(200), padding=2)),
        parts(spki=tlv(0x30, SPKI[2:], padding=1)),
        parts(spki=indefinite(0x30, SPKI[2:])),
        parts(spki=SPKI + SPKI),
        parts(spki=tlv(0x31, SPKI[2:])),
        parts(spki=seq(seq(), tlv(3, b"\0"), tlv(5))),
        parts(spki=seq(seq(), tlv(4, b"\0"))),
        parts(spki=b"\x1f\x30" + SPKI[1:]),
        parts(serial=tlv(4, b"\x05")),
        parts(subject_id=tlv(0x82, b"\0"), issuer_id=tlv(0x82, b"\0")),
        parts(extensions=tlv(0xA3) * 2),
        without("subject"),
        without("spki"),
        parts(algorithm=tlv(5)),
        parts(value=tlv(4, b"\0")),
        parts() + b"\0",
        parts()[:-1],
        b"",
        b"\x30",
        b"\x30\x80\0\0",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\xff" + b"\xff" * 127,
        bytes(1 << 21),
    ],
)
def test_nothing_else_is_read(der: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        spki_of_certificate(der)
    assert str(caught.value).isprintable()


def test_the_tolerant_reader_takes_what_is_refused_here() -> None:
    """OpenSSL takes it too: one certificate must not show two keys to two readers."""
    odd = parts(spki=tlv(0x30, SPKI[2:], padding=1))
    assert view_certificate(odd).spki != SPKI
    with pytest.raises(MalformedError, match="does not code the length of its subjectPublicKey"):
        spki_of_certificate(odd)


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(1, 255))
def test_a_flipped_octet_leaves_the_key_or_is_noticed(at: int, bits: int) -> None:
    """Where both readers read, they see one key; a change inside the key changes the pin."""
    data = bytearray(CERTIFICATE)
    data[at] ^= bits
    try:
        spki = spki_of_certificate(bytes(data))
    except MalformedError:
        return
    assert spki == view_certificate(bytes(data)).spki
    start = CERTIFICATE.index(SPKI)
    assert (spki != SPKI) is (start <= at < start + len(SPKI))


@given(st.integers(0, len(CERTIFICATE) - 1))
def test_every_cut_is_noticed(at: int) -> None:
    with pytest.raises(MalformedError):
        spki_of_certificate(CERTIFICATE[:at])


@given(st.integers(0x02, 0x30), st.binary(max_size=300), st.binary(max_size=20))
def test_only_the_shortest_length_is_der(tag: int, content: bytes, after: bytes) -> None:
    """What is read and written again is the same octets, so that there is one way only."""
    shortest = encode_tlv(tag, content)
    reader = StrictReader(shortest + after, "value")
    assert reader.content(tag, "field") == content
    assert reader.next_tag() == (after[0] if after else None)
    for padding in (1, 2, 120):
        with pytest.raises(MalformedError, match="does not code the length"):
            StrictReader(tlv(tag, content, padding=padding), "value").take(tag, "field")


@pytest.mark.parametrize("octets", ["02810105", "0283000105", "30820003020105", "0280050000"])
def test_a_long_form_that_is_not_needed_is_not_der(octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(MalformedError, match="does not code the length of its field in DER"):
        StrictReader(data, "value").take(data[0], "field")


def test_what_is_inside_does_not_reach_outside() -> None:
    """However much of the value there is behind it."""
    inside = StrictReader(seq(b"\x02\x03\x01") + bytes(9), "value").enter(SEQUENCE, "list")
    with pytest.raises(MalformedError, match="value: ends inside its number"):
        inside.content(2, "number")


def test_a_value_is_bounded() -> None:
    with pytest.raises(MalformedError, match="is larger than 1 MiB"):
        StrictReader(bytes((1 << 20) + 1), "value")
    whole = encode_tlv(SEQUENCE, bytes((1 << 20) - 5))
    assert StrictReader(whole, "value").all_of(SEQUENCE).next_tag() == 0


@made.needs_openssl
@pytest.mark.parametrize("sort", made.SORTS)
def test_every_sort_of_key_is_as_it_stands(sort: str) -> None:
    der = pem_blocks(made.certificate(sort))[0].data
    spki = spki_of_certificate(der)
    assert spki in der
    assert spki == view_certificate(der).spki == strict_spki(spki)
    assert spki == spki_of_request(pem_blocks(made.request(sort))[0].data)


@made.needs_openssl
@pytest.mark.parametrize("sort", ["rsa-pss", "rsa-pss-said", "explicit", "compressed"])
def test_encoding_the_key_anew_would_give_another_pin(sort: str) -> None:
    """Why cryptography's public key is not what is hashed."""
    der = pem_blocks(made.certificate(sort))[0].data
    public = x509.load_der_x509_certificate(der).public_key()
    anew = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(anew).digest() != pin_of_certificate(der).spki_sha256

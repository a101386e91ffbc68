"""Times, names and keys of every kind that was ever issued are read or refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.errors import MalformedError
from pinwarden.x509 import fields
from pinwarden.x509.certificate import view_certificate
from x509.der_writer import (
    BMP,
    IA5,
    PRINTABLE,
    UNIVERSAL,
    Certificate,
    attribute,
    name,
    oid,
    seq,
    tlv,
)

PLAIN = Certificate()


@pytest.mark.parametrize(
    ("tag", "text", "moment"),
    [
        (0x17, b"250102030405Z", (2025, 1, 2, 3, 4, 5)),
        (0x17, b"491231235959Z", (2049, 12, 31, 23, 59, 59)),
        (0x17, b"500101000000Z", (1950, 1, 1)),
        (0x17, b"2501020304Z", (2025, 1, 2, 3, 4)),
        (0x17, b"250102030405+0130", (2025, 1, 2, 1, 34, 5)),
        (0x17, b"250102030405-01", (2025, 1, 2, 4, 4, 5)),
        (0x17, b"20250102030405Z", (2025, 1, 2, 3, 4, 5)),
        (0x18, b"20250102030405Z", (2025, 1, 2, 3, 4, 5)),
        (0x18, b"20250102030405.123Z", (2025, 1, 2, 3, 4, 5)),
        (0x18, b"202501020304Z", (2025, 1, 2, 3, 4)),
        (0x18, b"2025010203", (2025, 1, 2, 3)),
        (0x18, b"99991231235959Z", (9999, 12, 31, 23, 59, 59)),
        (0x18, b"20250102030405", (2025, 1, 2, 3, 4, 5)),
    ],
)
def test_odd_times(tag: int, text: bytes, moment: tuple[int, ...]) -> None:
    """Times without seconds, with fractions or with zones are read, and are in UTC."""
    year, month, day, *rest = moment
    validity = seq(tlv(tag, text), tlv(tag, text))
    view = view_certificate(PLAIN.but(validity=validity).der())
    assert view.not_before == view.not_after == datetime(year, month, day, *rest, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (0x17, b""),
        (0x17, b"251301000000Z"),
        (0x17, b"250102030461Z"),
        (0x17, b"25010203040\xb2Z"),
        (0x18, b"00000101000000Z"),
        (0x18, b"99991231235959-0100"),
        (0x18, b"00010101000000+0100"),
        (0x18, b"20250102030405Z trailing"),
        (0x0C, b"20250102030405Z"),
    ],
)
def test_impossible_times(tag: int, text: bytes) -> None:
    """A time that no calendar has is an error."""
    view = view_certificate(PLAIN.but(validity=seq(tlv(tag, text))).der())
    with pytest.raises(MalformedError, match="notBefore"):
        view.not_before  # noqa: B018


def test_names_as_text() -> None:
    """A Name is shown last RDN first, with RFC 4514 escapes, and nothing invisible in it."""
    subject = name(
        attribute("DE", PRINTABLE, "2.5.4.6"),
        attribute("Müller, \u202eInc", kind="2.5.4.10") + attribute("a+b", IA5, "2.5.4.11"),
        attribute("www\x1b[2J".encode("utf-16-be"), BMP),
        attribute("\u66f8".encode("utf-32-be"), UNIVERSAL),
        attribute(b"caf\xe9", PRINTABLE, "1.2.3.4"),
        attribute(b"\x01\x02", 0x04, "2.5.4.5"),
    )
    assert view_certificate(PLAIN.but(subject=subject).der()).subject_text == (
        r"serialNumber=#0102,1.2.3.4=café,CN=書,CN=www\x1b[2J,O=Müller\, \u202eInc+OU=a\+b,C=DE"
    )


def test_endless_names_stay_bounded() -> None:
    """A huge subject is cut, or refused, when it is to be shown."""
    long = PLAIN.but(subject=name(attribute("x" * 100_000)))
    assert len(view_certificate(long.der()).subject_text) < 2000
    many = PLAIN.but(subject=name(*[attribute("x")] * 300))
    with pytest.raises(MalformedError, match="more than 256"):
        view_certificate(many.der()).subject_text  # noqa: B018


def test_keys_are_described() -> None:
    """Keys of every usual kind are named, and unusual ones by their OID."""
    described = {
        "ECDSA P-256": ec.generate_private_key(ec.SECP256R1()),
        "ECDSA P-384": ec.generate_private_key(ec.SECP384R1()),
        "ECDSA P-521": ec.generate_private_key(ec.SECP521R1()),
        "RSA 2048": rsa.generate_private_key(65537, 2048),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
        "X25519": x25519.X25519PrivateKey.generate(),
    }
    for text, key in described.items():
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert fields.key_description(spki) == text
    post_quantum = seq(seq(oid("2.16.840.1.101.3.4.3.18")), tlv(0x03, b"\0"))
    assert fields.key_description(post_quantum) == "ML-DSA-65"
    assert fields.key_description(seq(seq(oid("1.2.3")), tlv(0x03, b"\0"))) == "key of type 1.2.3"
    own_curve = seq(seq(oid("1.2.840.10045.2.1"), seq()), tlv(0x03, b"\0"))
    assert fields.key_description(own_curve) == "ECDSA on a curve of its own"

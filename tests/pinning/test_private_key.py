"""The pin of a private key is that of its certificates, or there is none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pinwarden.errors import MalformedError
from pinwarden.pinning.private_key import spki_of_private_key
from support.pin_samples import certificate, key
from x509.der_writer import oid, seq, tlv

EC, P256, RSA = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.113549.1.1.1"
NAMED = seq(oid(EC), oid(P256))
SECRET, OTHER = ec.derive_private_key(5, ec.SECP256R1()), ec.derive_private_key(7, ec.SECP256R1())


def spki(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def point(private: ec.EllipticCurvePrivateKey, form: PublicFormat) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, form)


def ec_key(*rest: bytes, algorithm: bytes = NAMED, after: bytes = b"") -> bytes:
    """PKCS#8 of the secret 5."""
    inside = seq(tlv(2, b"\x01"), tlv(4, (5).to_bytes(32, "big")), *rest)
    return seq(tlv(2, b"\0"), algorithm, tlv(4, inside), after)


def with_point(value: bytes) -> bytes:
    return tlv(0xA1, tlv(3, b"\0" + value))


def test_a_key_without_its_point_has_the_usual_form() -> None:
    assert spki_of_private_key(ec_key()) == spki(SECRET)
    usual = with_point(point(SECRET, PublicFormat.UncompressedPoint))
    assert spki_of_private_key(ec_key(usual)) == spki(SECRET)


@pytest.mark.parametrize(
    ("der", "told"),
    [
        (ec_key(with_point(point(SECRET, PublicFormat.CompressedPoint))), "a compressed point"),
        (ec_key(with_point(b"\x06" + point(SECRET, PublicFormat.UncompressedPoint)[1:])), "point"),
        (ec_key(tlv(0xA0, seq(tlv(2, b"\x01")))), "spells out its curve"),
        (ec_key(algorithm=seq(oid(EC), seq())), "is not one that can be read"),
        (ec_key(algorithm=seq(oid(EC), oid("1.3.132.0.34"))), "private key: "),
        (ec_key(algorithm=seq(oid(EC))), "is not one that can be read"),
        (ec_key(algorithm=seq(oid("1.2.3"))), "is not one that can be read"),
        (ec_key(after=tlv(5)), "holds more than it should"),
        (ec_key() + b"\0", "holds more than it should"),
        (ec_key(tlv(5)), "holds more than it should"),
        (seq(tlv(2, b"\0")), "is not one that can be read"),
        (b"", "ends before"),
    ],
)
def test_what_does_not_tell_the_certificates_bytes_is_refused(der: bytes, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        spki_of_private_key(der)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_public_key_that_is_not_of_the_private_one_is_noticed() -> None:
    """Else its pin would lock everybody out who switches to this key."""
    wrong = with_point(point(OTHER, PublicFormat.UncompressedPoint))
    with pytest.raises(MalformedError):
        spki_of_private_key(ec_key(wrong))


def test_an_rsa_key_whose_algorithm_is_odd_is_refused() -> None:
    """RFC 8017 wants NULL parameters, and certificates have them whatever the key file has."""
    private = rsa.generate_private_key(65537, 2048)
    inside = private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    usual = seq(tlv(2, b"\0"), seq(oid(RSA), tlv(5)), tlv(4, inside))
    assert spki_of_private_key(usual) == spki_of_private_key(inside) == spki(private)
    with pytest.raises(MalformedError):
        spki_of_private_key(seq(tlv(2, b"\0"), seq(oid(RSA)), tlv(4, inside)))


def number(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_of(p: int, q: int, *, n: int | None = None, d: int | None = None) -> bytes:
    """PKCS#1 of two primes, or of what is said instead."""
    secret = d or pow(65537, -1, (p - 1) * (q - 1))
    rest = (secret % (p - 1), secret % (q - 1), pow(q, -1, p))
    return seq(number(0), *map(number, (n or p * q, 65537, secret, p, q, *rest)))


def test_parts_of_rsa_that_do_not_belong_together_are_refused() -> None:
    p, q = 2**1279 - 1, 2**1103 + 36075
    good = rsa_of(p, 2**2203 - 1)
    assert len(spki_of_private_key(good)) > 400
    by_itself = seq(*map(number, (0, p, 65537, 5, 1, p, 1, 1, 1)))
    odd_ones = (rsa_of(p, q, n=p * q + 2), rsa_of(p, q, d=12345), rsa_of(p, p + 2, n=p * p))
    for odd in (*odd_ones, by_itself):
        with pytest.raises(MalformedError):
            spki_of_private_key(odd)


def test_looking_for_primes_is_not_what_a_file_can_have_us_do() -> None:
    """Cryptography's own validation of such a key takes longer than a test may."""
    huge = rsa_of(2**9689 - 1, 2**9941 - 1)
    assert len(spki_of_private_key(huge)) > 2400
    with pytest.raises(MalformedError, match="is larger than 16 KiB"):
        spki_of_private_key(seq(number(0), number(1 << (8 << 14))))


def test_other_sorts_of_keys() -> None:
    edwards = key("ed")
    der = edwards.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert spki_of_private_key(der) in certificate("ed")
    old = dsa.generate_private_key(1024)
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        found = spki_of_private_key(old.private_bytes(Encoding.DER, form, NoEncryption()))
        assert found == old.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

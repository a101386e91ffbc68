"""Fuzzes files of certificates and keys: their pins, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import random
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
)
from target import damaged, run

from pinwarden.errors import PinwardenError
from pinwarden.pinning.material import is_in_order, read_material
from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.pin import Pin
from pinwarden.x509.certificate import view_certificate


def check_error(error: PinwardenError) -> None:
    assert str(error).isprintable()


def check(data: bytes) -> None:
    try:
        found = read_material(data, lambda _: b"secret")
    except PinwardenError as error:
        check_error(error)
        return
    assert found
    assert sorted(each.position for each in found) == list(range(len(found)))
    assert is_in_order(sorted(found, key=lambda each: each.position))
    for each in found:
        assert each.pin == Pin.of_spki(each.spki)
        assert (each.subject + each.key_description).isprintable()
        if each.certificate is not None:
            # The tolerant reader sees the same key: no certificate shows two.
            assert view_certificate(each.der).spki == each.spki
            assert each.role is not None


def seeds() -> list[bytes]:
    """One of each sort of file, in DER or PEM."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(90))
    certificate = builder.sign(key, hashes.SHA256())
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    ders = {
        "CERTIFICATE": certificate.public_bytes(Encoding.DER),
        "CERTIFICATE REQUEST": request.public_bytes(Encoding.DER),
        "PUBLIC KEY": key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        ),
        "PKCS7": pkcs7.serialize_certificates([certificate], Encoding.DER),
        "PRIVATE KEY": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "EC PRIVATE KEY": key.private_bytes(
            Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ),
        "ENCRYPTED PRIVATE KEY": key.private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
    }
    texts = [pem_text(label, der).encode() for label, der in ders.items()]
    return [*ders.values(), *texts, b"".join(texts[:3])]


SEEDS = seeds()


def made(number: random.Random) -> bytes:
    """A file of one sort, damaged; in PEM, what is damaged may be inside of the armour."""
    if number.random() < 0.2:
        return b"".join(number.choices(SEEDS[-8:], k=number.randint(1, 5)))
    seed = number.choice(SEEDS)
    if number.random() < 0.3:
        labels = ("CERTIFICATE", "PRIVATE KEY", "PUBLIC KEY", "PKCS7", "CERTIFICATE REQUEST")
        return pem_text(number.choice(labels), damaged(seed, number)).encode()
    return damaged(seed, number)


if __name__ == "__main__":
    run(check, made)

"""OCSP responses (RFC 6960) made by bytes: signed, and with an SCT list in them if wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.lab import asn1
from pinwarden.lab.ca import CA

Status = Literal["good", "revoked", "unknown"]

SCTS_IN_OCSP = "1.3.6.1.4.1.11129.2.4.5"
_BASIC = "1.3.6.1.5.5.7.48.1.1"
_SHA1 = "1.3.14.3.2.26"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_RSA_SHA256 = "1.2.840.113549.1.1.11"
_ENUMERATED = 0x0A


def encoded_list(scts: Sequence[bytes]) -> bytes:
    """A SignedCertificateTimestampList (RFC 6962 section 3.3) of serialized SCTs."""
    listed = b"".join(len(each).to_bytes(2, "big") + each for each in scts)
    return len(listed).to_bytes(2, "big") + listed


def ocsp_answer(
    ca: CA,
    certificate: bytes,
    *,
    status: Status = "good",
    sct_list: bytes = b"",
    at: datetime | None = None,
    lifetime: timedelta | None = timedelta(days=4),
    serial: int | None = None,
) -> bytes:
    """What the CA's responder says of a certificate that its intermediate issued.

    `sct_list` goes into the singleExtensions; `serial` lets it speak of another
    certificate; without a `lifetime` there is no nextUpdate.
    """
    this_update = at or datetime.now(UTC) - timedelta(hours=1)
    parts = [
        _certificate_id(ca, x509.load_der_x509_certificate(certificate).serial_number, serial),
        _status(status, this_update),
        _time(this_update),
    ]
    if lifetime is not None:
        parts.append(asn1.element(0xA0, _time(this_update + lifetime)))
    if sct_list:
        value = asn1.element(asn1.OCTET_STRING, sct_list)
        parts.append(asn1.element(0xA1, asn1.sequence(asn1.extension(SCTS_IN_OCSP, value))))
    responder = asn1.element(0xA2, asn1.element(asn1.OCTET_STRING, _key_hash(ca.intermediate)))
    tbs = asn1.sequence(responder, _time(this_update), asn1.sequence(asn1.sequence(*parts)))
    basic = asn1.sequence(tbs, *_signature(ca, tbs))
    answer = asn1.sequence(asn1.oid(_BASIC), asn1.element(asn1.OCTET_STRING, basic))
    return asn1.sequence(asn1.element(_ENUMERATED, b"\x00"), asn1.element(0xA0, answer))


def refusal(code: int = 6) -> bytes:
    """An OCSPResponse without an answer; 6 is unauthorized (RFC 6960 section 4.2.1)."""
    return asn1.sequence(asn1.element(_ENUMERATED, bytes([code])))


def _certificate_id(ca: CA, serial: int, other: int | None) -> bytes:
    issuer = x509.load_der_x509_certificate(ca.intermediate)
    number = serial if other is None else other
    algorithm = asn1.sequence(asn1.oid(_SHA1), asn1.element(asn1.NULL))
    name = hashlib.sha1(issuer.subject.public_bytes(), usedforsecurity=False).digest()
    return asn1.sequence(
        algorithm,
        asn1.element(asn1.OCTET_STRING, name),
        asn1.element(asn1.OCTET_STRING, _key_hash(ca.intermediate)),
        asn1.element(asn1.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big")),
    )


def _key_hash(certificate: bytes) -> bytes:
    """SHA-1 of the key's bits alone (RFC 6960 section 4.1.1)."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bits = asn1.contents(asn1.children(spki)[1])[1:]
    return hashlib.sha1(bits, usedforsecurity=False).digest()


def _status(status: Status, at: datetime) -> bytes:
    if status == "revoked":
        reason = asn1.element(0xA0, asn1.element(_ENUMERATED, b"\x01"))
        return asn1.element(0xA1, _time(at - timedelta(days=1)), reason)
    return asn1.element(0x80 if status == "good" else 0x82)


def _time(at: datetime) -> bytes:
    return asn1.element(asn1.GENERALIZED_TIME, f"{at:%Y%m%d%H%M%SZ}".encode())


def _signature(ca: CA, tbs: bytes) -> tuple[bytes, bytes]:
    if isinstance(ca.key, rsa.RSAPrivateKey):
        algorithm = asn1.sequence(asn1.oid(_RSA_SHA256), asn1.element(asn1.NULL))
        signature = ca.key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm = asn1.sequence(asn1.oid(_ECDSA_SHA256))
        signature = ca.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return algorithm, asn1.element(asn1.BIT_STRING, b"\x00", signature)

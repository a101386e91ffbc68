"""The SubjectPublicKeyInfo of a certificate, cut out of it byte for byte.

Never decoded and encoded again: that gives other bytes for RSA-PSS keys, compressed
points and explicit curve parameters, and so another pin. And strictly DER, unlike the
tolerant reading of `x509`: if our reader and the TLS library could disagree on where
the key lies, a certificate could show one key to each.
"""

from __future__ import annotations

from functools import lru_cache

from pinwarden.pinning.pin import Pin
from pinwarden.pinning.strict_der import BIT_STRING, INTEGER, SEQUENCE, StrictReader

__all__ = [
    "RSA_ENCRYPTION",
    "pin_of_certificate",
    "spki_of_certificate",
    "spki_of_request",
    "strict_spki",
]

RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
"""The algorithm identifier of RSA keys, with its NULL (RFC 8017 appendix A.1)."""

_VERSION, _ATTRIBUTES = 0xA0, 0xA0
_ISSUER_UNIQUE_ID, _SUBJECT_UNIQUE_ID, _EXTENSIONS = 0x81, 0x82, 0xA3


@lru_cache(maxsize=1024)
def pin_of_certificate(certificate: bytes) -> Pin:
    """The pin of the key in a certificate in DER; raises `MalformedError`."""
    return Pin.of_spki(spki_of_certificate(certificate))


def spki_of_certificate(certificate: bytes) -> bytes:
    """The bytes of the SubjectPublicKeyInfo (RFC 5280 section 4.1).

    Raises `MalformedError` unless the certificate, down to the fields of its
    TBSCertificate, is in DER and nothing follows it.
    """
    reader = StrictReader(certificate, "certificate").all_of(SEQUENCE)
    tbs = reader.enter(SEQUENCE, "TBSCertificate")
    if tbs.next_tag() == _VERSION:
        tbs.skip(_VERSION, "version")
    tbs.skip(INTEGER, "serial number")
    for field in ("signature", "issuer", "validity", "subject"):
        tbs.skip(SEQUENCE, field)
    spki = tbs.take(SEQUENCE, "subjectPublicKeyInfo")
    for tag in (_ISSUER_UNIQUE_ID, _SUBJECT_UNIQUE_ID, _EXTENSIONS):
        if tbs.next_tag() == tag:
            tbs.skip(tag, "extensions")
    tbs.ends()
    reader.skip(SEQUENCE, "signatureAlgorithm")
    reader.skip(BIT_STRING, "signatureValue")
    reader.ends()
    return strict_spki(spki)


def spki_of_request(request: bytes) -> bytes:
    """The bytes of the SubjectPublicKeyInfo of a certification request (RFC 2986 section 4).

    Raises `MalformedError` as `spki_of_certificate` does.
    """
    reader = StrictReader(request, "certification request").all_of(SEQUENCE)
    info = reader.enter(SEQUENCE, "certificationRequestInfo")
    info.skip(INTEGER, "version")
    info.skip(SEQUENCE, "subject")
    spki = info.take(SEQUENCE, "subjectPKInfo")
    if info.next_tag() == _ATTRIBUTES:
        info.skip(_ATTRIBUTES, "attributes")
    info.ends()
    reader.skip(SEQUENCE, "signatureAlgorithm")
    reader.skip(BIT_STRING, "signature")
    reader.ends()
    return strict_spki(spki)


def strict_spki(spki: bytes) -> bytes:
    """The same bytes, if they are one SubjectPublicKeyInfo in DER; raises `MalformedError`."""
    reader = StrictReader(spki, "public key").all_of(SEQUENCE)
    reader.skip(SEQUENCE, "algorithm")
    reader.skip(BIT_STRING, "subjectPublicKey")
    reader.ends()
    return spki

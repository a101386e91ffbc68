"""The hashes that people take for pins: of everything of a certificate but its key.

One that is made in a wrong way looks like any other 32 octets; only beside the
certificate can it be told.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping

from pinwarden.errors import MalformedError
from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.spki import spki_of_certificate
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.der import children, read_tlv

__all__ = ["WHOLE_CERTIFICATE", "mistaken_hashes"]

WHOLE_CERTIFICATE = "the whole certificate"


def mistaken_hashes(certificate: bytes) -> Mapping[bytes, str]:
    """SHA-256 values that are not the pin of a certificate, and what each is the hash of."""
    try:
        spki = spki_of_certificate(certificate)
    except MalformedError:
        return {hashlib.sha256(certificate).digest(): WHOLE_CERTIFICATE}
    right = hashlib.sha256(spki).digest()
    wrong: dict[bytes, str] = {}
    for octets, words in _candidates(certificate, spki):
        digest = hashlib.sha256(octets).digest()
        if digest != right:
            wrong.setdefault(digest, words)
    return wrong


def _candidates(certificate: bytes, spki: bytes) -> Iterator[tuple[bytes, str]]:
    yield certificate, WHOLE_CERTIFICATE
    for text in _pem(certificate, "CERTIFICATE"):
        yield text, f"{WHOLE_CERTIFICATE} in PEM"
    for text in _pem(spki, "PUBLIC KEY"):
        yield text, "the public key in PEM, not in DER"
    yield base64.b64encode(spki), "the base64 of the public key, not of its octets"
    yield spki.hex().encode(), "the hexadecimal digits of the public key, not of its octets"
    digest = hashlib.sha256(spki)
    yield digest.digest(), "the pin itself, hashed twice"
    yield digest.hexdigest().encode(), "the hexadecimal digits of the pin"
    try:
        view = view_certificate(certificate)
        yield view.tbs, "the TBSCertificate"
        yield view.subject, "the subject"
        outer = read_tlv(spki, 0, len(spki))
        key = list(children(spki, outer.start, outer.end))[1]
        # RFC 5280 section 4.2.1.2: what subject key identifiers are usually made of.
        yield spki[key.start + 1 : key.end], "the bare key without its algorithm"
        yield spki[key.header_start : key.end], "the BIT STRING of the key without its algorithm"
    except (MalformedError, IndexError):
        return
    yield from _encoded_again(certificate)


def _pem(der: bytes, label: str) -> Iterator[bytes]:
    text = pem_text(label, der).encode("ascii")
    yield text
    yield text.removesuffix(b"\n")


def _encoded_again(certificate: bytes) -> Iterator[tuple[bytes, str]]:
    """As libraries write the key out that decode it first: it may become another."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        again = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return
    yield again, "the public key as a library encodes it again, not as the certificate has it"

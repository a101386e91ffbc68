"""What a log makes of a submitted chain (RFC 6962 section 3.1 and 3.2)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.lab import asn1
from pinwarden.lab.ca import PRECERT_SIGNING


class RefusedError(ValueError):
    """The chain is not one that this log takes."""


def read_precertificate(chain: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The TBSCertificate to be entered, and the hash of the key that will issue it."""
    issuers = [x509.load_der_x509_certificate(each) for each in chain[1:3]]
    tbs = asn1.without_extension(asn1.children(chain[0])[0], asn1.POISON_OID)
    signer = issuers[0]
    if not _signs_precertificates(signer):
        return tbs, _key_hash(signer)
    # RFC 6962 section 3.2: issuer and authority key identifier become those of the
    # certificate to come.
    final = issuers[1]
    tbs = asn1.replace_field(tbs, asn1.ISSUER, final.subject.public_bytes())
    authority = _extensions(chain[1], asn1.AUTHORITY_KEY_OID)
    tbs = asn1.replace_extension(tbs, asn1.AUTHORITY_KEY_OID, *authority)
    return tbs, _key_hash(final)


def read_chain(body: bytes, *, precertificate: bool, roots: Sequence[bytes]) -> list[bytes]:
    """The chain in the body of add-chain or add-pre-chain (RFC 6962 section 4.1).

    Every signature in it must verify, and where the log has roots it must end in
    one of them. Raises `RefusedError`.
    """
    try:
        chain = [b64decode(each, validate=True) for each in json.loads(body)["chain"]]
        poisoned = bool(_extensions(chain[0], asn1.POISON_OID))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise RefusedError("the body holds no chain of certificates") from error
    if poisoned is not precertificate:
        raise RefusedError("a precertificate belongs into add-pre-chain, and nothing else does")
    if roots and chain[-1] not in roots:
        raise RefusedError("the chain does not end in a root of this log")
    if precertificate and len(chain) < 2:
        raise RefusedError("the issuer of the precertificate is missing")
    for signed, issuer in pairwise(chain):
        _verify_signature(signed, issuer)
    return chain


def sct_json(sct: bytes) -> dict[str, object]:
    """A serialized SCT as the answer to a submission (RFC 6962 section 4.1)."""
    # version 1, log id 32, timestamp 8, v2 extensions, digitally-signed
    end = 43 + int.from_bytes(sct[41:43], "big")
    return {
        "sct_version": sct[0],
        "id": b64encode(sct[1:33]).decode(),
        "timestamp": int.from_bytes(sct[33:41], "big"),
        "extensions": b64encode(sct[43:end]).decode(),
        "signature": b64encode(sct[end:]).decode(),
    }


def sct_from_json(answer: bytes) -> bytes:
    """The inverse of `sct_json`: what a CA puts into a certificate."""
    fields = json.loads(answer)
    extensions = b64decode(fields["extensions"])
    return b"".join(
        (
            bytes([fields["sct_version"]]),
            b64decode(fields["id"]),
            int(fields["timestamp"]).to_bytes(8, "big"),
            len(extensions).to_bytes(2, "big"),
            extensions,
            b64decode(fields["signature"]),
        )
    )


def _verify_signature(signed: bytes, issuer: bytes) -> None:
    try:
        tbs, _, signature = asn1.children(signed)
        value = asn1.contents(signature)[1:]
        key = x509.load_der_x509_certificate(issuer).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, tbs, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, tbs, ec.ECDSA(hashes.SHA256()))
        else:
            raise RefusedError("an issuer's key is of an unknown kind")
    except (ValueError, IndexError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise RefusedError("a signature in the chain does not verify") from error


def _signs_precertificates(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return PRECERT_SIGNING in usage.value


def _extensions(certificate: bytes, dotted: str) -> list[bytes]:
    kind = asn1.oid(dotted)
    tbs = asn1.children(certificate)[0]
    return [each for each in asn1.extensions_of(tbs) if asn1.children(each)[0] == kind]


def _key_hash(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()

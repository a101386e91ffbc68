"""Whether one certificate signed another: the signature alone, and nothing of a path.

Dates, names, constraints and trust are not looked at (RFC 5280 section 6 does): what is
asked here is who made the bytes, also of certificates that expired long ago.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.der import (
    BIT_STRING,
    INTEGER,
    OID,
    SEQUENCE,
    TLV,
    children,
    oid_text,
    read_tlv,
    reading,
)

__all__ = ["verify_issued", "verify_signature"]

# RFC 3279 section 2.2, RFC 4055 section 5, RFC 5758 section 3.2.
_RSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.5": hashes.SHA1(),  # noqa: S303 - of roots older than the web's rules
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_PSS = "1.2.840.113549.1.1.10"
_PSS_HASH, _PSS_MASK, _PSS_SALT = 0xA0, 0xA1, 0xA2
_MGF1 = "1.2.840.113549.1.1.8"
_LONGEST_SALT = 512
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_EDWARDS = ("1.3.101.112", "1.3.101.113")
_SIGNATURE_IN_TBS = 1


def verify_issued(certificate: CertificateView, issuer: CertificateView) -> None:
    """Checks that `issuer` is named as the issuer, and that its key made the signature.

    RSA (PKCS #1 v1.5 and PSS), ECDSA and EdDSA are known, as in certificates of the web. Raises
    `BadSignatureError` where it did not or cannot be told, `MalformedError` where either
    certificate cannot be taken apart.
    """
    if certificate.der is None:
        raise MalformedError("certificate: is a TBSCertificate only, which nobody signed")
    if certificate.issuer != issuer.subject:
        raise BadSignatureError("certificate: names another issuer than the one above it")
    with reading("certificate"):
        algorithm, signature = _signature(certificate.der)
        if algorithm != _algorithm_in_tbs(certificate.tbs):
            # RFC 5280 section 4.1.1.2: both must be the same, and only one of them is signed.
            raise MalformedError("names two signature algorithms")
    verify_signature(issuer.spki, algorithm, certificate.tbs, signature)


def verify_signature(spki: bytes, algorithm: bytes, message: bytes, signature: bytes) -> None:
    """Checks that the key made the signature, by an AlgorithmIdentifier as it is encoded.

    The kinds are those of `verify_issued`, and so are the errors.
    """
    if _oid(algorithm) == _PSS:
        _verify_pss(spki, algorithm, message, signature)
    else:
        _verify(spki, algorithm, message, signature)


def _signature(certificate: bytes) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier as encoded, and the signature (RFC 5280 section 4.1)."""
    outer = read_tlv(certificate, 0, len(certificate))
    parts = tuple(children(certificate, outer.start, outer.end))
    if len(parts) != 3 or parts[1].tag != SEQUENCE or parts[2].tag != BIT_STRING:
        raise MalformedError("does not end in an algorithm and a signature")
    value = certificate[parts[2].start : parts[2].end]
    if value[:1] != b"\0":
        raise MalformedError("its signature is not in whole octets")
    return certificate[parts[1].header_start : parts[1].end], value[1:]


def _algorithm_in_tbs(tbs: bytes) -> bytes:
    outer = read_tlv(tbs, 0, len(tbs))
    fields: list[TLV] = []
    for each in children(tbs, outer.start, outer.end):
        if each.tag != 0xA0 or fields:
            fields.append(each)
        if len(fields) > _SIGNATURE_IN_TBS:
            break
    if len(fields) <= _SIGNATURE_IN_TBS:
        raise MalformedError("has no signature algorithm")
    found = fields[_SIGNATURE_IN_TBS]
    return tbs[found.header_start : found.end]


def _verify(spki: bytes, algorithm: bytes, message: bytes, signature: bytes) -> None:
    oid = _oid(algorithm)
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadSignatureError("certificate: its issuer's key cannot be used") from None
    try:
        if isinstance(key, rsa.RSAPublicKey) and oid in _RSA:
            key.verify(signature, message, padding.PKCS1v15(), _RSA[oid])
        elif isinstance(key, ec.EllipticCurvePublicKey) and oid in _ECDSA:
            key.verify(signature, message, ec.ECDSA(_ECDSA[oid]))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and oid in _EDWARDS:
            key.verify(signature, message)
        else:
            raise BadSignatureError(
                f"certificate: signature of the kind {oid} by this key cannot be verified"
            )
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise BadSignatureError("certificate: its issuer did not sign it") from None


def _verify_pss(spki: bytes, algorithm: bytes, message: bytes, signature: bytes) -> None:
    with reading("signature algorithm"):
        scheme, digest = _pss(algorithm)
    try:
        key = load_der_public_key(spki)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, scheme, digest)
            return
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        raise BadSignatureError("certificate: its issuer did not sign it") from None
    raise BadSignatureError("certificate: its PSS signature is not by the key of its issuer")


def _pss(algorithm: bytes) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """RSASSA-PSS-params (RFC 4055 section 3.1), each of which has a default."""
    outer = read_tlv(algorithm, 0, len(algorithm))
    _, *held = children(algorithm, outer.start, outer.end)
    if len(held) != 1 or held[0].tag != SEQUENCE:
        raise MalformedError("RSASSA-PSS has no parameters")
    found = {each.tag: each for each in children(algorithm, held[0].start, held[0].end)}
    digest: hashes.HashAlgorithm = hashes.SHA1()  # noqa: S303 - as the RFC has it
    mask, salt = digest, 20
    if _PSS_HASH in found:
        digest = _hash(algorithm, found[_PSS_HASH])
    if _PSS_MASK in found:
        inner = read_tlv(algorithm, found[_PSS_MASK].start, found[_PSS_MASK].end)
        parts = tuple(children(algorithm, inner.start, inner.end))
        if len(parts) != 2 or oid_text(algorithm[parts[0].start : parts[0].end]) != _MGF1:
            raise MalformedError("RSASSA-PSS is with an unknown mask")
        mask = _hash(algorithm, parts[1])
    if _PSS_SALT in found:
        number = read_tlv(algorithm, found[_PSS_SALT].start, found[_PSS_SALT].end)
        salt = int.from_bytes(algorithm[number.start : number.end], "big")
        if number.tag != INTEGER or salt > _LONGEST_SALT:
            raise MalformedError("RSASSA-PSS is with an impossible salt")
    return padding.PSS(padding.MGF1(mask), salt), digest


def _hash(data: bytes, place: TLV) -> hashes.HashAlgorithm:
    """The hash of an AlgorithmIdentifier, also within a tag of its own."""
    inner = place if place.tag == SEQUENCE else read_tlv(data, place.start, place.end)
    first = next(children(data, inner.start, inner.end), None)
    oid = "" if first is None else oid_text(data[first.start : first.end])
    if oid not in _HASHES:
        raise MalformedError("RSASSA-PSS is with an unknown hash")
    return _HASHES[oid]


def _oid(algorithm: bytes) -> str:
    with reading("signature algorithm"):
        outer = read_tlv(algorithm, 0, len(algorithm))
        first = next(children(algorithm, outer.start, outer.end), None)
        if first is None or first.tag != OID:
            raise MalformedError("is no object identifier")
        return oid_text(algorithm[first.start : first.end])

"""Who issued a certificate, among those that may have: by name *and* by signature.

What stands above a certificate in a chain as sent proves nothing. An SCT names the key of
the issuer, so that the wrong certificate in its place makes a valid SCT look forged.

A certificate that was altered is signed by nobody. Whom it names is then all there is to
judge it by: that can show it false, and never true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.key_ids import authority_key_id, subject_key_id
from pinwarden.x509.signature import verify_issued

__all__ = ["claimed_issuer", "issuer_among"]

# Whoever sends hundreds of one name wants us to verify hundreds of signatures.
_MOST_TRIED = 32
# Key identifiers are hashes: two that differ in a few bits are one with an error in it.
_LEAST_HASHED = 16
_MOST_BITS_WRONG = 8


def issuer_among(
    certificate: CertificateView, candidates: Iterable[CertificateView]
) -> CertificateView | None:
    """The first of the candidates that issued the certificate, if any of them did.

    Those of another name cost nothing, so that a whole trust store may be given.
    """
    tried = 0
    for each in candidates:
        if each.subject != certificate.issuer:
            continue
        tried += 1
        if tried > _MOST_TRIED:
            return None
        try:
            verify_issued(certificate, each)
        except (BadSignatureError, MalformedError):
            continue
        return each
    return None


def claimed_issuer(
    certificate: CertificateView, candidates: Iterable[CertificateView]
) -> CertificateView | None:
    """Whom a certificate names as its issuer, where no candidate's signature is on it.

    That is who has the identifier of its issuer's key, or else the name, if it is the name of
    one key alone and no key identifier speaks against it. Proves nothing: see
    `issuer_among`.
    """
    wanted = _key_id(certificate, authority_key_id)
    by_name: dict[bytes, CertificateView] = {}
    for each in candidates:
        is_named = each.subject == certificate.issuer
        found = _key_id(each, subject_key_id) if wanted is not None else None
        if wanted is not None and found is not None:
            if (is_named or len(wanted) >= _LEAST_HASHED) and _is_same(wanted, found):
                return each
        elif is_named:
            by_name.setdefault(each.spki, each)
    return next(iter(by_name.values())) if len(by_name) == 1 else None


def _key_id(
    certificate: CertificateView, read: Callable[[CertificateView], bytes | None]
) -> bytes | None:
    try:
        return read(certificate)
    except MalformedError:
        return None


def _is_same(wanted: bytes, found: bytes) -> bool:
    if len(wanted) != len(found) or len(wanted) < _LEAST_HASHED:
        return wanted == found
    wrong = int.from_bytes(wanted, "big") ^ int.from_bytes(found, "big")
    return wrong.bit_count() <= _MOST_BITS_WRONG

"""Who issued a certificate, among those that may have: by name *and* by signature.

What stands above a certificate in a chain as sent proves nothing. An SCT names the key of
the issuer, so that the wrong certificate in its place makes a valid SCT look forged.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.signature import verify_issued

__all__ = ["issuer_among"]

# Whoever sends hundreds of one name wants us to verify hundreds of signatures.
_MOST_TRIED = 32


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

"""A certificate, of which every octet is at hand, as a past issuance."""

from __future__ import annotations

from dataclasses import replace

from pinwarden.errors import MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.precert import tbs_hash

__all__ = ["issuance_from", "with_chain"]

_MOST_NAMES = 10_000
_MOST_PROBLEMS = 20


def issuance_from(view: CertificateView, *, source: str, reference: str) -> PastIssuance:
    """What a certificate or precertificate says of itself.

    Raises `MalformedError` where its validity, serial number, issuer or identity cannot be
    read. Names that cannot be read are told in `problems`.
    """
    found = view.identifiers()
    names = (*found.dns, *(str(ip) for ip in found.ips))
    return PastIssuance(
        names=tuple(dict.fromkeys(names))[:_MOST_NAMES],
        issuer=view.issuer_text,
        not_before=view.not_before,
        not_after=view.not_after,
        source=source,
        reference=reference,
        serial=f"{view.serial:x}",
        tbs_sha256=bytes(tbs_hash(view.tbs)),
        certificate_sha256=_fingerprint(view),
        spki_sha256=bytes(view.spki_hash),
        der=view.der,
        problems=tuple(str(each) for each in found.unreadable[:_MOST_PROBLEMS]),
    )


def _fingerprint(view: CertificateView) -> bytes | None:
    """Of the certificate alone: nobody is ever served a precertificate."""
    try:
        poisoned = view.is_precertificate
    except MalformedError:
        poisoned = True
    return None if poisoned or view.fingerprint is None else bytes(view.fingerprint)


def with_chain(issuance: PastIssuance, above: list[CertificateView]) -> PastIssuance:
    """The issuance with the keys of the chain above it, issuer first."""
    if not above:
        return issuance
    hashes = [bytes(each.spki_hash) for each in above]
    return replace(issuance, issuer_spki_sha256=hashes[0], chain_spki_sha256=tuple(hashes[1:]))

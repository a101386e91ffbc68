"""A certificate that was issued in the past, as far as whoever tells of it knows.

Sources differ: our own store and a folder of certificates have every octet, Cert Spotter has
hashes of the keys, crt.sh has names and dates. What a source does not tell is None or empty,
and is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["PastIssuance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIssuance:
    """One issuance: precertificate and certificate together, in however many logs.

    `names` are DNS names in lower case, wildcards as `*.`, and IP addresses. `issuer` is the
    issuer's name as text, foreign. `issuer_spki_sha256` is the hash of the key that issued,
    `chain_spki_sha256` those of the keys above it as far as they are known. `seen` is when
    a log first had it. `der` is the certificate or precertificate if the source has it.
    `source` names whoever tells, `reference` where to look it up there.
    """

    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    source: str
    reference: str = ""
    serial: str = ""
    seen: datetime | None = None
    tbs_sha256: bytes | None = None
    certificate_sha256: bytes | None = None
    spki_sha256: bytes | None = None
    issuer_spki_sha256: bytes | None = None
    chain_spki_sha256: tuple[bytes, ...] = ()
    issuer_domains: tuple[str, ...] = ()
    der: bytes | None = None
    revoked: bool | None = None
    problems: tuple[str, ...] = ()

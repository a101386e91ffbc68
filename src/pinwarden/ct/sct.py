"""Signed Certificate Timestamps: a log's promise to include a certificate.

The structure and what exactly is signed (RFC 6962 sections 3.2 and 3.3). The signed bytes
are those of the leaf in the log's tree, so an SCT and its certificate give the leaf hash
under which the entry must be found. The extensions are part of both: a static-ct log puts
the index of the entry there, and whoever leaves them out verifies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from struct import Struct

from pinwarden.ct.head import LogID, LogKey
from pinwarden.ct.leaf import EntryType, encode_leaf, parse_leaf_index
from pinwarden.ct.merkle import LeafHash, leaf_hash
from pinwarden.ct.wire import Reader, parse_timestamp
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView, IssuerKeyHash
from pinwarden.x509.precert import logged_form

__all__ = [
    "SCT",
    "SCTSource",
    "SignedEntry",
    "embedded_entry",
    "log_key",
    "parse_sct",
    "parse_sct_list",
    "sct_leaf_hash",
    "signed_by_sct",
    "verify_sct",
    "x509_entry",
]

_V1 = 0
# Version, log ID, timestamp, length of the extensions (RFC 6962 section 3.2).
_HEAD = Struct(">B32sQH")
_CUT_OFF = "SCT ends too early"
# Real lists have two to six; a log operator's test had twelve.
_MOST_SCTS = 200


class SCTSource(StrEnum):
    """How an SCT reached the client (RFC 6962 section 3.3)."""

    EMBEDDED = "embedded"
    TLS = "tls"
    OCSP = "ocsp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SCT:
    """A version 1 SCT as it stands in a list; nothing of it is verified.

    `signature` is the digitally-signed struct; `raw` the whole SCT as received.
    """

    log_id: LogID
    timestamp_ms: int
    timestamp: datetime
    extensions: bytes
    signature: bytes
    raw: bytes

    @property
    def leaf_index(self) -> int | None:
        """Where a static-ct log has the entry; raises `MalformedError`."""
        return parse_leaf_index(self.extensions)


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """What an SCT is about, besides its own time and extensions.

    `signed` is the certificate, or for an SCT that is embedded the TBSCertificate as
    logged; `issuer_key_hash` is there in the second case only.
    """

    type: EntryType
    signed: bytes
    issuer_key_hash: IssuerKeyHash | None = None


def embedded_entry(certificate: CertificateView, issuer: CertificateView) -> SignedEntry:
    """What the SCTs inside a certificate are about; raises `MalformedError`."""
    return SignedEntry(EntryType.PRECERT, logged_form(certificate), IssuerKeyHash(issuer.spki_hash))


def x509_entry(certificate: bytes) -> SignedEntry:
    """What SCTs from the TLS extension and from OCSP are about: the certificate in DER."""
    return SignedEntry(EntryType.X509, certificate)


def parse_sct_list(data: bytes) -> list[bytes]:
    """The SCTs of a SignedCertificateTimestampList, undecoded (RFC 6962 section 3.3).

    Each is to be read by itself with `parse_sct`: one that cannot be read costs no other.
    Raises `MalformedError` for what is no list, and for an empty one, which no server and
    no CA may give.
    """
    outer = Reader(data, "SCT list")
    inner = Reader(outer.vector(2), "SCT list")
    outer.finish()
    scts: list[bytes] = []
    while inner.remaining:
        if len(scts) == _MOST_SCTS:
            raise MalformedError(f"SCT list has more than {_MOST_SCTS} SCTs")
        sct = inner.vector(2)
        if not sct:
            raise MalformedError("SCT list has an empty SCT")
        scts.append(sct)
    if not scts:
        raise MalformedError("SCT list is empty")
    return scts


def parse_sct(data: bytes) -> SCT:
    """One SCT (RFC 6962 section 3.2); raises `MalformedError`, also for another version."""
    if data and data[0] != _V1:
        raise MalformedError(f"SCT is of unknown version {data[0] + 1}")
    if len(data) < _HEAD.size:
        raise MalformedError(_CUT_OFF)
    _, log_id, timestamp_ms, size = _HEAD.unpack_from(data)
    signed_at = _HEAD.size + size
    end = signed_at + 4 + int.from_bytes(data[signed_at + 2 : signed_at + 4], "big")
    if len(data) != end:
        over = len(data) - end
        raise MalformedError(f"SCT has {over} bytes after its end" if over > 0 else _CUT_OFF)
    return SCT(
        log_id=LogID(log_id),
        timestamp_ms=timestamp_ms,
        timestamp=parse_timestamp(timestamp_ms, "timestamp of an SCT"),
        extensions=data[_HEAD.size : signed_at],
        signature=data[signed_at:],
        raw=data,
    )


def signed_by_sct(sct: SCT, entry: SignedEntry) -> bytes:
    """The bytes under the signature, which are those of the leaf (RFC 6962 3.2 and 3.4)."""
    # Version 1 and certificate_timestamp are encoded like version 1 and timestamped_entry.
    return encode_leaf(
        sct.timestamp_ms, entry.type, entry.signed, entry.issuer_key_hash, sct.extensions
    )


def sct_leaf_hash(sct: SCT, entry: SignedEntry) -> LeafHash:
    """The hash of the leaf that the log promises to have."""
    return leaf_hash(signed_by_sct(sct, entry))


def verify_sct(sct: SCT, entry: SignedEntry, key: LogKey) -> None:
    """Verify the log's signature; raises `BadSignatureError`.

    That the key is the log's is the caller's to know: `key.log_id` must be `sct.log_id`.
    """
    key.verify(signed_by_sct(sct, entry), sct.signature)


@lru_cache(maxsize=1024)
def log_key(der: bytes) -> LogKey:
    """The key of a log, loaded once for all SCTs of the log; raises `MalformedError`."""
    return LogKey(der)

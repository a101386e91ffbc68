"""Log entries that are odd on purpose: what a log may enter besides honest leaves.

A log is not trusted. Whatever it puts into its tree it has promised, and a reader
must hash it as it is, report what it cannot read, and go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.lab.ca import CA


@dataclass(frozen=True, slots=True, kw_only=True)
class OddLeaf:
    """One case, ready for `LabLog.add_leaf`.

    `readable` says that the leaf itself can be read, and only what is served
    beside it is wrong. `tileable` says that a data tile can hold it: the format
    has no room for other versions and types, and none for bytes after the leaf.
    """

    slug: str
    leaf: bytes
    extra: Extra | bytes
    readable: bool
    tileable: bool


def odd_leaves(
    ca: CA, name: str, *, timestamp_ms: int, extensions: bytes = b""
) -> Iterator[OddLeaf]:
    """Every case; where a certificate is in it at all, it is for `name`."""
    issued, other = ca.issue([name]), ca.issue([f"not-{name}"])
    prints = tuple(sha256(each).digest() for each in issued.chain)
    beside = Extra(issued.precertificate, issued.chain, prints)
    without = Extra(None, issued.chain, prints)

    def x509(certificate: bytes, stamp: int = timestamp_ms) -> bytes:
        return encode_leaf(stamp, EntryType.X509, certificate, None, extensions)

    def precert(tbs: bytes, key_hash: bytes = issued.issuer_key_hash) -> bytes:
        return encode_leaf(timestamp_ms, EntryType.PRECERT, tbs, key_hash, extensions)

    def odd(
        slug: str,
        leaf: bytes,
        extra: Extra | bytes,
        *,
        readable: bool = False,
        tileable: bool = True,
    ) -> OddLeaf:
        return OddLeaf(slug=slug, leaf=leaf, extra=extra, readable=readable, tileable=tileable)

    good = x509(issued.certificate)
    yield odd("unknown-version", b"\x01" + good[1:], without, tileable=False)
    yield odd("unknown-leaf-type", b"\x00\x01" + good[2:], without, tileable=False)
    yield odd("unknown-entry-type", good[:10] + b"\x80\x00" + good[12:], without, tileable=False)
    yield odd("trailing-bytes", good + b"\x00", without, tileable=False)
    yield odd("cut", good[:-1], without, tileable=False)
    yield odd("empty", b"", without, tileable=False)
    yield odd("noise-for-certificate", x509(bytes(range(256)) * 4), without)
    yield odd("noise-for-tbs", precert(bytes(range(256)) * 4), beside)
    yield odd("bytes-after-certificate", x509(issued.certificate + b"\x00"), without)
    yield odd("precertificate-as-x509", x509(issued.precertificate), without, readable=True)
    yield odd("future", x509(issued.certificate, (1 << 64) - 1), without, readable=True)
    yield odd(
        "other-precertificate",
        precert(issued.tbs),
        _with(beside, other.precertificate),
        readable=True,
    )
    yield odd("wrong-issuer-key-hash", precert(issued.tbs, bytes(32)), beside, readable=True)
    yield odd("no-chain", precert(issued.tbs), Extra(issued.precertificate), readable=True)
    yield odd("noise-beside", precert(issued.tbs), b"\xff" * 40, readable=True, tileable=False)


def _with(extra: Extra, precertificate: bytes) -> Extra:
    return Extra(precertificate, extra.chain, extra.chain_fingerprints)

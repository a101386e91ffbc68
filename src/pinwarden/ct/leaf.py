"""The leaf of a log's tree and what travels beside it, byte for byte.

MerkleTreeLeaf (RFC 6962 section 3.4), the leaf_index extension and TileLeaf
(static-ct-api), extra_data (RFC 6962 section 4.6). Only the leaf is covered by
the tree; the rest is the log's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pinwarden.ct.wire import Reader, uint, vector
from pinwarden.errors import MalformedError

FINGERPRINT_SIZE = 32

_V1_TIMESTAMPED_ENTRY = b"\x00\x00"
_LEAF_INDEX = 0
_LEAF_INDEX_SIZE = 5
# No chain of the web is longer; one of four million one-byte certificates fits the format.
_MAX_CHAIN = 100


class EntryType(IntEnum):
    """LogEntryType (RFC 6962 section 3.1)."""

    X509 = 0
    PRECERT = 1


_TYPES = {each: uint(each, 2) for each in EntryType}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The fields of a MerkleTreeLeaf.

    `signed` is the certificate, or for a precertificate the TBSCertificate
    without poison; `issuer_key_hash` is there for a precertificate only.
    """

    timestamp_ms: int
    type: EntryType
    signed: bytes
    issuer_key_hash: bytes | None
    extensions: bytes


def parse_leaf(data: bytes) -> Leaf:
    """A MerkleTreeLeaf (RFC 6962 section 3.4); raises `MalformedError`."""
    # Version 1, MerkleLeafType 1, then TimestampedEntry:
    # timestamp 8, entry_type 2, [issuer_key_hash 32], v3 signed entry, v2 extensions.
    reader = Reader(data, "log entry")
    if reader.take(2) != _V1_TIMESTAMPED_ENTRY:
        raise MalformedError(f"log entry is of unknown version or kind {data[:2].hex()}")
    timestamp_ms = reader.u64()
    number = reader.u16()
    try:
        type_ = EntryType(number)
    except ValueError as error:
        raise MalformedError(f"log entry is of unknown type {number}") from error
    issuer_key_hash = reader.take(32) if type_ is EntryType.PRECERT else None
    signed = reader.vector(3)
    if not signed:
        raise MalformedError("log entry holds an empty certificate")
    extensions = reader.vector(2)
    reader.finish()
    return Leaf(
        timestamp_ms=timestamp_ms,
        type=type_,
        signed=signed,
        issuer_key_hash=issuer_key_hash,
        extensions=extensions,
    )


def encode_leaf(
    timestamp_ms: int,
    type_: EntryType,
    signed: bytes,
    issuer_key_hash: bytes | None = None,
    extensions: bytes = b"",
) -> bytes:
    """The inverse of `parse_leaf`: the bytes that are hashed and that an SCT signs."""
    if (issuer_key_hash is None) != (type_ is EntryType.X509):
        raise MalformedError("a precertificate entry, and no other, has an issuer key hash")
    head = _V1_TIMESTAMPED_ENTRY + uint(timestamp_ms, 8) + _TYPES[type_]
    held = issuer_key_hash or b"", uint(len(signed), 3), signed, vector(extensions, 2)
    return b"".join((head, *held))


def parse_leaf_index(extensions: bytes) -> int | None:
    """The leaf_index in CtExtensions, or None (static-ct-api, "SCT Extension").

    Extensions of other types are ignored; raises `MalformedError` for what is no
    list of extensions, and for two of one type.
    """
    reader = Reader(extensions, "extensions of a log entry")
    seen: dict[int, bytes] = {}
    while reader.remaining:
        type_ = reader.u8()
        if type_ in seen:
            raise MalformedError(f"extensions of a log entry have type {type_} twice")
        seen[type_] = reader.vector(2)
    value = seen.get(_LEAF_INDEX)
    if value is None:
        return None
    if len(value) != _LEAF_INDEX_SIZE:
        raise MalformedError(f"leaf_index extension has {len(value)} bytes")
    return int.from_bytes(value, "big")


def encode_leaf_index(index: int) -> bytes:
    """CtExtensions with a leaf_index and nothing else."""
    return uint(_LEAF_INDEX, 1) + vector(uint(index, _LEAF_INDEX_SIZE), 2)


@dataclass(frozen=True, slots=True)
class Extra:
    """What the log tells about an entry beside the tree; none of it is authenticated."""

    precertificate: bytes | None = None
    chain: tuple[bytes, ...] = ()
    chain_fingerprints: tuple[bytes, ...] = ()


def parse_extra_data(type_: EntryType, data: bytes) -> Extra:
    """The extra_data of get-entries (RFC 6962 section 4.6); raises `MalformedError`."""
    reader = Reader(data, "extra_data")
    precertificate = reader.vector(3) if type_ is EntryType.PRECERT else None
    certificates = Reader(reader.vector(3), "chain in extra_data")
    reader.finish()
    chain: list[bytes] = []
    while certificates.remaining:
        if len(chain) == _MAX_CHAIN:
            raise MalformedError(f"chain in extra_data has more than {_MAX_CHAIN} certificates")
        chain.append(certificates.vector(3))
    return Extra(precertificate=precertificate, chain=tuple(chain))


def encode_extra_data(
    type_: EntryType, precertificate: bytes | None, chain: Sequence[bytes]
) -> bytes:
    """The inverse of `parse_extra_data`."""
    if (precertificate is None) != (type_ is EntryType.X509):
        raise MalformedError("extra_data of a precertificate entry, and no other, has one")
    head = b"" if precertificate is None else vector(precertificate, 3)
    return head + vector(b"".join(vector(one, 3) for one in chain), 3)


def parse_tile_extra(type_: EntryType, data: bytes) -> Extra:
    """What follows the TimestampedEntry in a TileLeaf (static-ct-api, "Log entries").

    Raises `MalformedError`.
    """
    reader = Reader(data, "tile entry")
    precertificate = reader.vector(3) if type_ is EntryType.PRECERT else None
    prints = reader.vector(2)
    reader.finish()
    if len(prints) % FINGERPRINT_SIZE:
        raise MalformedError(f"chain in a tile entry has {len(prints)} bytes of fingerprints")
    return Extra(
        precertificate=precertificate,
        chain_fingerprints=tuple(
            prints[i : i + FINGERPRINT_SIZE] for i in range(0, len(prints), FINGERPRINT_SIZE)
        ),
    )


def encode_tile_leaf(
    leaf: bytes, precertificate: bytes | None, fingerprints: Sequence[bytes]
) -> bytes:
    """A TileLeaf, one entry of a data tile (static-ct-api, "Log entries")."""
    head = b"" if precertificate is None else vector(precertificate, 3)
    return leaf[len(_V1_TIMESTAMPED_ENTRY) :] + head + vector(b"".join(fingerprints), 2)

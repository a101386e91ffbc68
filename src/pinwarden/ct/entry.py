"""The entries of a log, in bulk and one by one, as both protocols serve them.

A billion entries pass and a handful matter, so reading is in two steps. A
`RawBatch` holds the exact leaves, enough to hash and to scan; `RawBatch.entry`
takes one apart. What must hold:

1. A leaf is hashed as it came, never as we would have written it.
2. A batch is whole or refused: a leaf that cannot be delimited could hide others.
3. What the tree does not cover (chain, precertificate) is compared with what it
   does; a disagreement is a problem of the entry and never costs the leaf.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

import msgspec

from pinwarden.ct.leaf import (
    EntryType,
    Extra,
    Leaf,
    encode_extra_data,
    encode_leaf,
    encode_leaf_index,
    encode_tile_leaf,
    parse_extra_data,
    parse_leaf,
    parse_leaf_index,
    parse_tile_extra,
)
from pinwarden.ct.merkle import LeafHash
from pinwarden.ct.wire import parse_timestamp
from pinwarden.errors import MalformedError, PinwardenError

__all__ = [
    "Entry",
    "EntryType",
    "RawBatch",
    "encode_extra_data",
    "encode_leaf",
    "encode_leaf_index",
    "encode_tile_leaf",
    "join_batches",
    "parse_data_tile",
    "parse_get_entries",
    "parse_leaf_index",
]

# A tile, and where in it stands what follows the leaf.
_TileExtra = tuple[bytes, int, int]

# Members of an IntEnum are slow to look up and compare in the hot loop.
_X509 = int(EntryType.X509)
_PRECERT = int(EntryType.PRECERT)
_u16 = struct.Struct(">H").unpack_from
_u32 = struct.Struct(">I").unpack_from
_LAST_TIME = datetime.max.replace(tzinfo=UTC)
_TILE_WIDTH = 256
_EXTENDED_KEY_USAGE = "2.5.29.37"
# 1.3.6.1.4.1.11129.2.4.4 as DER: the mark of a Precertificate Signing Certificate.
_PRECERT_SIGNING = bytes.fromhex("060a2b06010401d679020404")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One log entry, taken apart.

    `certificate` is set for an X.509 entry; `tbs` and `issuer_key_hash` for a
    precertificate entry, whose signed `precertificate` the log serves beside the
    tree. `chain` holds DER (RFC 6962), `chain_fingerprints` the SHA-256 of each
    issuer (static-ct). `problems` says what does not fit together.
    """

    index: int
    timestamp: datetime
    type: EntryType
    certificate: bytes | None = None
    tbs: bytes | None = None
    issuer_key_hash: bytes | None = None
    extensions: bytes
    leaf_index: int | None = None
    leaf: bytes
    precertificate: bytes | None = None
    chain: tuple[bytes, ...] = ()
    chain_fingerprints: tuple[bytes, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Consecutive entries, the first of them number `first` of the log.

    `leaves` are exact MerkleTreeLeaf bytes. Offsets in them: 2 timestamp,
    10 entry type; X.509: 12 length, 15 certificate; precertificate: 12 issuer
    key hash, 44 length, 47 TBSCertificate. `extras` are for `entry` alone.
    """

    first: int
    leaves: list[bytes]
    extras: Sequence[object]
    tiled: bool = False

    def __len__(self) -> int:
        return len(self.leaves)

    def leaf_hashes(self) -> list[LeafHash]:
        """The Merkle leaf hash of each entry (RFC 6962 section 2.1)."""
        hashes = [sha256(b"\x00" + leaf).digest() for leaf in self.leaves]
        return cast("list[LeafHash]", hashes)

    def entry(self, index: int) -> Entry:
        """The entry with this number in the log.

        Raises `MalformedError` if its leaf cannot be read; `IndexError` if it
        is not in this batch.
        """
        place = index - self.first
        if not 0 <= place < len(self.leaves):
            raise IndexError(f"entry {index} is not in a batch of {len(self)} from {self.first}")
        leaf = parse_leaf(self.leaves[place])
        problems: list[str] = []
        extra = _read_extra(leaf.type, self.extras[place], self.tiled, problems)
        return _make_entry(index, self.leaves[place], leaf, extra, self.tiled, problems)

    def between(self, low: int, high: int) -> RawBatch:
        """Those of the entries that are numbered from `low` to before `high`."""
        start = max(low - self.first, 0)
        stop = max(high - self.first, start)
        return RawBatch(
            self.first + start, self.leaves[start:stop], self.extras[start:stop], self.tiled
        )


def join_batches(batches: Iterable[RawBatch]) -> RawBatch:
    """Batches of one log that follow each other, as one; raises `MalformedError` at a gap."""
    leaves: list[bytes] = []
    extras: list[object] = []
    first: int | None = None
    tiled = False
    for batch in batches:
        if first is None:
            first, tiled = batch.first, batch.tiled
        if batch.first != first + len(leaves) or batch.tiled != tiled:
            raise MalformedError(f"entry {first + len(leaves)} is missing before {batch.first}")
        leaves += batch.leaves
        extras += batch.extras
    return RawBatch(first or 0, leaves, extras, tiled)


class _JSONEntry(msgspec.Struct, gc=False):
    leaf_input: bytes
    extra_data: msgspec.Raw = msgspec.Raw(b'""')


class _GetEntries(msgspec.Struct):
    # Go writes an empty slice as null.
    entries: list[_JSONEntry] | None


_get_entries = msgspec.json.Decoder(_GetEntries)


def parse_get_entries(body: bytes, first: int) -> RawBatch:
    """The answer to get-entries, asked from `first` (RFC 6962 section 4.6).

    Raises `MalformedError`. An answer without entries gives an empty batch.
    """
    try:
        entries = _get_entries.decode(body).entries or []
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedError(f"entries are not the JSON of get-entries: {error}") from error
    return RawBatch(first, [one.leaf_input for one in entries], [one.extra_data for one in entries])


def parse_data_tile(data: bytes, first: int, width: int) -> RawBatch:
    """A data tile of exactly `width` entries, the first number `first` (static-ct-api).

    Raises `MalformedError` if the entries do not fill the tile to its last byte.
    """
    if not 1 <= width <= _TILE_WIDTH:
        raise MalformedError(f"a data tile cannot hold {width} entries")
    try:
        leaves, extras, end = _split_tile(data, width)
    except struct.error as error:
        raise MalformedError(f"data tile from entry {first} ends in the middle") from error
    if end != len(data):
        raise MalformedError(
            f"data tile of {width} entries from {first} has {len(data)} bytes instead of {end}"
        )
    return RawBatch(first, leaves, extras, tiled=True)


def _split_tile(data: bytes, width: int) -> tuple[list[bytes], list[_TileExtra], int]:
    # TileLeaf: timestamp 8, entry_type 2, X.509: v3 certificate, v2 extensions, v2 chain;
    # precertificate: issuer_key_hash 32, v3 TBS, v2 extensions, v3 precertificate, v2 chain.
    # Three-byte lengths are read as four bytes of which the first is another field's.
    # Each entry begins where the last one ended, and no length is read beyond the
    # data (struct.error), so whoever ends on the last byte has stayed inside.
    leaves: list[bytes] = []
    extras: list[_TileExtra] = []
    end = 0
    for _ in range(width):
        start = end
        (kind,) = _u16(data, start + 8)
        if kind == _PRECERT:
            (length,) = _u32(data, start + 41)
            at = start + 45 + (length & 0xFFFFFF)
            (length,) = _u16(data, at)
            at += 2 + length
            (length,) = _u32(data, at - 1)
            end = at + 3 + (length & 0xFFFFFF)
        elif kind == _X509:
            (length,) = _u32(data, start + 9)
            at = start + 13 + (length & 0xFFFFFF)
            (length,) = _u16(data, at)
            end = at = at + 2 + length
        else:
            raise MalformedError(f"data tile has an entry of unknown type {kind}")
        (length,) = _u16(data, end)
        end += 2 + length
        leaves.append(b"\x00\x00" + data[start:at])
        extras.append((data, at, end))
    return leaves, extras, end


def _read_extra(type_: EntryType, raw: object, tiled: bool, problems: list[str]) -> Extra:
    try:
        if tiled:
            assert isinstance(raw, tuple)
            data, start, stop = raw
            return parse_tile_extra(type_, data[start:stop])
        assert isinstance(raw, msgspec.Raw)
        return parse_extra_data(type_, msgspec.json.decode(raw, type=bytes))
    except MalformedError as error:
        problems.append(str(error))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        problems.append("extra_data is not base64")
    return Extra()


def _make_entry(
    index: int, raw: bytes, leaf: Leaf, extra: Extra, tiled: bool, problems: list[str]
) -> Entry:
    precert = leaf.type is EntryType.PRECERT
    timestamp = _read_timestamp(leaf.timestamp_ms, problems)
    leaf_index = _read_leaf_index(leaf.extensions, index, tiled, problems)
    if precert and extra.precertificate is not None:
        problems += _precertificate_problems(leaf, extra)
    return Entry(
        index=index,
        timestamp=timestamp,
        type=leaf.type,
        certificate=None if precert else leaf.signed,
        tbs=leaf.signed if precert else None,
        issuer_key_hash=leaf.issuer_key_hash,
        extensions=leaf.extensions,
        leaf_index=leaf_index,
        leaf=raw,
        precertificate=extra.precertificate,
        chain=extra.chain,
        chain_fingerprints=extra.chain_fingerprints,
        problems=tuple(problems),
    )


def _read_timestamp(milliseconds: int, problems: list[str]) -> datetime:
    # A log that writes an absurd time must not thereby hide the certificate.
    try:
        return parse_timestamp(milliseconds, "timestamp of the entry")
    except MalformedError as error:
        problems.append(str(error))
        return _LAST_TIME


def _read_leaf_index(extensions: bytes, index: int, tiled: bool, problems: list[str]) -> int | None:
    try:
        leaf_index = parse_leaf_index(extensions)
    except MalformedError as error:
        # RFC 6962 gives extensions no form; static-ct-api does.
        if tiled:
            problems.append(str(error))
        return None
    if leaf_index is None and tiled:
        problems.append("entry has no leaf_index")
    elif leaf_index not in (None, index):
        problems.append(f"entry {index} says that its leaf_index is {leaf_index}")
    return leaf_index


def _precertificate_problems(leaf: Leaf, extra: Extra) -> list[str]:
    from pinwarden.x509.precert import matches_precertificate

    assert extra.precertificate is not None
    problems: list[str] = []
    try:
        matches_precertificate(extra.precertificate, leaf.signed)
    except PinwardenError as error:
        problems.append(f"precertificate is not that of the entry: {error}")
    if extra.chain:
        problems += _issuer_problems(leaf.issuer_key_hash, extra.chain)
    return problems


def _issuer_problems(issuer_key_hash: bytes | None, chain: Sequence[bytes]) -> list[str]:
    from pinwarden.x509.certificate import view_certificate

    try:
        issuer = view_certificate(chain[0])
        usage = issuer.extension(_EXTENDED_KEY_USAGE)
        if usage is not None and _PRECERT_SIGNING in usage.value and len(chain) > 1:
            # RFC 6962 section 3.2: the final issuer is then one further up.
            issuer = view_certificate(chain[1])
        if issuer.spki_hash != issuer_key_hash:
            return ["issuer key hash is not that of the issuer in the chain"]
    except PinwardenError as error:
        return [f"issuer in the chain cannot be read: {error}"]
    return []

"""Certificate Transparency once more, straight from the definitions and slow.

Shares nothing with `pinwarden`, so that the lab is not proved honest by itself.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key


def leaf(data: bytes) -> bytes:
    """The hash of a leaf, RFC 6962 section 2.1."""
    return sha256(b"\x00" + data).digest()


def _split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, over exact MerkleTreeLeaf bytes."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaf(leaves[0])
    k = _split(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def audit_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*audit_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*audit_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF of RFC 6962 section 2.1.2."""
    return _subproof(first, leaves, complete=True)


def _subproof(first: int, leaves: Sequence[bytes], *, complete: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if complete else [tree_hash(leaves)]
    k = _split(len(leaves))
    if first <= k:
        return [*_subproof(first, leaves[:k], complete=complete), tree_hash(leaves[k:])]
    return [*_subproof(first - k, leaves[k:], complete=False), tree_hash(leaves[:k])]


def check_signature(spki: bytes, message: bytes, signed: bytes) -> None:
    """A digitally-signed struct (RFC 5246 section 4.7); raises if it is not by this key."""
    assert signed[0] == 4
    assert len(signed) == 4 + int.from_bytes(signed[2:4], "big")
    key = load_der_public_key(spki)
    if isinstance(key, rsa.RSAPublicKey):
        assert signed[1] == 1
        key.verify(signed[4:], message, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert signed[1] == 3
        key.verify(signed[4:], message, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True)
class TreeHead:
    """A tree head whose signature was checked."""

    size: int
    root: bytes
    timestamp: int


def read_sth(body: bytes, spki: bytes) -> TreeHead:
    """The answer to get-sth, with its signature checked (RFC 6962 section 3.5)."""
    fields = json.loads(body)
    head = TreeHead(fields["tree_size"], b64decode(fields["sha256_root_hash"]), fields["timestamp"])
    _check_head(head, spki, b64decode(fields["tree_head_signature"]))
    return head


def read_checkpoint(body: bytes, spki: bytes, origin: str) -> TreeHead:
    """A checkpoint of one signature, with it checked (static-ct-api, "Checkpoints")."""
    name, size, root, blank, line, end = body.decode().split("\n")
    dash, signer, encoded = line.split(" ")
    assert (name, signer, dash, blank, end) == (origin, origin, "\u2014", "", "")
    signature = b64decode(encoded)
    log_id = sha256(spki).digest()
    assert signature[:4] == sha256(origin.encode() + b"\n\x05" + log_id).digest()[:4]
    head = TreeHead(int(size), b64decode(root), int.from_bytes(signature[4:12], "big"))
    _check_head(head, spki, signature[12:])
    return head


def _check_head(head: TreeHead, spki: bytes, signature: bytes) -> None:
    message = b"\x00\x01" + head.timestamp.to_bytes(8, "big") + head.size.to_bytes(8, "big")
    check_signature(spki, message + head.root, signature)


def read_entries(body: bytes) -> list[bytes]:
    """The leaves in an answer to get-entries."""
    return [b64decode(each["leaf_input"]) for each in json.loads(body)["entries"]]


@dataclass(frozen=True)
class TileEntry:
    """One entry of a data tile."""

    leaf: bytes
    precertificate: bytes | None
    fingerprints: list[bytes]


def read_tile(data: bytes) -> list[TileEntry]:
    """The entries of a data tile (static-ct-api, "Log Entries")."""
    entries = []
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    while at < len(data):
        start = at
        take(8)
        precert = take(2) == b"\x00\x01"
        if precert:
            take(32)
        take(int.from_bytes(take(3), "big"))
        take(int.from_bytes(take(2), "big"))
        timestamped = data[start:at]
        precertificate = take(int.from_bytes(take(3), "big")) if precert else None
        prints = take(int.from_bytes(take(2), "big"))
        entries.append(
            TileEntry(
                b"\x00\x00" + timestamped,
                precertificate,
                [prints[i : i + 32] for i in range(0, len(prints), 32)],
            )
        )
    return entries


@dataclass(frozen=True)
class SCT:
    """A signed certificate timestamp (RFC 6962 section 3.2)."""

    log_id: bytes
    timestamp: int
    extensions: bytes
    signature: bytes

    @property
    def leaf_index(self) -> int | None:
        """The number of the entry (static-ct-api, "SCT Extension")."""
        if not self.extensions:
            return None
        assert self.extensions[:3] == b"\x00\x00\x05"
        return int.from_bytes(self.extensions[3:], "big")

    def check(self, spki: bytes, signed_entry: bytes, entry_type: int) -> None:
        """The signature over `signed_entry`, an ASN.1Cert or a PreCert."""
        message = b"\x00\x00" + self.timestamp.to_bytes(8, "big") + bytes([0, entry_type])
        extensions = len(self.extensions).to_bytes(2, "big") + self.extensions
        check_signature(spki, message + signed_entry + extensions, self.signature)


def read_sct(data: bytes) -> SCT:
    """A serialized SCT."""
    assert data[0] == 0
    end = 43 + int.from_bytes(data[41:43], "big")
    return SCT(data[1:33], int.from_bytes(data[33:41], "big"), data[43:end], data[end:])


def sct_from_json(body: bytes) -> SCT:
    """The answer to add-chain (RFC 6962 section 4.1)."""
    fields = json.loads(body)
    assert fields["sct_version"] == 0
    return SCT(
        b64decode(fields["id"]),
        fields["timestamp"],
        b64decode(fields["extensions"]),
        b64decode(fields["signature"]),
    )


def vector(data: bytes, size: int) -> bytes:
    """`data` behind its length."""
    return len(data).to_bytes(size, "big") + data


def tile_path(index: int) -> str:
    """A tile's number as its path has it (tlog-tiles)."""
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03d}")
    return "/".join(parts)

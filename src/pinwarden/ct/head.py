"""Signed tree heads: what a log promises about its size and root.

Both forms of one signed statement: the answer to get-sth (RFC 6962 section 4.3)
and the checkpoint of a static log (static-ct-api, "Checkpoints"). The signature
covers size, root and time, and *not* who the log is: that is the key's to say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import sha256
from typing import Literal, NewType

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pinwarden.ct.merkle import HASH_SIZE, RootHash
from pinwarden.ct.note import (
    CheckpointBody,
    Note,
    NoteSignature,
    encode_checkpoint_body,
    encode_note,
    key_id,
    parse_checkpoint_body,
    parse_note,
)
from pinwarden.ct.wire import Reader, decode_base64, encode_base64, parse_timestamp, uint, vector
from pinwarden.errors import BadSignatureError, MalformedError, quoted

LogID = NewType("LogID", bytes)

_TREE_HEAD_SIGNATURE = 0x05  # signature type of C2SP signed-note
_V1 = b"\x00"
_TREE_HASH = b"\x01"
_SHA256 = 4  # HashAlgorithm of RFC 5246 section 7.4.1.4.1
_MIN_RSA_BITS = 2048
_HASH, _PKCS1 = SHA256(), padding.PKCS1v15()
_ECDSA = ec.ECDSA(_HASH)
# Half of the uint64 of RFC 6962 section 3.5; the 40 bits of leaf_index (static-ct-api).
_MOST_ENTRIES = {"sth": 1 << 63, "checkpoint": 1 << 40}


class SignatureAlgorithm(IntEnum):
    """What a log may sign with (RFC 6962 section 2.1.4, RFC 5246 section 7.4.1.4.1)."""

    RSA = 1
    ECDSA = 3


class LogKey:
    """The public key of a log: ECDSA on P-256, or RSA of 2048 bits or more (RFC 6962 2.1.4)."""

    __slots__ = ("_key", "algorithm", "der", "log_id")

    def __init__(self, der: bytes) -> None:
        try:
            key = load_der_public_key(der)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MalformedError("log key is not a public key in DER") from error
        self._key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            self._key = key
            self.algorithm = SignatureAlgorithm.ECDSA
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
            self._key = key
            self.algorithm = SignatureAlgorithm.RSA
        else:
            raise MalformedError("log key is neither ECDSA P-256 nor RSA of 2048 bits or more")
        self.der = der
        self.log_id = LogID(sha256(der).digest())

    def verify(self, message: bytes, signature: bytes) -> None:
        """Checks a digitally-signed struct (RFC 5246 section 4.7); raises `BadSignatureError`."""
        if len(signature) < 4 or len(signature) - 4 != int.from_bytes(signature[2:4], "big"):
            raise BadSignatureError("log signature is malformed: it is not as long as it says")
        algorithms = signature[0], signature[1]
        if algorithms != (_SHA256, self.algorithm):
            raise BadSignatureError(
                f"log signature is of kind {algorithms}, not {(_SHA256, int(self.algorithm))}"
            )
        value = signature[4:]
        try:
            if isinstance(self._key, rsa.RSAPublicKey):
                self._key.verify(value, message, _PKCS1, _HASH)
            else:
                self._key.verify(value, message, _ECDSA)
        except InvalidSignature as error:
            raise BadSignatureError("log signature does not verify") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A tree head as a log signed it; `raw` is the evidence, exactly as received.

    `signature` is the digitally-signed struct. Nothing in here is to be believed
    before `verify_head`.
    """

    size: int
    root: RootHash
    timestamp: datetime
    timestamp_ms: int
    signature: bytes
    raw: bytes
    source: Literal["sth", "checkpoint"]


class _STH(msgspec.Struct):
    tree_size: int
    timestamp: int
    sha256_root_hash: str
    tree_head_signature: str


def parse_sth(raw: bytes) -> Head:
    """The answer to get-sth (RFC 6962 section 4.3); raises `MalformedError`."""
    try:
        sth = msgspec.json.decode(raw, type=_STH)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedError(f"tree head is not the JSON of get-sth: {error}") from error
    return _head(
        size=sth.tree_size,
        root=decode_base64(sth.sha256_root_hash, "root of a tree head"),
        timestamp_ms=sth.timestamp,
        signature=decode_base64(sth.tree_head_signature, "signature of a tree head"),
        raw=raw,
        source="sth",
    )


def parse_checkpoint(raw: bytes, origin: str, log_id: LogID) -> Head:
    """The checkpoint of a static log (static-ct-api, "Checkpoints").

    Takes the one signature by the name `origin` and the key of `log_id`, and
    ignores all by unknown keys, such as those of witnesses. Raises
    `MalformedError`, also if the checkpoint is another log's.
    """
    note = parse_note(raw)
    body = parse_checkpoint_body(note.text)
    if body.origin != origin:
        raise MalformedError(
            f"checkpoint is of the log {quoted(body.origin)}, not of {quoted(origin)}"
        )
    if body.extensions:
        raise MalformedError(f"checkpoint of {quoted(origin)} has extension lines")
    known = (origin, checkpoint_key_id(origin, log_id))
    ours = [one.signature for one in note.signatures if (one.name, one.key_id) == known]
    if len(ours) != 1:
        # Two by one key would be two times for one head: which of them was promised?
        raise MalformedError(
            f"checkpoint of {quoted(origin)} has {len(ours)} signatures by the log's key"
        )
    reader = Reader(ours[0], "signature of a checkpoint")
    timestamp_ms = reader.u64()
    return _head(
        size=body.size,
        root=body.root,
        timestamp_ms=timestamp_ms,
        signature=reader.take(reader.remaining),
        raw=raw,
        source="checkpoint",
    )


def _head(
    *,
    size: int,
    root: bytes,
    timestamp_ms: int,
    signature: bytes,
    raw: bytes,
    source: Literal["sth", "checkpoint"],
) -> Head:
    if not 0 <= size < _MOST_ENTRIES[source]:
        # No log is near it. Taken for true, it would be a number that nothing can hold.
        raise MalformedError(f"tree head is of {size} entries")
    if len(root) != HASH_SIZE:
        raise MalformedError(f"root of a tree head has {len(root)} bytes")
    if timestamp_ms < 0:
        raise MalformedError("tree head is older than 1970")
    return Head(
        size=size,
        root=RootHash(root),
        timestamp=parse_timestamp(timestamp_ms, "timestamp of a tree head"),
        timestamp_ms=timestamp_ms,
        signature=signature,
        raw=raw,
        source=source,
    )


def checkpoint_key_id(origin: str, log_id: LogID) -> bytes:
    """The key ID of a log's own signature line (static-ct-api, "Checkpoints")."""
    return key_id(origin, _TREE_HEAD_SIGNATURE, log_id)


def tree_head_input(size: int, root: RootHash, timestamp_ms: int) -> bytes:
    """The 50 bytes that a log signs (RFC 6962 section 3.5)."""
    return _V1 + _TREE_HASH + uint(timestamp_ms, 8) + uint(size, 8) + root


def signed_input(head: Head) -> bytes:
    """The 50 bytes that the signature of `head` covers."""
    return tree_head_input(head.size, head.root, head.timestamp_ms)


def verify_head(head: Head, key: LogKey) -> None:
    """Checks that the log with this key signed the head; raises `BadSignatureError`."""
    try:
        key.verify(signed_input(head), head.signature)
    except BadSignatureError as error:
        raise BadSignatureError(f"tree head of {head.size} entries: {error}") from error


def encode_digitally_signed(algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """A digitally-signed struct with SHA-256, what `LogKey.verify` takes."""
    return bytes((_SHA256, algorithm)) + vector(signature, 2)


def encode_sth_json(size: int, root: RootHash, timestamp_ms: int, signature: bytes) -> bytes:
    """The answer to get-sth; `signature` is a digitally-signed struct."""
    return json.dumps(
        {
            "tree_size": size,
            "timestamp": timestamp_ms,
            "sha256_root_hash": encode_base64(root),
            "tree_head_signature": encode_base64(signature),
        }
    ).encode()


def encode_checkpoint(
    origin: str, size: int, root: RootHash, timestamp_ms: int, signature: bytes, log_id: LogID
) -> bytes:
    """The checkpoint of a static log; `signature` is a digitally-signed struct."""
    line = NoteSignature(
        origin, checkpoint_key_id(origin, log_id), uint(timestamp_ms, 8) + signature
    )
    text = encode_checkpoint_body(CheckpointBody(origin, size, root))
    return encode_note(Note(text, (line,)))

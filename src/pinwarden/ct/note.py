"""Signed notes and the body of a checkpoint (C2SP signed-note and tlog-checkpoint).

Syntax only: which signature counts, and whether it is right, is decided by
whoever knows the key (`head.py` for logs).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pinwarden.ct.merkle import HASH_SIZE, RootHash
from pinwarden.ct.wire import decode_base64, encode_base64
from pinwarden.errors import MalformedError

# Sixteen signatures must be accepted, and post-quantum ones have nearly 5 kB each.
MAX_NOTE_SIZE = 1 << 18

_SIGNATURE_LINE = "\u2014 "
_KEY_ID_SIZE = 4


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who signed, with which key, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note: the text that is signed, with its last newline, and its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class CheckpointBody:
    """What a checkpoint says about a tree; unsigned until a signature was verified."""

    origin: str
    size: int
    root: RootHash
    extensions: tuple[str, ...] = ()


def key_id(name: str, signature_type: int, key: bytes) -> bytes:
    """The four bytes that name a key in a signature line (C2SP signed-note, "Signatures")."""
    return sha256(name.encode() + b"\n" + bytes((signature_type,)) + key).digest()[:_KEY_ID_SIZE]


def parse_note(raw: bytes) -> Note:
    """A signed note; raises `MalformedError`."""
    if len(raw) > MAX_NOTE_SIZE:
        raise MalformedError(f"signed note of {len(raw)} bytes is too long")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("signed note is not UTF-8") from error
    if any(character < " " and character != "\n" for character in whole):
        raise MalformedError("signed note has a control character")
    text, blank, lines = whole.rpartition("\n\n")
    if not (blank and text and lines.endswith("\n")):
        raise MalformedError("signed note has no signature lines")
    signatures = tuple(_parse_signature(line) for line in lines[:-1].split("\n"))
    return Note(text + "\n", signatures)


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_LINE).partition(" ")
    if not line.startswith(_SIGNATURE_LINE) or not is_key_name(name):
        raise MalformedError("signed note has a line that is no signature after its text")
    data = decode_base64(encoded, "signature of a signed note")
    if len(data) <= _KEY_ID_SIZE:
        raise MalformedError("signature of a signed note is too short")
    return NoteSignature(name, data[:_KEY_ID_SIZE], data[_KEY_ID_SIZE:])


def is_key_name(name: str) -> bool:
    """Whether this may be the name of a key (C2SP signed-note, "Format")."""
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def encode_note(note: Note) -> bytes:
    """The inverse of `parse_note`."""
    lines = [
        f"{_SIGNATURE_LINE}{one.name} {encode_base64(one.key_id + one.signature)}\n"
        for one in note.signatures
    ]
    return (note.text + "\n" + "".join(lines)).encode()


def parse_checkpoint_body(text: str) -> CheckpointBody:
    """The text of a checkpoint (C2SP tlog-checkpoint); raises `MalformedError`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedError("checkpoint has fewer than three lines")
    origin, size, root, *extensions = lines
    if not origin or not all(extensions):
        raise MalformedError("checkpoint has an empty line")
    decoded = decode_base64(root, "root of a checkpoint")
    if len(decoded) != HASH_SIZE:
        raise MalformedError(f"root of a checkpoint has {len(decoded)} bytes")
    return CheckpointBody(origin, _parse_size(size), RootHash(decoded), tuple(extensions))


def _parse_size(text: str) -> int:
    # ASCII digits without leading zeroes; 20 of them are enough for a uint64.
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise MalformedError("size of a checkpoint is not a decimal number")
    size = int(text)
    if str(size) != text or size >> 64:
        raise MalformedError("size of a checkpoint is not a decimal 64-bit number")
    return size


def encode_checkpoint_body(body: CheckpointBody) -> str:
    """The inverse of `parse_checkpoint_body`."""
    lines = (body.origin, str(body.size), encode_base64(body.root), *body.extensions)
    return "".join(f"{line}\n" for line in lines)

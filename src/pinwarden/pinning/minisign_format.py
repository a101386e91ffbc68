"""What minisign's keys and signatures have in common: their lines, octets and comments."""

from __future__ import annotations

import base64
import binascii
import hashlib

from pinwarden.errors import MalformedError, quoted

__all__ = [
    "ID_OCTETS",
    "KEY_ALGORITHM",
    "KEY_OCTETS",
    "TRUSTED",
    "UNTRUSTED",
    "decode",
    "digest_of",
    "lines_of",
    "one_line",
    "over_comment",
]

UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
KEY_ALGORITHM = b"Ed"
ID_OCTETS, KEY_OCTETS = 8, 32
_LONGEST = 16_384
_LONGEST_COMMENT = 1000


def over_comment(signature: bytes, comment: str) -> bytes:
    """The octets that bind a trusted comment to a signature."""
    return signature + comment.encode("utf-8")


def digest_of(message: bytes) -> bytes:
    """What is signed in place of a message."""
    return hashlib.blake2b(message).digest()


def lines_of(text: str, who: str) -> list[str]:
    """The lines of a small text; its last may want its end. Raises `MalformedError`."""
    if len(text) > _LONGEST:
        raise MalformedError(f"{who}: is too long to be one")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError(f"{who}: is not Unicode text") from None
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def decode(line: str, who: str) -> bytes:
    """Base64 in its one proper spelling; raises `MalformedError` that quotes nothing."""
    try:
        data = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError(f"{who}: is not base64 where it should be") from None
    if base64.b64encode(data).decode("ascii") != line:
        raise MalformedError(f"{who}: is not base64 as encoders write it")
    return data


def one_line(comment: str) -> str:
    """A comment that can stand in a key or signature; raises `MalformedError`."""
    if len(comment.encode("utf-8", "replace")) > _LONGEST_COMMENT or not comment.isprintable():
        raise MalformedError(f"minisign comment {quoted(comment, 60)}: is not one short line")
    return comment

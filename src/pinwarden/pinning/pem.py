"""The blocks of a PEM file (RFC 7468): labels, and the octets between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pinwarden.errors import MalformedError, quoted

__all__ = ["PEM_BEGIN", "PemBlock", "pem_blocks", "pem_text"]

PEM_BEGIN = b"-----BEGIN "
_END = b"-----END "
_DASHES = b"-----"
_LONGEST_LABEL = 64
_MOST_BLOCKS = 1000
_COLUMNS = 64


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block; `number` counts from 1, as people count."""

    label: str
    data: bytes
    number: int

    @property
    def name(self) -> str:
        """The block in an error message."""
        return f"block {self.number} ({self.label})"


def pem_blocks(text: bytes) -> list[PemBlock]:
    """Every block in a text, of which at most 1000 are taken; text around them is not read.

    Raises `MalformedError` for a block that does not end, that holds anything but
    base64, or that is encrypted in the way that was usual before PKCS#8 (RFC 1421).
    """
    blocks = list(islice(_blocks(text), _MOST_BLOCKS + 1))
    if len(blocks) > _MOST_BLOCKS:
        raise MalformedError(f"file: holds more than {_MOST_BLOCKS} PEM blocks")
    return blocks


def _blocks(text: bytes) -> Iterator[PemBlock]:
    label, lines, number = "", list[bytes](), 0
    for line in text.splitlines():
        line = line.strip(b" \t\xef\xbb\xbf")
        if line.startswith(PEM_BEGIN) and line.endswith(_DASHES):
            if label:
                raise MalformedError(f"block {number} ({label}): does not end before the next")
            number += 1
            label, lines = _label(line[len(PEM_BEGIN) : -len(_DASHES)], number), []
        elif label and line.startswith(_END) and line.endswith(_DASHES):
            ended = _label(line[len(_END) : -len(_DASHES)], number)
            if ended != label:
                raise MalformedError(f"block {number} ({label}): ends as {quoted(ended)}")
            yield PemBlock(label, _decoded(lines, f"block {number} ({label})"), number)
            label = ""
        elif label:
            lines.append(line)
    if label:
        raise MalformedError(f"block {number} ({label}): does not end")


def _label(raw: bytes, number: int) -> str:
    label = raw.decode("ascii", "replace")
    if not 0 < len(label) <= _LONGEST_LABEL or not all(c.isalnum() or c in " #-" for c in label):
        raise MalformedError(f"block {number}: {quoted(label, 80)} is no PEM label")
    return label


def _decoded(lines: list[bytes], who: str) -> bytes:
    if any(line.startswith(b"Proc-Type:") for line in lines):
        raise MalformedError(
            f"{who}: is encrypted in the way of old",
            hint="write it as PKCS#8: openssl pkcs8 -topk8 -in FILE -out NEW-FILE",
        )
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError(f"{who}: is not base64") from None


def pem_text(label: str, data: bytes) -> str:
    """One block in PEM, in lines of 64 characters, with a newline at its end."""
    text = base64.b64encode(data).decode("ascii")
    lines = (text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS))
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))

"""The keys of a TLS 1.3 handshake (RFC 8446 section 7.1), and records under them (5.2).

Used to read what a server says after its ServerHello. It says nothing about who said it:
that the server has the certificate's key is proven later, to whom it concerns.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from pinwarden.ct.wire import uint, vector
from pinwarden.errors import MalformedError
from pinwarden.net.hello.records import ContentType, encode_record

__all__ = ["SUITES", "Suite", "Traffic", "handshake_traffic"]

_NONCE = 12


class _AEAD(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite of TLS 1.3: its hash, and its cipher with the size of the key."""

    hash: str
    key_size: int
    aead: Callable[[bytes], _AEAD]

    def digest(self, data: bytes) -> bytes:
        """The hash of this data."""
        return hashlib.new(self.hash, data).digest()


# RFC 8446 appendix B.4. The suites with AES-CCM are on no server's list by default.
SUITES = {
    0x1301: Suite("sha256", 16, AESGCM),
    0x1302: Suite("sha384", 32, AESGCM),
    0x1303: Suite("sha256", 32, ChaCha20Poly1305),
}


class Traffic:
    """The records of one direction."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self._aead = suite.aead(_expand(suite, secret, "key", b"", suite.key_size))
        self._iv = int.from_bytes(_expand(suite, secret, "iv", b"", _NONCE), "big")
        self._count = 0

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes]:
        """Content type and contents of an encrypted record; raises `MalformedError`."""
        try:
            inner = self._aead.decrypt(self._nonce(), body, header).rstrip(b"\0")
        except (InvalidTag, ValueError):
            raise MalformedError("a record cannot be decrypted") from None
        if not inner:
            raise MalformedError("an encrypted record has no type")
        return inner[-1], inner[:-1]

    def seal(self, kind: ContentType, body: bytes) -> bytes:
        """An encrypted record."""
        inner = body + bytes([kind])
        size = len(inner) + 16
        header = encode_record(ContentType.APPLICATION_DATA, bytes(size))[:5]
        return header + self._aead.encrypt(self._nonce(), inner, header)

    def _nonce(self) -> bytes:
        nonce = (self._iv ^ self._count).to_bytes(_NONCE, "big")
        self._count += 1
        return nonce


def handshake_traffic(suite: Suite, shared: bytes, transcript: bytes) -> tuple[Traffic, Traffic]:
    """What the client and what the server encrypts with after the ServerHello.

    `transcript` is the hash of the messages so far.
    """
    secret = hmac.digest(_before_the_handshake(suite), shared, suite.hash)
    client, server = (
        Traffic(suite, _expand(suite, secret, label, transcript, len(transcript)))
        for label in ("c hs traffic", "s hs traffic")
    )
    return client, server


@cache
def _before_the_handshake(suite: Suite) -> bytes:
    """Derive-Secret(Early Secret, "derived", ""), without any PSK."""
    zeros = bytes(len(suite.digest(b"")))
    early = hmac.digest(zeros, zeros, suite.hash)
    return _expand(suite, early, "derived", suite.digest(b""), len(zeros))


def _expand(suite: Suite, secret: bytes, label: str, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label, for no more than one block of the hash."""
    info = uint(size, 2) + vector(b"tls13 " + label.encode(), 1) + vector(context, 1)
    return hmac.digest(secret, info + b"\x01", suite.hash)[:size]

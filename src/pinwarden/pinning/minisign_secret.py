"""Secret keys in minisign's format, and signing with them.

A key file is encrypted under a passphrase with scrypt (RFC 7914), or is not, as with
`minisign -G -W`. Randomness comes in from outside, as everything does on this floor.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

from pinwarden.errors import MalformedError, VerificationError
from pinwarden.pinning.minisign import PublicKey, Signature
from pinwarden.pinning.minisign_format import (
    ID_OCTETS,
    KEY_ALGORITHM,
    KEY_OCTETS,
    UNTRUSTED,
    decode,
    digest_of,
    lines_of,
    one_line,
    over_comment,
)

__all__ = [
    "SALT_OCTETS",
    "SEED_OCTETS",
    "Cost",
    "SealedKey",
    "SecretKey",
    "WrongPassphraseError",
    "parse_secret_key",
]

SEED_OCTETS, SALT_OCTETS = 32, 32
_SCRYPT, _PLAIN, _BLAKE2B = b"Sc", b"\0\0", b"B2"
_SECRET_OCTETS = ID_OCTETS + 2 * KEY_OCTETS + 32
_FILE_OCTETS = 2 + 2 + 2 + SALT_OCTETS + 8 + 8 + _SECRET_OCTETS
_BLOCK = 8
# The most memory that a key file may make us use, minisign's own setting.
_MOST_MEMORY = 1 << 30
_MOST_PARALLEL = 64


class WrongPassphraseError(VerificationError):
    """The passphrase does not open the key file."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How much work a guess at the passphrase is, in libsodium's terms: operations, octets."""

    operations: int
    memory: int

    @property
    def scrypt(self) -> tuple[int, int, int]:
        """N, r and p as libsodium derives them; raises `MalformedError` for what is absurd."""
        operations = max(self.operations, 1 << 15)
        if not 0 < self.memory <= _MOST_MEMORY or operations >> 40:
            raise MalformedError("minisign secret key: asks for more memory than any key should")
        tight = operations < self.memory // 32
        most = operations // (_BLOCK * 4) if tight else self.memory // (_BLOCK * 128)
        exponent = 1
        while 1 << exponent <= most // 2:
            exponent += 1
        parallel = 1 if tight else min((operations // 4) >> exponent, 0x3FFFFFFF) // _BLOCK
        if not 0 < parallel <= _MOST_PARALLEL:
            raise MalformedError("minisign secret key: asks for more work than any key should")
        return 1 << exponent, _BLOCK, parallel


# minisign's own: a gigabyte and some seconds for each guess.
USUAL_COST = Cost(1 << 25, 1 << 30)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """An Ed25519 key to sign with (RFC 8032): the 8 octets that name it, and a seed of 32."""

    key_id: bytes
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key_id) != ID_OCTETS or len(self.seed) != SEED_OCTETS:
            raise MalformedError("minisign secret key: has not the length of one")

    @property
    def public(self) -> PublicKey:
        """The key that verifies."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return PublicKey(self.key_id, key.public_bytes_raw())

    def sign(self, message: bytes, *, trusted_comment: str = "") -> Signature:
        """A signature over the message, and over the comment with it.

        Raises `MalformedError` if the comment is not one printable line.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        comment = one_line(trusted_comment)
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        signature = key.sign(digest_of(message))
        return Signature(
            key_id=self.key_id,
            octets=signature,
            trusted_comment=comment,
            comment_signature=key.sign(over_comment(signature, comment)),
            untrusted_comment=f"signature by key {self.public.shown_id}",
        )

    def file_text(self, passphrase: str | None, *, salt: bytes, cost: Cost = USUAL_COST) -> str:
        """A secret key file that minisign reads; None leaves it without a passphrase.

        `salt` is 32 octets by chance, never used before.
        """
        if len(salt) != SALT_OCTETS:
            raise MalformedError("minisign secret key: its salt has not 32 octets")
        pair = self.key_id + self.seed + self.public.octets
        if passphrase is None:
            head = KEY_ALGORITHM + _PLAIN + _BLAKE2B + bytes(SALT_OCTETS + 16)
            body = pair + bytes(32)
            kind = "unencrypted"
        else:
            numbers = cost.operations.to_bytes(8, "little") + cost.memory.to_bytes(8, "little")
            head = KEY_ALGORITHM + _SCRYPT + _BLAKE2B + salt + numbers
            body = _masked(pair + _checksum(pair), passphrase, salt, cost)
            kind = "encrypted"
        line = base64.b64encode(head + body).decode("ascii")
        return f"{UNTRUSTED}minisign {kind} secret key {self.public.shown_id}\n{line}\n"

    @classmethod
    def of_pair(cls, pair: bytes) -> Self:
        """From what a key file holds; raises `MalformedError` if its halves do not belong."""
        key = cls(pair[:ID_OCTETS], pair[ID_OCTETS : ID_OCTETS + SEED_OCTETS])
        if key.public.octets != pair[ID_OCTETS + SEED_OCTETS :]:
            raise MalformedError("minisign secret key: its public half is of another key")
        return key


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A secret key file as read: `open` gives the key."""

    encrypted: bool
    _salt: bytes = field(repr=False)
    _cost: Cost
    _body: bytes = field(repr=False)

    def open(self, passphrase: str | None = None) -> SecretKey:
        """The key; raises `WrongPassphraseError`, or `MalformedError` if it is damaged.

        A file that is not encrypted takes no passphrase, and needs none.
        """
        if not self.encrypted:
            return SecretKey.of_pair(self._body[:-32])
        if passphrase is None:
            raise WrongPassphraseError("minisign secret key: needs its passphrase")
        body = _masked(self._body, passphrase, self._salt, self._cost)
        pair, checksum = body[:-32], body[-32:]
        if not hmac.compare_digest(checksum, _checksum(pair)):
            raise WrongPassphraseError("minisign secret key: this is not its passphrase")
        return SecretKey.of_pair(pair)


def parse_secret_key(text: str) -> SealedKey:
    """A secret key file. Raises `MalformedError`, which never quotes what it read."""
    lines = lines_of(text, "minisign secret key")
    if len(lines) != 2 or not lines[0].startswith(UNTRUSTED):
        raise MalformedError(
            "minisign secret key: has not the two lines of one",
            hint="`pinwarden pin sign --new-key NAME` or `minisign -G` makes one",
        )
    data = decode(lines[1], "minisign secret key")
    kdf = data[2:4]
    if (
        len(data) != _FILE_OCTETS
        or data[:2] != KEY_ALGORITHM
        or kdf not in (_SCRYPT, _PLAIN)
        or data[4:6] != _BLAKE2B
    ):
        raise MalformedError("minisign secret key: is of a kind that is not known")
    salt, rest = data[6 : 6 + SALT_OCTETS], data[6 + SALT_OCTETS :]
    cost = Cost(int.from_bytes(rest[:8], "little"), int.from_bytes(rest[8:16], "little"))
    if kdf == _SCRYPT:
        _ = cost.scrypt
    return SealedKey(kdf == _SCRYPT, salt, cost, rest[16:])


def _checksum(pair: bytes) -> bytes:
    return hashlib.blake2b(KEY_ALGORITHM + pair, digest_size=32).digest()


def _masked(data: bytes, passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """The data under the stream that scrypt makes of the passphrase, either way."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    n, r, p = cost.scrypt
    try:
        stream = Scrypt(salt=salt, length=len(data), n=n, r=r, p=p).derive(
            passphrase.encode("utf-8")
        )
    except MemoryError:
        raise MalformedError(
            f"minisign secret key: opening it takes {cost.memory >> 20} MiB of memory, which "
            "is not there"
        ) from None
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))

"""Public keys and signatures in minisign's format, so that anybody's minisign verifies them.

Ed25519 (RFC 8032) over the BLAKE2b-512 (RFC 7693) of the message, algorithm `ED`. The
older kind `Ed`, over the message itself, is refused: the algorithm is not signed, so a
signature of that kind over 64 octets that somebody slipped to a signer could be passed
off as one over whatever text has these octets for its hash.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from pinwarden.errors import BadSignatureError, MalformedError, quoted
from pinwarden.pinning.minisign_format import (
    ID_OCTETS,
    KEY_ALGORITHM,
    KEY_OCTETS,
    TRUSTED,
    UNTRUSTED,
    decode,
    digest_of,
    lines_of,
    over_comment,
)

__all__ = ["PublicKey", "Signature", "parse_public_key", "parse_signature"]

_PREHASHED = b"ED"
_SIGNATURE_OCTETS = 64
# What minisign reads of the first and the third line of a signature.
_LONGEST_UNTRUSTED, _LONGEST_TRUSTED = 1024, 8192
_PRIME = 2**255 - 19
# The y coordinates of the points of small order (RFC 8032 section 5.1): under such a key
# signatures verify that nobody made.
_WEAK = frozenset(
    {
        *(0, 1, _PRIME - 1, _PRIME, _PRIME + 1),
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    }
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A signer's public key: 32 octets, and the 8 by which signatures name it.

    The name is chosen by whoever made the key, so that two keys may have one: only
    `octets` tell keys apart.
    """

    key_id: bytes
    octets: bytes

    def __post_init__(self) -> None:
        if len(self.key_id) != ID_OCTETS or len(self.octets) != KEY_OCTETS:
            raise MalformedError("minisign key: has not the length of one")
        if int.from_bytes(self.octets, "little") & (2**255 - 1) in _WEAK:
            raise MalformedError("minisign key: is one under which anybody can sign")

    @property
    def text(self) -> str:
        """The one line that `minisign -P` takes."""
        return base64.b64encode(KEY_ALGORITHM + self.key_id + self.octets).decode("ascii")

    @property
    def file_text(self) -> str:
        """A public key file as minisign writes it: an untrusted comment, and `text`."""
        return f"{UNTRUSTED}minisign public key {self.shown_id}\n{self.text}\n"

    @property
    def shown_id(self) -> str:
        """The name as minisign prints it."""
        return _shown_id(self.key_id)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature: by which key it says it is made, and what its signer noted.

    `trusted_comment` is signed with it; `untrusted_comment` is not, and proves nothing.
    """

    key_id: bytes
    octets: bytes
    trusted_comment: str
    comment_signature: bytes
    untrusted_comment: str = "signature"

    @property
    def text(self) -> str:
        """A signature file, as minisign writes it."""
        line = base64.b64encode(_PREHASHED + self.key_id + self.octets).decode("ascii")
        last = base64.b64encode(self.comment_signature).decode("ascii")
        first, third = UNTRUSTED + self.untrusted_comment, TRUSTED + self.trusted_comment
        return f"{first}\n{line}\n{third}\n{last}\n"

    @property
    def shown_id(self) -> str:
        """The name of the key as minisign prints it."""
        return _shown_id(self.key_id)

    def verify(self, message: bytes, key: PublicKey) -> None:
        """Raises `BadSignatureError` unless that key signed the message and the comment."""
        if key.key_id != self.key_id:
            raise BadSignatureError(f"minisign signature: is not by key {key.shown_id}")
        _verify(key, self.octets, digest_of(message), "is not over this text")
        _verify(key, self.comment_signature, self.over_comment, "its trusted comment was changed")

    @property
    def over_comment(self) -> bytes:
        """What the second signature is over."""
        return over_comment(self.octets, self.trusted_comment)


def _shown_id(key_id: bytes) -> str:
    """The name of a key as minisign prints it: a number, least significant octet first."""
    return f"{int.from_bytes(key_id, 'little'):016X}"


def _verify(key: PublicKey, signature: bytes, message: bytes, wrong: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.octets).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise BadSignatureError(f"minisign signature by key {key.shown_id}: {wrong}") from None


def parse_public_key(text: str) -> PublicKey:
    """A public key: the file, or its second line alone. Raises `MalformedError`."""
    lines = lines_of(text, "minisign key")
    if len(lines) == 2 and lines[0].startswith(UNTRUSTED):
        del lines[0]
    if len(lines) != 1:
        raise MalformedError(
            "minisign key: is not a public key", hint="a .pub file, or its line that begins with RW"
        )
    data = decode(lines[0], "minisign key")
    if len(data) != 2 + ID_OCTETS + KEY_OCTETS or data[:2] != KEY_ALGORITHM:
        raise MalformedError(f"minisign key {quoted(lines[0], 60)}: is not a public key")
    return PublicKey(data[2 : 2 + ID_OCTETS], data[2 + ID_OCTETS :])


def parse_signature(text: str) -> Signature:
    """A signature file. Raises `MalformedError`."""
    lines = lines_of(text, "minisign signature")
    if (
        len(lines) != 4
        or not lines[0].startswith(UNTRUSTED)
        or not lines[2].startswith(TRUSTED)
        or len(lines[0]) > _LONGEST_UNTRUSTED
        or len(lines[2]) > _LONGEST_TRUSTED
    ):
        raise MalformedError("minisign signature: has not the four lines of one")
    data = decode(lines[1], "minisign signature")
    last = decode(lines[3], "minisign signature")
    if data[:2] == KEY_ALGORITHM:
        raise MalformedError(
            "minisign signature: is of the old kind, which is not safe to take",
            hint="sign with minisign 0.10 or later, and without -l",
        )
    if (
        data[:2] != _PREHASHED
        or len(data) != 2 + ID_OCTETS + _SIGNATURE_OCTETS
        or len(last) != _SIGNATURE_OCTETS
    ):
        raise MalformedError("minisign signature: is not one of Ed25519")
    return Signature(
        key_id=data[2 : 2 + ID_OCTETS],
        octets=data[2 + ID_OCTETS :],
        trusted_comment=lines[2].removeprefix(TRUSTED),
        comment_signature=last,
        untrusted_comment=lines[0].removeprefix(UNTRUSTED),
    )

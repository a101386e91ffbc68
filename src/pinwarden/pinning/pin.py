"""One pin: the SHA-256 of a SubjectPublicKeyInfo, in the forms in which people write it.

curl writes `sha256//…`, OkHttp `sha256/…`, HPKP `pin-sha256="…"` (RFC 7469 section
2.4), others hexadecimal or the base64 alone. One key has one pin in all of them.

What can be told from its form not to be a pin is refused, because a pin that never
matches locks everybody out: wrong lengths, sloppy base64, broken hashes, the
placeholders of examples, and fingerprints of whole certificates.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pinwarden.errors import MalformedError, quoted
from pinwarden.x509.certificate import SPKIHash

__all__ = ["BadPin", "Pin", "PinError", "parse_pin"]

_HASH_OCTETS = 32
_LONGEST = 200
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}[: ]){15,}[0-9A-Fa-f]{2}")
_HPKP = re.compile(r'pin-(?P<hash>[a-z0-9]+)\s*=\s*"(?P<value>[^"]*)"', re.IGNORECASE)
_PREFIXED = re.compile(
    r"(?P<hash>(?i:md5|sha-?1|sha-?224|sha-?256|sha-?384|sha-?512))(?P<sep>//?|:|=)(?P<value>.*)"
)


class BadPin(StrEnum):
    """Why a text is no pin."""

    MALFORMED = "malformed"
    WEAK_HASH = "weak-hash"
    CERTIFICATE_HASH = "certificate-hash"
    PLACEHOLDER = "placeholder"


class PinError(MalformedError):
    """A text that is no pin; `why` says of what sort."""

    def __init__(self, message: str, why: BadPin, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.why = why


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """The SHA-256 of a SubjectPublicKeyInfo: 32 octets.

    Equal keys have equal pins, whatever certificates they stand in.
    """

    spki_sha256: SPKIHash

    def __post_init__(self) -> None:
        if len(self.spki_sha256) != _HASH_OCTETS:
            raise PinError(
                f"pin: has {len(self.spki_sha256)} octets, a SHA-256 has 32", BadPin.MALFORMED
            )

    @classmethod
    def of_spki(cls, spki: bytes) -> Self:
        """The pin of a SubjectPublicKeyInfo in DER, which is hashed as it is."""
        return cls(SPKIHash(hashlib.sha256(spki).digest()))

    @property
    def base64(self) -> str:
        """The 44 characters that Apple, Android and TrustKit want."""
        return base64.b64encode(self.spki_sha256).decode("ascii")

    @property
    def hex(self) -> str:
        """64 hexadecimal digits in lower case, as Envoy's older forms and many tools take."""
        return self.spki_sha256.hex()

    @property
    def curl(self) -> str:
        """As curl's --pinnedpubkey takes it; our own form too."""
        return f"sha256//{self.base64}"

    @property
    def okhttp(self) -> str:
        """As OkHttp's CertificatePinner takes it."""
        return f"sha256/{self.base64}"

    @property
    def hpkp(self) -> str:
        """The directive of RFC 7469 section 2.1.1."""
        return f'pin-sha256="{self.base64}"'

    def __str__(self) -> str:
        return self.curl


def parse_pin(text: str) -> Pin:
    """The pin in any of its text forms.

    Raises `PinError`, with the reason in `why`, for anything that could never
    match the key of a certificate.
    """
    shown = f"pin {quoted(text, 80)}"
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        raise PinError(f"{shown}: is too long for a pin", BadPin.MALFORMED)
    if _FINGERPRINT.fullmatch(stripped):
        raise PinError(
            f"{shown}: looks like the fingerprint of a whole certificate, which changes with "
            "every renewal",
            BadPin.CERTIFICATE_HASH,
            hint="pin the key: `pinwarden pin show` prints the pins of a certificate",
        )
    value = _value(stripped, shown)
    digest = bytes.fromhex(value) if _HEX.fullmatch(value) else _decoded(value, shown)
    if _is_placeholder(digest):
        raise PinError(
            f"{shown}: is a placeholder that no key matches",
            BadPin.PLACEHOLDER,
            hint="a backup pin is of a key that you hold: `pinwarden pin backup` makes one",
        )
    return Pin(SPKIHash(digest))


def _value(text: str, shown: str) -> str:
    """What follows the name of the hash, which must be SHA-256 if it is given."""
    found = _HPKP.fullmatch(text) or _PREFIXED.fullmatch(text)
    if found is None:
        return text
    algorithm = found["hash"].lower().replace("-", "")
    if algorithm in ("md5", "sha1"):
        raise PinError(f"{shown}: {algorithm} is broken, pins are SHA-256", BadPin.WEAK_HASH)
    if algorithm != "sha256":
        raise PinError(f"{shown}: {algorithm} is not SHA-256", BadPin.MALFORMED)
    return found["value"]


def _decoded(value: str, shown: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise PinError(f"{shown}: is not base64 or hexadecimal", BadPin.MALFORMED) from None
    if len(digest) != _HASH_OCTETS:
        if len(digest) == hashlib.sha1().digest_size:  # noqa: S324 - it is refused
            raise PinError(f"{shown}: is as long as a SHA-1, pins are SHA-256", BadPin.WEAK_HASH)
        raise PinError(f"{shown}: has {len(digest)} octets, a SHA-256 has 32", BadPin.MALFORMED)
    # Two spellings of one value would compare unequal in the programs that pins are exported to.
    if base64.b64encode(digest).decode("ascii") != value:
        raise PinError(f"{shown}: is not the base64 that encoders write", BadPin.MALFORMED)
    return digest


# Hashes that stand in documentation, and those of nothing at all.
_OF_NOTHING = frozenset(
    hashlib.sha256(nothing).digest() for nothing in (b"", b"\n", b"\0", b"test", b"backup")
)
_FEWEST_DIFFERENT = 5


def _is_placeholder(digest: bytes) -> bool:
    """Whether nobody's key can have this hash.

    The base64 of examples, such as AAAA…= or ABABAB…, uses few different characters or
    octets; 32 octets by chance have fewer than five different ones once in 10^56.
    """
    letters = set(base64.b64encode(digest).rstrip(b"=")[:-1])
    few = len(set(digest)) < _FEWEST_DIFFERENT or len(letters) < _FEWEST_DIFFERENT
    return few or digest in _OF_NOTHING

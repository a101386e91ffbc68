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
from itertools import pairwise
from typing import Self

from pinwarden.errors import MalformedError, quoted
from pinwarden.x509.certificate import SPKIHash

__all__ = ["BadPin", "Pin", "PinError", "parse_pin"]

_HASH_OCTETS, _BASE64_LETTERS = 32, 44
_LONGEST = 200
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}[: ]){15,}[0-9A-Fa-f]{2}")
_HPKP = re.compile(r'pin-(?P<hash>[a-z0-9]+)\s*=\s*"(?P<value>[^"]*)"', re.IGNORECASE)
# As `openssl x509 -fingerprint` prints it; the value is told by its colons.
_OPENSSL_FINGERPRINT = re.compile(
    r"(?P<hash>(?i:md5|sha1|sha256)) fingerprint=(?P<value>.*)", re.IGNORECASE
)
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

    @property
    def is_placeholder(self) -> bool:
        """Whether no key can have this hash: it is regular, or text, or of nothing at all.

        Of all of these tests together one hash in 10^13 fails by chance.
        """
        digest = self.spki_sha256
        letters = self.base64.encode("ascii").rstrip(b"=")[:-1]
        return (
            _is_regular(digest)
            or _is_regular(bytes(map(_SEXTETS.index, letters)))
            or all(0x20 <= octet < 0x7F for octet in digest)
            or digest in _OF_NOTHING
        )

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
    value = _value(stripped, shown)
    if _FINGERPRINT.fullmatch(value):
        raise PinError(
            f"{shown}: looks like the fingerprint of a whole certificate, which changes with "
            "every renewal",
            BadPin.CERTIFICATE_HASH,
            hint="pin the key: `pinwarden pin show` prints the pins of a certificate",
        )
    digest = bytes.fromhex(value) if _HEX.fullmatch(value) else _decoded(value, shown)
    pin = Pin(SPKIHash(digest))
    if pin.is_placeholder:
        raise _placeholder(shown)
    return pin


def _placeholder(shown: str) -> PinError:
    return PinError(
        f"{shown}: is a placeholder that no key matches",
        BadPin.PLACEHOLDER,
        hint="a backup pin is of a key that you hold: `pinwarden pin backup` makes one",
    )


def _value(text: str, shown: str) -> str:
    """What follows the name of the hash, which must be SHA-256 if it is given."""
    found = (
        _HPKP.fullmatch(text) or _OPENSSL_FINGERPRINT.fullmatch(text) or _PREFIXED.fullmatch(text)
    )
    if found is None:
        return text
    algorithm = found["hash"].lower().replace("-", "")
    if algorithm in ("md5", "sha1"):
        raise PinError(f"{shown}: {algorithm} is broken, pins are SHA-256", BadPin.WEAK_HASH)
    if algorithm != "sha256":
        raise PinError(f"{shown}: {algorithm} is not SHA-256", BadPin.MALFORMED)
    value = found["value"]
    # OkHttp's one slash before base64 that begins with another looks like curl's two.
    if found.re is _PREFIXED and found["sep"] == "//" and len(value) == _BASE64_LETTERS - 1:
        return f"/{value}"
    return value


def _decoded(value: str, shown: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        if _LEFT_TO_FILL_IN.search(value):
            raise _placeholder(shown) from None
        raise PinError(
            f"{shown}: is not base64 or hexadecimal", BadPin.MALFORMED, hint=_AS_PRINTED
        ) from None
    if len(digest) != _HASH_OCTETS:
        if len(digest) == hashlib.sha1().digest_size:  # noqa: S324 - it is refused
            raise PinError(f"{shown}: is as long as a SHA-1, pins are SHA-256", BadPin.WEAK_HASH)
        if _LEFT_TO_FILL_IN.search(value):
            raise _placeholder(shown)
        raise PinError(f"{shown}: has {len(digest)} octets, a SHA-256 has 32", BadPin.MALFORMED)
    if _TELLING.search(value) or Pin(SPKIHash(digest)).is_placeholder:
        raise _placeholder(shown)
    # Two spellings of one value would compare unequal in the programs that pins are exported to.
    if base64.b64encode(digest).decode("ascii") != value:
        raise PinError(
            f"{shown}: is not the base64 that encoders write", BadPin.MALFORMED, hint=_AS_PRINTED
        )
    return digest


_AS_PRINTED = "44 characters of standard base64, or 64 hexadecimal digits"
# What stands in documentation where a pin belongs. The longer words are looked for in base64
# too, where chance writes one of them once in a thousand million pins.
_LEFT_TO_FILL_IN = re.compile(
    r"your|here|pin|hash|todo|fixme|dummy|fake|xxx|[<>…]|\.\.\.", re.IGNORECASE
)
_TELLING = re.compile(r"replace|example|placeholder|changeme|backuppin|primarypin", re.IGNORECASE)

# The hashes of nothing at all, which a failing command before `openssl dgst` leaves.
_OF_NOTHING = frozenset(
    hashlib.sha256(nothing).digest() for nothing in (b"", b"\n", b"\0", b"test", b"backup")
)
_FEWEST_DIFFERENT = 5
_LONGEST_PERIOD = 8
_SEXTETS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _is_regular(values: bytes) -> bool:
    """Of few different values, repeating itself, or counting up or down."""
    steps = {after - before for before, after in pairwise(values)}
    return (
        len(set(values)) < _FEWEST_DIFFERENT
        or len(steps) == 1
        or any(values[each:] == values[:-each] for each in range(1, _LONGEST_PERIOD + 1))
    )

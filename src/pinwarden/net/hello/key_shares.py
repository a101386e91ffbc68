"""Key exchange in TLS 1.3 (RFC 8446 section 4.2.8): OpenSSL's groups, and our half in each."""

from __future__ import annotations

from functools import cache
from os import urandom

from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.errors import MalformedError

__all__ = ["FIRST_SHARES", "GROUPS", "P_256", "P_384", "P_521", "X448", "X25519", "KeyShares"]

X25519, P_256, P_384, P_521, X448 = 0x001D, 0x0017, 0x0018, 0x0019, 0x001E
# RFC 7919 appendix A: bits of the prime, and the number that makes it a safe one.
_FFDHE = {
    0x0100: (2048, 560_316),
    0x0101: (3072, 2_625_351),
    0x0102: (4096, 5_736_041),
    0x0103: (6144, 15_705_020),
    0x0104: (8192, 10_965_728),
}
# In the order of preference.
GROUPS = (X25519, P_256, X448, P_521, P_384, *_FFDHE)
# Those for which a key is sent at once; for another a server asks (HelloRetryRequest).
FIRST_SHARES: tuple[int, ...] = (X25519, P_256)
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    P_256: ec.SECP256R1,
    P_384: ec.SECP384R1,
    P_521: ec.SECP521R1,
}
_EXPONENT = 32


class KeyShares:
    """Our half of a key exchange in each group that it is wanted in, fresh each time."""

    def __init__(self) -> None:
        self._x25519: x25519.X25519PrivateKey | None = None
        self._x448: x448.X448PrivateKey | None = None
        self._curves: dict[int, ec.EllipticCurvePrivateKey] = {}
        self._exponents: dict[int, int] = {}

    def public(self, group: int) -> bytes:
        """Our public key as it stands in a key share; `group` is one of `GROUPS`."""
        if group == X25519:
            self._x25519 = self._x25519 or x25519.X25519PrivateKey.generate()
            return self._x25519.public_key().public_bytes_raw()
        if group == X448:
            self._x448 = self._x448 or x448.X448PrivateKey.generate()
            return self._x448.public_key().public_bytes_raw()
        if group in _FFDHE:
            if group not in self._exponents:
                self._exponents[group] = int.from_bytes(urandom(_EXPONENT), "big")
            return _power(group, 2, self._exponents[group])
        if group not in self._curves:
            self._curves[group] = ec.generate_private_key(_CURVES[group]())
        return (
            self._curves[group]
            .public_key()
            .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )

    def secret(self, group: int, theirs: bytes) -> bytes:
        """What both sides share; raises `MalformedError` for a key that is none."""
        try:
            if group == X25519 and self._x25519 is not None:
                return self._x25519.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
            if group == X448 and self._x448 is not None:
                return self._x448.exchange(x448.X448PublicKey.from_public_bytes(theirs))
            if group in self._exponents:
                return _power(group, _element(group, theirs), self._exponents[group])
            if group in self._curves:
                curve = _CURVES[group]()
                point = ec.EllipticCurvePublicKey.from_encoded_point(curve, theirs)
                return self._curves[group].exchange(ec.ECDH(), point)
        except ValueError:
            raise MalformedError("the server's key share is no public key") from None
        raise MalformedError(f"the server's key share is of group {group}, which was not offered")


def _power(group: int, base: int, exponent: int) -> bytes:
    """As long as the prime (RFC 8446 sections 4.2.8.1 and 7.4.1).

    Not in constant time: what comes of it reads a public certificate.
    """
    prime = _prime(*_FFDHE[group])
    return pow(base, exponent, prime).to_bytes(_FFDHE[group][0] // 8, "big")


def _element(group: int, theirs: bytes) -> int:
    """A server's key; raises ValueError for none, and for those of which no secret comes."""
    bits, offset = _FFDHE[group]
    number = int.from_bytes(theirs, "big")
    if len(theirs) != bits // 8 or not 1 < number < _prime(bits, offset) - 1:
        raise ValueError(group)
    return number


@cache
def _prime(bits: int, offset: int) -> int:
    """2^b - 2^(b-64) + ([2^(b-130) e] + X) 2^64 - 1, as the RFC makes it from Euler's number."""
    guard = 64
    euler, term, divisor = 0, 1 << (bits - 130 + guard), 0
    while term:
        euler += term
        divisor += 1
        term //= divisor
    return (1 << bits) - (1 << (bits - 64)) + (((euler >> guard) + offset) << 64) - 1

"""The ClientHello: it offers what OpenSSL offers, so that a server shows it the same face.

Which certificate a server has for a client may depend on cipher suites and signature
algorithms. SCTs and a stapled OCSP response are asked for, compressed certificates are not.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from pinwarden.ct.wire import uint, vector
from pinwarden.net.hello.key_shares import GROUPS
from pinwarden.net.hello.records import encode_message

__all__ = [
    "TLS_1_2",
    "TLS_1_3",
    "Extension",
    "Offer",
    "encode_client_hello",
]

TLS_1_2, TLS_1_3 = 0x0303, 0x0304
_CLIENT_HELLO = 1
# OpenSSL's list without DSA.
_SIGNATURE_ALGORITHMS = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B),
    *(0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301),
)


class Extension:
    """Numbers of TLS extensions."""

    SERVER_NAME = 0
    STATUS_REQUEST = 5
    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SIGNATURE_ALGORITHMS = 13
    SCT = 18
    EXTENDED_MASTER_SECRET = 23
    SUPPORTED_VERSIONS = 43
    COOKIE = 44
    PSK_KEY_EXCHANGE_MODES = 45
    KEY_SHARE = 51
    RENEGOTIATION_INFO = 0xFF01


@dataclass(frozen=True, slots=True)
class Offer:
    """Versions and cipher suites, the most wanted first."""

    versions: tuple[int, ...]
    suites: tuple[int, ...]

    @classmethod
    def of(cls, context: ssl.SSLContext) -> Self:
        """What a context offers, as far as TLS 1.2 and 1.3 go."""
        named = {TLS_1_3: ssl.TLSVersion.TLSv1_3, TLS_1_2: ssl.TLSVersion.TLSv1_2}
        least, most = context.minimum_version, context.maximum_version
        versions = tuple(
            number
            for number, version in named.items()
            if (least < 0 or version >= least) and (most < 0 or version <= most)
        )
        suites = tuple(int(each["id"]) & 0xFFFF for each in context.get_ciphers())
        return cls(versions, suites)


def encode_client_hello(
    offer: Offer,
    host: str,
    *,
    random: bytes,
    session: bytes,
    shares: Mapping[int, bytes],
    cookie: bytes | None = None,
) -> bytes:
    """The handshake message (RFC 8446 section 4.1.2).

    `shares` are public keys by their group; `cookie` is that of a HelloRetryRequest.
    """
    extensions = _extensions(offer, host)
    if TLS_1_3 in offer.versions:
        extensions += _extensions_13(offer, shares, cookie)
    body = (
        uint(TLS_1_2, 2)
        + random
        + vector(session, 1)
        + vector(_numbers(offer.suites), 2)
        + b"\x01\x00"
        + vector(extensions, 2)
    )
    return encode_message(_CLIENT_HELLO, body)


def _extensions(offer: Offer, host: str) -> bytes:
    asked = b""
    if not _is_address(host):
        # RFC 6066 section 3: literal addresses are not permitted there.
        asked = _extension(
            Extension.SERVER_NAME, vector(b"\0" + vector(host.encode("ascii"), 2), 2)
        )
    return asked + b"".join(
        (
            # OCSP, of any responder, without extensions (RFC 6066 section 8).
            _extension(Extension.STATUS_REQUEST, b"\x01\0\0\0\0"),
            _extension(Extension.SUPPORTED_GROUPS, vector(_numbers(GROUPS), 2)),
            _extension(Extension.EC_POINT_FORMATS, b"\x01\0"),
            _extension(Extension.SIGNATURE_ALGORITHMS, vector(_numbers(_SIGNATURE_ALGORITHMS), 2)),
            _extension(Extension.SCT, b""),
            _extension(Extension.EXTENDED_MASTER_SECRET, b""),
            _extension(Extension.RENEGOTIATION_INFO, b"\0"),
        )
    )


def _extensions_13(offer: Offer, shares: Mapping[int, bytes], cookie: bytes | None) -> bytes:
    entries = b"".join(uint(group, 2) + vector(key, 2) for group, key in shares.items())
    extensions = _extension(Extension.SUPPORTED_VERSIONS, vector(_numbers(offer.versions), 1))
    if cookie is not None:
        extensions += _extension(Extension.COOKIE, vector(cookie, 2))
    return (
        extensions
        + _extension(Extension.PSK_KEY_EXCHANGE_MODES, b"\x01\x01")
        + _extension(Extension.KEY_SHARE, vector(entries, 2))
    )


def _extension(number: int, body: bytes) -> bytes:
    return uint(number, 2) + vector(body, 2)


def _numbers(numbers: Sequence[int]) -> bytes:
    return b"".join(uint(each, 2) for each in numbers)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

"""The messages of a server's first flight, up to its certificates.

Each parser takes the body of a message, without its header, and raises `MalformedError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pinwarden.ct.wire import Reader
from pinwarden.errors import MalformedError
from pinwarden.net.hello.offer import TLS_1_2, Extension

__all__ = [
    "HandshakeType",
    "ServerHello",
    "parse_certificate_12",
    "parse_certificate_13",
    "parse_certificate_status",
    "parse_cookie",
    "parse_encrypted_extensions",
    "parse_retry_share",
    "parse_server_hello",
    "parse_server_share",
]

_OCSP = 1
_MOST_CERTIFICATES = 1000
# RFC 8446 section 4.1.3: the random of a HelloRetryRequest, SHA-256 of "HelloRetryRequest".
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class HandshakeType(IntEnum):
    """Numbers of handshake messages (RFC 5246 section 7.4, RFC 8446 section 4)."""

    HELLO_REQUEST = 0
    SERVER_HELLO = 2
    ENCRYPTED_EXTENSIONS = 8
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    CERTIFICATE_STATUS = 22
    MESSAGE_HASH = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """What a server chose; `version` is the one negotiated, in whichever field."""

    version: int
    session: bytes
    suite: int
    extensions: dict[int, bytes]
    is_retry: bool


def parse_server_hello(body: bytes) -> ServerHello:
    """ServerHello or HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4)."""
    reader = Reader(body, "ServerHello")
    version = reader.u16()
    random = reader.take(32)
    session = reader.vector(1)
    suite = reader.u16()
    if reader.u8() != 0:
        raise MalformedError("ServerHello chooses a compression")
    # RFC 5246 section 7.4.1.3: without any extension, without the field.
    extensions = _extensions(reader.vector(2), "ServerHello") if reader.remaining else {}
    reader.finish()
    if len(session) > 32:
        raise MalformedError(f"ServerHello has a session id of {len(session)} octets")
    chosen = extensions.get(Extension.SUPPORTED_VERSIONS)
    if chosen is not None:
        if version != TLS_1_2 or len(chosen) != 2:
            raise MalformedError("ServerHello chooses no one version")
        version = int.from_bytes(chosen, "big")
    return ServerHello(
        version=version,
        session=session,
        suite=suite,
        extensions=extensions,
        is_retry=chosen is not None and random == _RETRY,
    )


def parse_server_share(data: bytes) -> tuple[int, bytes]:
    """Group and public key of a KeyShareServerHello (RFC 8446 section 4.2.8)."""
    reader = Reader(data, "key share")
    group = reader.u16()
    key = reader.vector(2)
    reader.finish()
    return group, key


def parse_retry_share(data: bytes) -> int:
    """The group of a KeyShareHelloRetryRequest (RFC 8446 section 4.2.8)."""
    reader = Reader(data, "key share")
    group = reader.u16()
    reader.finish()
    return group


def parse_cookie(data: bytes) -> bytes:
    """The cookie of a HelloRetryRequest (RFC 8446 section 4.2.2)."""
    reader = Reader(data, "cookie")
    cookie = reader.vector(2)
    reader.finish()
    if not cookie:
        raise MalformedError("cookie is empty")
    return cookie


def parse_encrypted_extensions(body: bytes) -> dict[int, bytes]:
    """The extensions of EncryptedExtensions by their number (RFC 8446 section 4.3.1)."""
    reader = Reader(body, "EncryptedExtensions")
    extensions = _extensions(reader.vector(2), "EncryptedExtensions")
    reader.finish()
    return extensions


def parse_certificate_12(body: bytes) -> tuple[bytes, ...]:
    """The certificates of TLS 1.2 in DER, the leaf first (RFC 5246 section 7.4.2)."""
    reader = Reader(body, "Certificate")
    listed = Reader(reader.vector(3), "Certificate")
    reader.finish()
    found: list[bytes] = []
    while listed.remaining:
        found.append(_certificate(listed, len(found)))
    if not found:
        raise MalformedError("Certificate is empty")
    return tuple(found)


def parse_certificate_13(body: bytes) -> tuple[tuple[bytes, dict[int, bytes]], ...]:
    """The certificates of TLS 1.3, each with its extensions (RFC 8446 section 4.4.2)."""
    reader = Reader(body, "Certificate")
    if reader.vector(1):
        raise MalformedError("Certificate of a server has a context")
    listed = Reader(reader.vector(3), "Certificate")
    reader.finish()
    found: list[tuple[bytes, dict[int, bytes]]] = []
    while listed.remaining:
        certificate = _certificate(listed, len(found))
        found.append((certificate, _extensions(listed.vector(2), "Certificate")))
    if not found:
        raise MalformedError("Certificate is empty")
    return tuple(found)


def parse_certificate_status(body: bytes) -> bytes:
    """The OCSPResponse of a CertificateStatus (RFC 6066 section 8), undecoded."""
    reader = Reader(body, "CertificateStatus")
    if reader.u8() != _OCSP:
        raise MalformedError("CertificateStatus is of another type than OCSP")
    response = reader.vector(3)
    reader.finish()
    if not response:
        raise MalformedError("CertificateStatus is empty")
    return response


def _certificate(listed: Reader, before: int) -> bytes:
    if before == _MOST_CERTIFICATES:
        raise MalformedError(f"Certificate has more than {_MOST_CERTIFICATES} certificates")
    certificate = listed.vector(3)
    if not certificate:
        raise MalformedError("Certificate has an empty certificate")
    return certificate


def _extensions(data: bytes, where: str) -> dict[int, bytes]:
    reader = Reader(data, f"extensions of {where}")
    found: dict[int, bytes] = {}
    while reader.remaining:
        number = reader.u16()
        # RFC 8446 section 4.2: one of each type. Of two, clients would take different ones.
        if number in found:
            raise MalformedError(f"{where} has extension {number} twice")
        found[number] = reader.vector(2)
    return found

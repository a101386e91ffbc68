"""The server's side of a handshake up to its certificates, made by bytes and as wished."""

from __future__ import annotations

from dataclasses import dataclass

from pinwarden.net.hello.flight import FirstFlight
from pinwarden.net.hello.key_shares import X25519, KeyShares
from pinwarden.net.hello.offer import TLS_1_2, TLS_1_3, Offer
from pinwarden.net.hello.records import ContentType, encode_message, encode_record
from pinwarden.net.hello.schedule import SUITES, Traffic, handshake_traffic
from pinwarden.net.served import HandedOver

SUITE_12, SUITE_13 = 0xC02F, 0x1301
SCT, STATUS, KEY_SHARE, VERSIONS, COOKIE = 18, 5, 51, 43, 44
SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, REQUEST, STATUS_MESSAGE = 2, 8, 11, 13, 22
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
LEAF, ABOVE = b"\x30\x82leaf", b"\x30\x82above"
OFFER = Offer((TLS_1_3, TLS_1_2), (SUITE_13, 0x1302, 0x1303, SUITE_12))
SCTS, OCSP = b"some SCTs", b"some response"
ALL = HandedOver(leaf=LEAF, sct_list=SCTS, ocsp=OCSP)


def sized(data: bytes, size: int) -> bytes:
    """A vector behind its length in so many octets."""
    return len(data).to_bytes(size, "big") + data


def extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + sized(data, 2)


def status(response: bytes) -> bytes:
    """A CertificateStatus."""
    return b"\x01" + sized(response, 3)


def handshake(kind: int, body: bytes) -> bytes:
    """A message in a record of its own, in the clear."""
    return encode_record(ContentType.HANDSHAKE, encode_message(kind, body))


@dataclass(frozen=True)
class Hello:
    """A ClientHello as the server reads it."""

    message: bytes
    session: bytes
    suites: bytes
    extensions: dict[int, bytes]


def read_hello(record: bytes) -> Hello:
    message = record[5:]
    at = 4 + 2 + 32
    session = message[at + 1 : at + 1 + message[at]]
    at += 1 + len(session)
    size = int.from_bytes(message[at : at + 2], "big")
    suites = message[at + 2 : at + 2 + size]
    at += 2 + size + 2
    rest, found = message[at + 2 :], {}
    while rest:
        size = int.from_bytes(rest[2:4], "big")
        found[int.from_bytes(rest[:2], "big")] = rest[4 : 4 + size]
        rest = rest[4 + size :]
    return Hello(message, session, suites, found)


def shares_of(hello: Hello) -> dict[int, bytes]:
    """The public keys in a ClientHello by their group."""
    rest, found = hello.extensions[KEY_SHARE][2:], {}
    while rest:
        size = int.from_bytes(rest[2:4], "big")
        found[int.from_bytes(rest[:2], "big")] = rest[4 : 4 + size]
        rest = rest[4 + size :]
    return found


def hello_body(
    extensions: bytes | None,
    *,
    session: bytes = b"",
    suite: int = SUITE_12,
    random: bytes = bytes(32),
    version: int = 0x0303,
    compression: int = 0,
) -> bytes:
    """The body of a ServerHello; without extensions for None."""
    body = version.to_bytes(2, "big") + random + sized(session, 1) + suite.to_bytes(2, "big")
    return body + bytes([compression]) + (b"" if extensions is None else sized(extensions, 2))


def certificate_12(*certificates: bytes) -> bytes:
    """The body of a Certificate message of TLS 1.2."""
    return sized(b"".join(sized(each, 3) for each in certificates), 3)


def certificate_13(*entries: tuple[bytes, bytes], context: bytes = b"") -> bytes:
    """The body of a Certificate message of TLS 1.3: certificates with their extensions."""
    listed = b"".join(sized(each, 3) + sized(extensions, 2) for each, extensions in entries)
    return sized(context, 1) + sized(listed, 3)


def flight_12(*, sct_list: bytes = b"", ocsp: bytes = b"") -> bytes:
    """All that a server of TLS 1.2 says."""
    extensions = extension(SCT, sct_list) if sct_list else b""
    extensions += extension(STATUS, b"") if ocsp else b""
    said = handshake(SERVER_HELLO, hello_body(extensions))
    said += handshake(CERTIFICATE, certificate_12(LEAF, ABOVE))
    if ocsp:
        said += handshake(STATUS_MESSAGE, status(ocsp))
    return said + handshake(14, b"")


def retry(hello: Hello, group: int | None, cookie: bytes = b"", suite: int = SUITE_13) -> bytes:
    """A HelloRetryRequest, as a message."""
    extensions = extension(VERSIONS, b"\x03\x04")
    if group is not None:
        extensions += extension(KEY_SHARE, group.to_bytes(2, "big"))
    if cookie:
        extensions += extension(COOKIE, sized(cookie, 2))
    body = hello_body(extensions, session=hello.session, suite=suite, random=RETRY)
    return encode_message(SERVER_HELLO, body)


class Thirteen:
    """A server of TLS 1.3 that has read a ClientHello; `hello` is what it answers in clear."""

    def __init__(
        self,
        hello: Hello,
        *,
        suite: int = SUITE_13,
        group: int = X25519,
        before: bytes = b"",
    ) -> None:
        """`before` is the transcript up to this ClientHello, after a HelloRetryRequest."""
        keys = KeyShares()
        share = group.to_bytes(2, "big") + sized(keys.public(group), 2)
        extensions = extension(VERSIONS, b"\x03\x04") + extension(KEY_SHARE, share)
        body = hello_body(extensions, session=hello.session, suite=suite)
        message = encode_message(SERVER_HELLO, body)
        shared = keys.secret(group, shares_of(hello)[group])
        transcript = SUITES[suite].digest(before + hello.message + message)
        self.hello = encode_record(ContentType.HANDSHAKE, message)
        self.reads: Traffic
        self.traffic: Traffic
        self.reads, self.traffic = handshake_traffic(SUITES[suite], shared, transcript)

    def sealed(self, *messages: tuple[int, bytes]) -> bytes:
        """Messages in one encrypted record."""
        body = b"".join(encode_message(kind, body) for kind, body in messages)
        return self.traffic.seal(ContentType.HANDSHAKE, body)

    def padded(self, body: bytes, zeros: int, *, kind: bytes = b"\x16") -> bytes:
        """An encrypted record with zero octets after its type (RFC 8446 section 5.4)."""
        inner = body + kind + bytes(zeros)
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        return header + self.traffic._aead.encrypt(self.traffic._nonce(), inner, header)


def encrypted_13(*, sct_list: bytes = b"", ocsp: bytes = b"") -> tuple[tuple[int, bytes], ...]:
    """The messages of TLS 1.3 up to the certificates."""
    extensions = extension(SCT, sct_list) if sct_list else b""
    extensions += extension(STATUS, status(ocsp)) if ocsp else b""
    return (
        (ENCRYPTED_EXTENSIONS, sized(b"", 2)),
        (CERTIFICATE, certificate_13((LEAF, extensions), (ABOVE, b""))),
    )


def begun(offer: Offer = OFFER, host: str = "www.example.com") -> tuple[FirstFlight, Thirteen]:
    """A flight of ours, and a server of TLS 1.3 that has read its ClientHello."""
    flight = FirstFlight(host, offer)
    return flight, Thirteen(read_hello(flight.begin()))


def begun_12() -> FirstFlight:
    flight = FirstFlight("www.example.com", OFFER)
    flight.begin()
    return flight


def all_13(server: Thirteen) -> bytes:
    return server.hello + server.sealed(*encrypted_13(sct_list=SCTS, ocsp=OCSP))


def alert(level: int, number: int) -> bytes:
    return encode_record(ContentType.ALERT, bytes([level, number]))

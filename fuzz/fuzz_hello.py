"""Fuzzes the first flight of a TLS server, and the head of an answer: a value or one of our errors.

`fuzz/target.py` says how it runs.
"""

import random
from collections.abc import Callable

from target import damaged, run

from pinwarden.errors import MalformedError
from pinwarden.net.hello.flight import FirstFlight
from pinwarden.net.hello.key_shares import X25519, KeyShares
from pinwarden.net.hello.messages import (
    parse_certificate_12,
    parse_certificate_13,
    parse_certificate_status,
    parse_cookie,
    parse_encrypted_extensions,
    parse_retry_share,
    parse_server_hello,
    parse_server_share,
)
from pinwarden.net.hello.offer import TLS_1_2, TLS_1_3, Offer
from pinwarden.net.hello.records import ContentType, encode_message, encode_record
from pinwarden.net.hello.schedule import SUITES, handshake_traffic
from pinwarden.net.response import HeadFinder

_OFFER = Offer((TLS_1_3, TLS_1_2), (0x1301, 0xC02F))
_PARSERS: tuple[Callable[[bytes], object], ...] = (
    parse_certificate_12,
    parse_certificate_13,
    parse_certificate_status,
    parse_cookie,
    parse_encrypted_extensions,
    parse_retry_share,
    parse_server_hello,
    parse_server_share,
)
# A ServerHello of TLS 1.2 that promises a status and has SCTs; an entry of a certificate.
_HELLO = bytes.fromhex(
    "0303" + "00" * 32 + "00" + "c02f" + "00" + "000c" + "000500000012000401020304"
)
_LEAF = b"\0\0\x04leaf"
_CERTIFICATE_12 = b"\0\0\x07" + _LEAF
_STATUS = b"\x01\0\0\x04ocsp"
_EXTENSIONS = b"\0\x12\0\x04scts" + b"\0\x05\0\x08" + _STATUS
_ENTRY = _LEAF + len(_EXTENSIONS).to_bytes(2, "big") + _EXTENSIONS
_CERTIFICATE_13 = b"\0" + len(_ENTRY).to_bytes(3, "big") + _ENTRY
_INNER = (
    encode_message(8, b"\0\0") + encode_message(13, b"\0\0\0") + encode_message(11, _CERTIFICATE_13)
)
_OUTER = b"".join(
    encode_record(ContentType.HANDSHAKE, encode_message(kind, body))
    for kind, body in ((2, _HELLO), (11, _CERTIFICATE_12), (22, _STATUS))
)
SEEDS = (
    *(_OUTER, _INNER, _HELLO, _CERTIFICATE_12, _CERTIFICATE_13, _STATUS, _EXTENSIONS),
    b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbody",
)


def check(data: bytes) -> None:
    for parse in _PARSERS:
        one_line(lambda: parse(data))  # noqa: B023
    for said in (data, _OUTER[: 5 + 4 + len(_HELLO)] + data):
        flight = FirstFlight("www.example.com", _OFFER)
        flight.begin()
        one_line(lambda: flight.receive(said))  # noqa: B023
        assert flight.farewell()
    one_line(lambda: under_encryption(data))
    one_line(lambda: HeadFinder().feed(data))


def under_encryption(data: bytes) -> None:
    """A server of TLS 1.3 that says `data` where its certificates should come."""
    flight, keys, suite = FirstFlight("www.example.com", _OFFER), KeyShares(), SUITES[0x1301]
    hello = flight.begin()[5:]
    # Both key shares of ours are the last extension, that of X25519 the first of them.
    theirs = hello.rpartition(b"\0\x1d\0\x20")[2][:32]
    share = b"\0\x1d\0\x20" + keys.public(X25519)
    extensions = b"\0\x2b\0\x02\x03\x04" + b"\0\x33" + len(share).to_bytes(2, "big") + share
    body = b"\x03\x03" + bytes(32) + hello[38:71] + b"\x13\x01\0"
    answer = encode_message(2, body + len(extensions).to_bytes(2, "big") + extensions)
    _, traffic = handshake_traffic(suite, keys.secret(X25519, theirs), suite.digest(hello + answer))
    assert flight.receive(encode_record(ContentType.HANDSHAKE, answer)) == b""
    flight.receive(traffic.seal(ContentType.HANDSHAKE, data))


def one_line(read: Callable[[], object]) -> None:
    """Read, or say in one line why not."""
    words = ""
    try:
        read()
    except MalformedError as error:
        words = str(error)
    assert words == "" or words.isprintable(), words


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)

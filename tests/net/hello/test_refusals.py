"""First flights that are none: refused for one reason, in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.net.hello.flight import FirstFlight
from pinwarden.net.hello.key_shares import P_384, X25519, KeyShares
from pinwarden.net.hello.offer import TLS_1_2, TLS_1_3
from pinwarden.net.hello.records import ContentType, encode_message, encode_record
from support.first_flights import (
    CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    LEAF,
    OCSP,
    OFFER,
    REQUEST,
    SCT,
    SCTS,
    SERVER_HELLO,
    SUITE_13,
    VERSIONS,
    Thirteen,
    alert,
    all_13,
    begun,
    begun_12,
    certificate_12,
    certificate_13,
    encrypted_13,
    extension,
    flight_12,
    handshake,
    hello_body,
    read_hello,
    retry,
    sized,
)

FFDHE_2048 = 0x0100
HELLO_12 = handshake(SERVER_HELLO, hello_body(b""))
BAD_12 = {
    "no TLS": (b"HTTP/1.1 400 Bad Request\r\n", "is no TLS, but 'HTTP/1.1'"),
    "a fatal alert": (alert(2, 40), "alert 'handshake failure'"),
    "an unknown alert": (alert(2, 199), "alert 199"),
    "a goodbye": (alert(1, 0), "alert 'close notify'"),
    "too many warnings": (alert(1, 112) * 6, "alert 'unrecognized name'"),
    "a long alert": (encode_record(ContentType.ALERT, b"\x01\x70\x00"), "two octets"),
    "an empty record": (encode_record(ContentType.HANDSHAKE, b""), "is empty"),
    "a version of no TLS": (b"\x16\x02\x00\x00\x01\x00", "version 2.0"),
    "a long record": (b"\x16\x03\x03\xff\xff", "has 65535 octets"),
    "a long fragment": (encode_record(ContentType.HANDSHAKE, bytes(16_385)), "has 16385 octets"),
    "a long message": (
        encode_record(ContentType.HANDSHAKE, b"\x02\xff\xff\xff"),
        "message has 16777215 octets",
    ),
    "application data": (encode_record(ContentType.APPLICATION_DATA, b"x"), "application data"),
    "cipher changed": (
        HELLO_12 + encode_record(ContentType.CHANGE_CIPHER_SPEC, b"\x01"),
        "ChangeCipherSpec",
    ),
    "no hello": (handshake(CERTIFICATE, certificate_12(LEAF)), "type 11 comes before ServerHello"),
    "no certificate": (HELLO_12 + handshake(14, b""), "type 14 comes before Certificate"),
    "an empty list": (HELLO_12 + handshake(CERTIFICATE, certificate_12()), "is empty"),
    "an empty certificate": (HELLO_12 + handshake(CERTIFICATE, certificate_12(b"")), "empty"),
    "octets after the list": (
        HELLO_12 + handshake(CERTIFICATE, certificate_12(LEAF) + b"x"),
        "after its end",
    ),
    "old TLS": (handshake(SERVER_HELLO, hello_body(b"", version=0x0301)), "version 0x0301"),
    "a suite that was not offered": (
        handshake(SERVER_HELLO, hello_body(b"", suite=0x0005)),
        "cipher suite 0x0005",
    ),
    "a suite of TLS 1.3": (handshake(SERVER_HELLO, hello_body(b"", suite=SUITE_13)), "of another"),
    "compression": (handshake(SERVER_HELLO, hello_body(b"", compression=1)), "compression"),
    "a long session id": (handshake(SERVER_HELLO, hello_body(b"", session=bytes(33))), "33 octets"),
    "an extension twice": (
        handshake(SERVER_HELLO, hello_body(extension(SCT, b"") * 2)),
        "extension 18 twice",
    ),
    "half an extension": (handshake(SERVER_HELLO, hello_body(b"\x00\x12\x00")), "too early"),
    "two versions": (
        handshake(SERVER_HELLO, hello_body(extension(VERSIONS, b"\x03\x04\x03\x03"))),
        "no one version",
    ),
}


@pytest.mark.parametrize(("said", "words"), BAD_12.values(), ids=BAD_12)
def test_what_is_refused_in_the_clear(said: bytes, words: str) -> None:
    """An answer that breaks the rules comes to nothing, for one reason in one line."""
    with pytest.raises(MalformedError, match=words) as raised:
        begun_12().receive(said)
    assert str(raised.value).isprintable()


def test_too_many_records() -> None:
    """A server that sends one octet at a time for ever is left."""
    flight = begun_12()
    with pytest.raises(MalformedError, match="more than 4096 records"):
        flight.receive(handshake(0, b"") * 4097)


def test_what_is_refused_of_tls_1_3() -> None:
    """Wrong session, wrong group, plain text after the hello, a message across the change."""
    flight, server = begun()
    hello = bytearray(server.hello)
    hello[5 + 4 + 2 + 32 + 1] ^= 1
    with pytest.raises(MalformedError, match="session id"):
        flight.receive(bytes(hello))
    flight, server = begun()
    with pytest.raises(MalformedError, match="in the clear that should be encrypted"):
        flight.receive(server.hello + handshake(ENCRYPTED_EXTENSIONS, sized(b"", 2)))
    flight, server = begun()
    body = server.hello[5:] + b"\x08"
    with pytest.raises(MalformedError, match="followed by more"):
        flight.receive(encode_record(ContentType.HANDSHAKE, body))
    flight, server = begun()
    said = bytearray(all_13(server))
    said[-1] ^= 1
    with pytest.raises(MalformedError, match="cannot be decrypted"):
        flight.receive(bytes(said))


def test_keys_that_are_none() -> None:
    """A share that leads to nothing, of a group without our key, or no share at all."""
    # Points of small order (RFC 7748 section 6.1): the secret would be known to everybody.
    for point in (bytes(32), b"\x01" + bytes(31)):
        flight, server = begun()
        with pytest.raises(MalformedError, match="no public key"):
            flight.receive(server.hello[:-32] + point)
    flight = FirstFlight("www.example.com", OFFER)
    session = read_hello(flight.begin()).session
    versions = extension(VERSIONS, b"\x03\x04")
    bare = handshake(SERVER_HELLO, hello_body(versions, session=session, suite=SUITE_13))
    with pytest.raises(MalformedError, match="no key share"):
        flight.receive(bare)


@pytest.mark.parametrize(
    "element",
    [0, 1, (1 << 2048) - 1, None],
    ids=["zero", "one", "more than the prime", "short"],
)
def test_finite_field_keys_that_are_none(element: int | None) -> None:
    """RFC 7919 section 5.1: from these, everybody would know the secret."""
    keys = KeyShares()
    theirs = b"\x02" if element is None else element.to_bytes(256, "big")
    own = keys.public(FFDHE_2048)
    with pytest.raises(MalformedError, match="no public key"):
        keys.secret(FFDHE_2048, theirs)
    assert len(keys.secret(FFDHE_2048, own)) == 256


def test_retries_that_are_refused() -> None:
    """A group that was offered or is unknown, a second retry, another suite, TLS 1.2 after it."""
    for group in (X25519, 0x6399):
        flight = FirstFlight("www.example.com", OFFER)
        request = retry(read_hello(flight.begin()), group)
        with pytest.raises(MalformedError, match=f"asks for group {group}"):
            flight.receive(encode_record(ContentType.HANDSHAKE, request))
    cases = {
        "second HelloRetryRequest": lambda hello: encode_record(
            ContentType.HANDSHAKE, retry(hello, P_384)
        ),
        "another cipher suite": lambda hello: Thirteen(hello, suite=0x1302, group=P_384).hello,
        "another version": lambda hello: HELLO_12,
    }
    for words, second in cases.items():
        flight = FirstFlight("www.example.com", OFFER)
        request = retry(read_hello(flight.begin()), P_384)
        reply = flight.receive(encode_record(ContentType.HANDSHAKE, request))
        with pytest.raises(MalformedError, match=words):
            flight.receive(second(read_hello(reply[6:])))


SEALED = {
    "an alert": (ContentType.ALERT, b"\x02\x28", "alert 'handshake failure'"),
    "a warning": (ContentType.ALERT, b"\x01\x70", "alert 'unrecognized name'"),
    "application data": (ContentType.APPLICATION_DATA, b"x", "of type 23"),
    "nothing": (ContentType.HANDSHAKE, b"", "is empty"),
    "the certificates first": (
        ContentType.HANDSHAKE,
        encode_message(*encrypted_13()[1]),
        "before EncryptedExtensions",
    ),
    "two requests": (
        ContentType.HANDSHAKE,
        encode_message(*encrypted_13()[0]) + encode_message(REQUEST, b"") * 2,
        "type 13 comes before Certificate",
    ),
    "a compressed certificate": (
        ContentType.HANDSHAKE,
        encode_message(*encrypted_13()[0]) + encode_message(25, b""),
        "type 25 comes before Certificate",
    ),
    "a context": (
        ContentType.HANDSHAKE,
        encode_message(*encrypted_13()[0])
        + encode_message(CERTIFICATE, certificate_13((LEAF, b""), context=b"x")),
        "has a context",
    ),
    "too much": (ContentType.HANDSHAKE, bytes(16_385), "has 16385 octets"),
}


@pytest.mark.parametrize(("kind", "body", "words"), SEALED.values(), ids=SEALED)
def test_what_is_refused_under_encryption(kind: ContentType, body: bytes, words: str) -> None:
    """The same rules hold for what only we could read."""
    flight, server = begun()
    with pytest.raises(MalformedError, match=words):
        flight.receive(server.hello + server.traffic.seal(kind, body))


def assert_one_line(flight: FirstFlight, said: bytes) -> None:
    """Take it, or say in one printable line why not."""
    words = ""
    try:
        flight.receive(said)
    except MalformedError as error:
        words = str(error)
    assert words == "" or words.isprintable()


@given(st.binary(max_size=200))
def test_any_octets(data: bytes) -> None:
    """Whatever comes, there is an answer, a wish for more, or one of our errors."""
    for said in (data, HELLO_12 + data, HELLO_12 + encode_record(ContentType.HANDSHAKE, data)):
        flight = begun_12()
        assert_one_line(flight, said)


@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """A changed octet anywhere gives another answer or an error, and nothing else."""
    flight, server = begun()
    version = data.draw(st.sampled_from([TLS_1_2, TLS_1_3]))
    said = bytearray(flight_12(sct_list=SCTS, ocsp=OCSP) if version == TLS_1_2 else all_13(server))
    said[data.draw(st.integers(0, len(said) - 1))] ^= data.draw(st.integers(1, 255))
    assert_one_line(flight, bytes(said))

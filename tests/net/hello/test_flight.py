"""The first flight of a server: read however it comes, and refused where it is none."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.net.hello.flight import FirstFlight
from pinwarden.net.hello.key_shares import GROUPS, X25519
from pinwarden.net.hello.offer import TLS_1_2, TLS_1_3, Offer
from pinwarden.net.hello.records import ContentType, encode_message, encode_record
from pinwarden.net.hello.schedule import SUITES, handshake_traffic
from pinwarden.net.served import HandedOver
from support.first_flights import (
    ABOVE,
    ALL,
    CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    LEAF,
    OCSP,
    OFFER,
    REQUEST,
    SCT,
    SCTS,
    SERVER_HELLO,
    STATUS,
    STATUS_MESSAGE,
    SUITE_12,
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
    shares_of,
    sized,
    status,
)


def test_tls_1_2() -> None:
    """SCTs are in ServerHello, the OCSP response is a message of its own."""
    flight = begun_12()
    assert flight.receive(flight_12(sct_list=SCTS, ocsp=OCSP)) == b""
    assert flight.found == ALL


def test_tls_1_3() -> None:
    """SCTs and the OCSP response are beside the leaf, under the handshake's keys."""
    flight, server = begun()
    assert flight.receive(all_13(server)) == b""
    assert flight.found == ALL


@pytest.mark.parametrize("suite", SUITES, ids=lambda each: f"{each:#x}")
def test_every_cipher_suite(suite: int) -> None:
    """Each suite of TLS 1.3 that is offered can be read."""
    flight = FirstFlight("www.example.com", OFFER)
    flight.receive(all_13(Thirteen(read_hello(flight.begin()), suite=suite)))
    assert flight.found == ALL


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def test_nothing_is_handed_over(version: int) -> None:
    """The leaf alone is an answer too."""
    flight, server = begun()
    said = flight_12() if version == TLS_1_2 else server.hello + server.sealed(*encrypted_13())
    flight.receive(said)
    assert flight.found == HandedOver(leaf=LEAF)


@given(version=st.sampled_from([TLS_1_2, TLS_1_3]), data=st.data())
def test_in_any_pieces(version: int, data: st.DataObject) -> None:
    """However TCP cuts it, the same is read."""
    flight, server = begun()
    said = flight_12(sct_list=SCTS, ocsp=OCSP) if version == TLS_1_2 else all_13(server)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True):
        flight.receive(said[start:end])
    assert flight.found == ALL


@pytest.mark.parametrize("size", [1, 3, 7])
def test_messages_across_records(size: int) -> None:
    """One message may be in many records, and many messages in one (RFC 8446 section 5.1)."""
    messages = b"".join(
        encode_message(kind, body) for kind, body in encrypted_13(sct_list=SCTS, ocsp=OCSP)
    )
    flight, server = begun()
    flight.receive(server.hello)
    for at in range(0, len(messages), size):
        flight.receive(server.traffic.seal(ContentType.HANDSHAKE, messages[at : at + size]))
    assert flight.found == ALL

    plain = encode_message(SERVER_HELLO, hello_body(extension(SCT, SCTS)))
    plain += encode_message(CERTIFICATE, certificate_12(LEAF))
    flight = begun_12()
    for at in range(0, len(plain), size):
        flight.receive(encode_record(ContentType.HANDSHAKE, plain[at : at + size]))
    assert flight.found == HandedOver(leaf=LEAF, sct_list=SCTS)


def test_padding() -> None:
    """Zero octets after the type are no content (RFC 8446 section 5.4)."""
    flight, server = begun()
    body = b"".join(encode_message(*each) for each in encrypted_13(ocsp=OCSP))
    flight.receive(server.hello + server.padded(body, 99))
    assert flight.found == HandedOver(leaf=LEAF, ocsp=OCSP)
    flight, server = begun()
    with pytest.raises(MalformedError, match="has no type"):
        flight.receive(server.hello + server.padded(b"", 9, kind=b""))


def test_what_else_servers_send() -> None:
    """A certificate is asked for, a middlebox is calmed, unknown extensions are there."""
    flight, server = begun()
    grease = extension(0x0A0A, b"\x00")
    flight.receive(server.hello + encode_record(ContentType.CHANGE_CIPHER_SPEC, b"\x01"))
    flight.receive(server.sealed((ENCRYPTED_EXTENSIONS, sized(grease, 2))))
    flight.receive(server.sealed((REQUEST, b"\x00" + sized(extension(13, b""), 2))))
    entry = grease + extension(SCT, SCTS)
    flight.receive(server.sealed((CERTIFICATE, certificate_13((LEAF, entry)))))
    assert flight.found == HandedOver(leaf=LEAF, sct_list=SCTS)


def test_harmless_alerts() -> None:
    """A warning about the name, and HelloRequest messages, end nothing."""
    flight = begun_12()
    flight.receive(alert(1, 112) + handshake(0, b"") + flight_12(sct_list=SCTS))
    assert flight.found == HandedOver(leaf=LEAF, sct_list=SCTS)


def test_a_promised_status_that_does_not_come() -> None:
    """RFC 6066 section 8 lets a server change its mind."""
    flight = begun_12()
    flight.receive(handshake(SERVER_HELLO, hello_body(extension(STATUS, b""))))
    flight.receive(handshake(CERTIFICATE, certificate_12(LEAF)))
    assert flight.found is None
    flight.receive(handshake(12, b"a key"))
    assert flight.found == HandedOver(leaf=LEAF)


@pytest.mark.parametrize("body", [b"", b"\x02" + sized(b"x", 3), status(b""), status(b"x") + b"y"])
def test_a_status_that_cannot_be_read(body: bytes) -> None:
    """It costs neither the leaf nor the SCTs, and is said."""
    flight, server = begun()
    extensions = extension(SCT, SCTS) + extension(STATUS, body)
    messages = encrypted_13()[0], (CERTIFICATE, certificate_13((LEAF, extensions)))
    flight.receive(server.hello + server.sealed(*messages))
    assert flight.found is not None
    assert (flight.found.leaf, flight.found.sct_list, flight.found.ocsp) == (LEAF, SCTS, b"")
    assert "OCSP response cannot be read" in flight.found.problem

    flight = begun_12()
    flight.receive(handshake(SERVER_HELLO, hello_body(extension(STATUS, b""))))
    flight.receive(handshake(CERTIFICATE, certificate_12(LEAF)) + handshake(STATUS_MESSAGE, body))
    assert flight.found is not None
    assert "OCSP response cannot be read" in flight.found.problem


def test_extensions_of_other_certificates() -> None:
    """What stands beside an intermediate is not about the leaf."""
    flight, server = begun()
    entries = (LEAF, b""), (ABOVE, extension(SCT, SCTS) + extension(STATUS, status(OCSP)))
    flight.receive(
        server.hello + server.sealed(encrypted_13()[0], (CERTIFICATE, certificate_13(*entries)))
    )
    assert flight.found == HandedOver(leaf=LEAF)


@pytest.mark.parametrize("cookie", [b"", b"a cookie"], ids=["without a cookie", "with a cookie"])
@pytest.mark.parametrize("group", [*GROUPS[2:], None])
def test_a_retry(group: int | None, cookie: bytes) -> None:
    """A key of another group, and a cookie, are sent when they are asked for."""
    flight = FirstFlight("www.example.com", OFFER)
    first = read_hello(flight.begin())
    request = retry(first, group, cookie)
    if group is None and not cookie:
        with pytest.raises(MalformedError, match="asks for nothing"):
            flight.receive(encode_record(ContentType.HANDSHAKE, request))
        return
    reply = flight.receive(encode_record(ContentType.HANDSHAKE, request))
    assert reply.startswith(b"\x14\x03\x03\x00\x01\x01\x16")
    second = read_hello(reply[6:])
    assert set(shares_of(second)) == ({group} if group else set(shares_of(first)))
    assert second.extensions.get(44, b"")[2:] == cookie
    kept = {number: data for number, data in second.extensions.items() if number not in (44, 51)}
    assert kept.items() <= first.extensions.items()
    before = encode_message(254, hashlib.sha256(first.message).digest()) + request
    flight.receive(all_13(Thirteen(second, group=group or X25519, before=before)))
    assert flight.found == ALL


def test_the_offer() -> None:
    """OCSP and SCTs are asked for, compressed certificates are not, and a name is told."""
    hello = read_hello(FirstFlight("www.example.com", OFFER).begin())
    assert hello.extensions[SCT] == b""
    assert hello.extensions[STATUS] == b"\x01\0\0\0\0"
    assert b"www.example.com" in hello.extensions[0]
    assert 27 not in hello.extensions
    assert hello.suites == bytes.fromhex("130113021303c02f")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_no_server_name(host: str) -> None:
    """RFC 6066 section 3."""
    assert 0 not in read_hello(FirstFlight(host, OFFER).begin()).extensions


def test_each_hello_is_another() -> None:
    """Nothing of one connection is seen again in the next."""
    one, other = (read_hello(FirstFlight("a.example", OFFER).begin()) for _ in range(2))
    assert one.session != other.session
    assert one.message[6:38] != other.message[6:38]
    assert shares_of(one).items().isdisjoint(shares_of(other).items())


def test_one_version_only() -> None:
    """What is not offered is not accepted, and TLS 1.3 has no trace in an offer of 1.2."""
    only = Offer((TLS_1_2,), (SUITE_12,))
    flight = FirstFlight("www.example.com", only)
    hello = read_hello(flight.begin())
    assert {43, 45, 51}.isdisjoint(hello.extensions)
    chosen = extension(VERSIONS, b"\x03\x04")
    with pytest.raises(MalformedError, match="version 0x0304"):
        flight.receive(handshake(SERVER_HELLO, hello_body(chosen, suite=SUITE_13)))


def test_a_farewell() -> None:
    """The server is told that we go: encrypted in TLS 1.3, in the clear otherwise."""
    flight, server = begun()
    flight.receive(all_13(server))
    said = flight.farewell()
    assert said[:6] == b"\x14\x03\x03\x00\x01\x01"
    for number in (90, 0):
        size = int.from_bytes(said[9:11], "big")
        record, said = said[6 : 11 + size], said[:6] + said[11 + size :]
        assert server.reads.open(record[:5], record[5:]) == (21, bytes([1, number]))
    flight = begun_12()
    flight.receive(flight_12())
    assert flight.farewell() == alert(1, 90) + alert(1, 0)


def test_the_schedule_of_rfc_8448() -> None:
    """Section 3: the server's key and nonce of the handshake, from the shared secret."""
    shared = bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
    transcript = bytes.fromhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8")
    _, server = handshake_traffic(SUITES[0x1301], shared, transcript)
    key, nonce = "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"
    record = server.seal(ContentType.HANDSHAKE, b"a message")
    told = SUITES[0x1301].aead(bytes.fromhex(key))
    assert told.decrypt(bytes.fromhex(nonce), record[5:], record[:5]) == b"a message\x16"

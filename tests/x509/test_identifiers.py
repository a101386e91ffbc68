"""No encoding that an attacker could choose hides a name."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.names import UNREADABLE_LABEL, name_touches
from pinwarden.x509 import identifiers
from pinwarden.x509.certificate import Identifiers, view_certificate
from x509.der_writer import (
    BMP,
    FALSE,
    IA5,
    PRINTABLE,
    SAN,
    TELETEX,
    UNIVERSAL,
    UTF8,
    Certificate,
    attribute,
    dns,
    extension,
    indefinite,
    name,
    oid,
    san,
    seq,
    tlv,
)

U = UNREADABLE_LABEL
NUMERIC, VIDEOTEX, GRAPHIC, VISIBLE, GENERAL = 0x12, 0x15, 0x19, 0x1A, 0x1B
OCTETS, BITS = 0x04, 0x03
EXAMPLE = "www.example.com"


def of(certificate: Certificate) -> Identifiers:
    """The identifiers of a certificate, the same for its bare TBSCertificate."""
    return view_certificate(certificate.der()).identifiers()


def with_cn(text: str | bytes, tag: int = UTF8) -> Identifiers:
    """The identifiers of a certificate with just this commonName."""
    return of(Certificate(subject=name(attribute(text, tag))))


def with_san(value: bytes) -> Identifiers:
    """The identifiers of a certificate with just this subjectAltName value."""
    return of(Certificate(extensions=(extension(SAN, value),)))


@pytest.mark.parametrize(
    ("tag", "encoded"),
    [
        *((tag, EXAMPLE.encode()) for tag in (UTF8, PRINTABLE, TELETEX, IA5, NUMERIC)),
        *((tag, EXAMPLE.encode()) for tag in (VIDEOTEX, GRAPHIC, VISIBLE, GENERAL)),
        (BMP, EXAMPLE.encode("utf-16-be")),
        (UNIVERSAL, EXAMPLE.encode("utf-32-be")),
        (BMP, EXAMPLE.upper().encode("utf-16-be")),
        (BMP, "ｗｗｗ．example。com".encode("utf-16-be")),
    ],
)
def test_every_string_type(tag: int, encoded: bytes) -> None:
    """A commonName is read in every string type that ASN.1 has."""
    found = with_cn(encoded, tag)
    assert EXAMPLE in found.dns
    assert found.unreadable == ()


def test_a_wide_string_of_plain_octets_is_read_as_octets_too() -> None:
    """A name written octet by octet into a BMPString, as Mbed TLS compares it, is seen."""
    found = with_cn(b"www1.example", BMP)
    assert "www1.example" in found.dns
    assert found.unreadable == ()


@pytest.mark.parametrize(
    ("tag", "encoded"),
    [
        (BMP, b"\0w\0w\0"),
        (BMP, b"\xd8\x00\0a"),
        (UNIVERSAL, b"\0\0\0w\0\0"),
        (UNIVERSAL, b"\x7f\xff\xff\xff"),
        (OCTETS, EXAMPLE.encode()),
        (BITS, b"\0" + EXAMPLE.encode()),
        (0x30, tlv(UTF8, EXAMPLE.encode())),
        (0x01, b"\xff"),
    ],
)
def test_what_cannot_be_decoded_is_unreadable(tag: int, encoded: bytes) -> None:
    """A commonName in a broken or foreign type makes the certificate concern everybody."""
    assert len(with_cn(encoded, tag).unreadable) == 1


def test_foreign_types_are_read_all_the_same() -> None:
    """A name in a type that is no string is reported besides being unreadable."""
    assert EXAMPLE in with_cn(EXAMPLE, OCTETS).dns
    assert EXAMPLE in with_cn(tlv(UTF8, EXAMPLE.encode()), 0x30).dns


def test_strings_in_pieces() -> None:
    """Names in constructed strings, a BER form, are put together."""
    pieces = tlv(UTF8, b"www.exam") + tlv(UTF8, b"ple.com")
    assert with_cn(pieces, UTF8 | 0x20).dns == (EXAMPLE,)
    pieces = tlv(IA5, b"www.exam") + tlv(IA5, b"ple.com")
    assert with_san(seq(tlv(0xA2, pieces))).dns == (EXAMPLE,)
    value = dns(EXAMPLE)
    pieces = tlv(0x24, tlv(0x04, value[:7]), tlv(0x04, value[7:]))
    assert of(Certificate(extensions=(seq(oid(SAN), pieces),))).dns == (EXAMPLE,)
    found = with_san(seq(tlv(0xA2, b"www"), tlv(0x82, b"b.example")))
    assert found.dns == ("b.example",)
    assert len(found.unreadable) == 1


def test_every_common_name_counts() -> None:
    """CommonNames in any RDN and anywhere in a multi-valued one are read."""
    organisation = attribute("Example, Inc.", kind="2.5.4.10")
    subject = name(
        organisation + attribute("a.example.com"),
        attribute("b.example.com") + organisation + attribute("c.example.com"),
        b"",
        organisation,
        attribute("d.example.com"),
    )
    assert of(Certificate(subject=subject)).dns == tuple(f"{x}.example.com" for x in "abcd")


def test_a_common_name_type_with_padding() -> None:
    """A commonName whose OID has a padded arc is one, since lenient parsers take it."""
    padded = seq(tlv(0x06, b"\x55\x80\x04\x03"), tlv(UTF8, EXAMPLE.encode()))
    assert of(Certificate(subject=name(padded))).dns == (EXAMPLE,)


def test_two_values_in_one_attribute() -> None:
    """An attribute with a second value where one belongs hides neither."""
    double = seq(oid("2.5.4.3"), tlv(UTF8, b"a.example"), tlv(UTF8, b"b.example"))
    assert of(Certificate(subject=name(double))).dns == ("a.example", "b.example")


@pytest.mark.parametrize("text", [" www.example.com", "www.example.com  ", "\twww.example.com\n"])
def test_white_space_around_a_common_name_does_not_hide_it(text: str) -> None:
    """A commonName is trimmed before anybody asks whether it is a phrase."""
    assert with_cn(text).dns == (EXAMPLE,)
    assert with_cn(text.replace(EXAMPLE, "intranet")).dns == ("intranet",)


def test_phrases_are_no_names() -> None:
    """A commonName of several words without a dot is no name; with a dot it may be."""
    assert with_cn("Example Issuing CA 2") == Identifiers()
    assert with_cn("Příklad s.r.o. CA".replace(".", "")) == Identifiers()
    assert EXAMPLE in with_cn("Example Host (www.example.com)").dns
    assert "www.example.com" in with_cn("Host ｗｗｗ．example．com").dns
    assert with_cn("Router").dns == ("router",)
    assert with_cn("") == Identifiers()


@pytest.mark.parametrize(
    ("value", "also"),
    [
        (b"www.example.com\0.evil.org", f"www.example.{U}.evil.org"),
        (b"www.example.com\0", EXAMPLE),
        (b"www.example.com/path", "www.example.com/path"),
        (b"https://www.example.com/", EXAMPLE),
        (b"www.example.com:443", "www.example.com:443"),
        (b"WWW.EXAMPLE.COM.", EXAMPLE),
        (b" www.example.com", EXAMPLE),
    ],
)
def test_separators_hide_nothing(value: bytes, also: str) -> None:
    """A NUL, slash, port, scheme or space is read both ways, in commonName and DNS name."""
    for found in (with_cn(value), with_san(dns(value))):
        assert {EXAMPLE, also} <= set(found.dns)
        assert found.unreadable == ()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_u_labels_in_octets(encoding: str) -> None:
    """A DNS name that should be A-labels is read as UTF-8 and as Latin-1."""
    value = "bücher.example".encode(encoding)
    assert "xn--bcher-kva.example" in with_san(dns(value)).dns
    assert "xn--bcher-kva.example" in with_cn(value, TELETEX).dns


def test_address_literals_as_names() -> None:
    """An address written as a DNS name or commonName is an address, and stays a name."""
    for found in (with_cn("192.0.2.1"), with_san(dns("192.0.2.1"))):
        assert found.ips == (IPv4Address("192.0.2.1"),)
        assert found.dns == ("192.0.2.1",)
    found = with_san(dns("2001:DB8::1", "[2001:db8::2]:443"))
    assert found.ips == (IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2"))


def test_all_kinds_of_alternative_names() -> None:
    """Addresses, mail addresses and URIs are read; other kinds of names are passed over."""
    found = with_san(
        seq(
            tlv(0xA0, oid("1.2.3"), tlv(0xA0, tlv(UTF8, b"user"))),
            tlv(0x81, b"user@example.com"),
            tlv(0x82, b"www.example.com"),
            tlv(0xA4, name(attribute("directory.example"))),
            tlv(0x86, b"https://example.net/caf\xe9"),
            tlv(0x87, bytes((192, 0, 2, 7))),
            tlv(0x87, bytes(15) + b"\1"),
            tlv(0x88, b"\x2a\x03"),
            tlv(0x8F, b"anything"),
        )
    )
    assert found == Identifiers(
        dns=("www.example.com",),
        ips=(IPv4Address("192.0.2.7"), IPv6Address("::1")),
        emails=("user@example.com",),
        uris=("https://example.net/café",),
    )


@pytest.mark.parametrize(
    ("octets", "ip", "readable"),
    [
        (b"\xc0\x00\x02\x00\xff\xff\xff\x00", IPv4Address("192.0.2.0"), True),
        (b"192.0.2.1", IPv4Address("192.0.2.1"), True),
        (b"a.io", IPv4Address("97.46.105.111"), True),
        (b"www.example.com", None, True),
        (b"\1\2\3\4\5", None, False),
        (b"", None, False),
    ],
)
def test_odd_ip_addresses(octets: bytes, ip: IPv4Address | None, readable: bool) -> None:
    """An iPAddress with a netmask, or in text, is read; any other length is unreadable."""
    found = with_san(seq(tlv(0x87, octets)))
    assert found.ips == (() if ip is None else (ip,))
    assert bool(found.unreadable) is not readable


def test_names_without_their_tag() -> None:
    """A SAN entry that lost its context tag, or lost the SEQUENCE around it, is read."""
    assert with_san(seq(tlv(IA5, EXAMPLE.encode()))).dns == (EXAMPLE,)
    found = with_san(EXAMPLE.encode())
    assert found.dns == (EXAMPLE,)
    assert len(found.unreadable) == 1
    assert with_san(seq(b"\x9f\x02\x0f" + EXAMPLE.encode())).dns == (EXAMPLE,)


def test_every_alternative_name_extension_counts() -> None:
    """The names of all subjectAltName extensions are read, if there are several."""
    twice = Certificate(extensions=(san("a.example"), san("b.example", "c.example")))
    assert of(twice).dns == ("a.example", "b.example", "c.example")
    padded = seq(tlv(0x06, b"\x55\x1d\x80\x11"), tlv(0x04, dns("d.example")))
    assert of(Certificate(extensions=(padded,))).dns == ("d.example",)


def test_two_extension_fields() -> None:
    """A second field of extensions hides nothing."""
    second = tlv(0xA3, seq(san("b.example")))
    assert of(Certificate(extensions=(san("a.example"),), tail=second)).dns == (
        "a.example",
        "b.example",
    )


def test_a_bad_neighbour_hides_nothing() -> None:
    """Extensions that are malformed, or encode a default, do not hide the SAN beside them."""
    certificate = Certificate(
        extensions=(
            extension("2.5.29.19", seq(FALSE), FALSE),
            extension("2.5.29.15", b"garbage"),
            seq(oid("2.5.29.35"), tlv(0x05)),
            seq(oid("2.5.29.31"), tlv(0x04, b"\1"), b"\5\0"),
            san(EXAMPLE),
        )
    )
    assert of(certificate) == Identifiers(dns=(EXAMPLE,))


def test_one_trailing_zero_is_forgiven() -> None:
    """One zero octet after the names is the known mistake of some CAs; more is damage."""
    assert with_san(dns(EXAMPLE) + b"\0") == Identifiers(dns=(EXAMPLE,))
    for trailing in (b"\0\0", b"\1", dns("hidden.example")):
        found = with_san(dns(EXAMPLE) + trailing)
        assert found.dns == (EXAMPLE,)
        assert len(found.unreadable) == 1


@pytest.mark.parametrize(
    "certificate",
    [
        Certificate(extensions=(extension(SAN, dns("a.example", "b.example")[:-3]),)),
        Certificate(extensions=(extension(SAN, b""),)),
        Certificate(extensions=(extension(SAN, tlv(0x31, tlv(0x82, b"a.example"))),)),
        Certificate(extensions=(extension(SAN, seq(tlv(0x82, b"a.example"), b"\x82\x7fb")),)),
        Certificate(extensions=(extension(SAN, indefinite(0x30, tlv(0x82, b"a.example"))),)),
        Certificate(extensions=(seq(oid(SAN), tlv(0x03, b"\0" + dns("a.example"))),)),
        Certificate(extensions=(seq(oid(SAN), dns("a.example")),)),
        Certificate(extensions=(seq(oid(SAN)),)),
        Certificate(extensions=(seq(oid(SAN), tlv(0x04, seq()), tlv(0x04, dns("a.example"))),)),
        Certificate(extensions=(tlv(0x31, oid(SAN), tlv(0x04, dns("a.example"))),)),
        Certificate(extensions=(seq(tlv(0x04, b"\x55\x1d\x11"), tlv(0x04, dns("a.example"))),)),
        Certificate(extensions=(b"\x30\x7f",)),
        Certificate(tail=tlv(0xA3, tlv(0x31, san("a.example")))),
        Certificate(tail=tlv(0xA3, seq(), san("a.example"))),
        Certificate(tail=tlv(0xA3, indefinite(0x30, san("a.example")))),
        Certificate(tail=tlv(0x83, seq(san("a.example")))),
        Certificate(tail=seq(san("a.example"))),
        Certificate(subject=tlv(0x31, tlv(0x31, attribute("a.example")))),
        Certificate(subject=seq(seq(attribute("a.example")))),
        Certificate(subject=name(tlv(0x31, oid("2.5.4.3"), tlv(UTF8, b"a.example")))),
        Certificate(subject=name(seq(tlv(0x04, b"\x55\x04\x03"), tlv(UTF8, b"a.example")))),
        Certificate(subject=name(seq(oid("2.5.4.3"), b"\x0c\x7f"))),
        Certificate(subject=name(seq(tlv(0x06)))),
        Certificate(subject=seq(tlv(0x31, b"\x30\x7f"))),
        Certificate(subject=seq(indefinite(0x31, attribute("a.example")))),
        Certificate(subject=tlv(0x05)),
        Certificate(version=tlv(0xA0) + tlv(0x02, b"\1"), subject=name(attribute("a.example"))),
    ],
)
def test_damage_that_could_hide_a_name(certificate: Certificate) -> None:
    """Where a name could stand and cannot be read, the certificate concerns everybody."""
    found = of(certificate)
    assert found.unreadable != ()
    assert all(str(problem).isprintable() for problem in found.unreadable)


def test_names_before_damage_count() -> None:
    """What stood before the damage, and beside it, is reported with it."""
    found = with_san(seq(tlv(0x82, b"a.example"), b"\x82\x7fb"))
    assert found.dns == ("a.example",)
    subject = seq(tlv(0x31, attribute("a.example")), seq(), tlv(0x31, attribute("b.example")))
    assert of(Certificate(subject=subject)).dns == ("a.example", "b.example")


def test_damage_that_cannot_hide_a_name() -> None:
    """Bad organisation names and bad other extensions do not alarm everybody."""
    subject = name(
        attribute(b"\xff\xfe", UTF8, "2.5.4.10") + seq(oid("2.5.4.11"), b"\x0c\x7f"),
        attribute("www.example.com"),
    )
    certificate = Certificate(subject=subject, extensions=(seq(oid("2.5.29.15")),))
    assert of(certificate) == Identifiers(dns=(EXAMPLE,))


def test_wildcards_inside_labels_stay() -> None:
    """In-label wildcards are kept, and match."""
    found = with_san(dns("w*w.example.com", "*.example.org", "?.example.net"))
    assert found.dns == ("*.example.org", "?.example.net", "w*w.example.com")
    assert name_touches(found.dns[2], EXAMPLE, False)


def test_a_flood_of_odd_names_is_unreadable() -> None:
    """Too many names that take long to read, or too many at all, concern everybody."""
    odd = dns(*(f"ü{number}.example".encode() for number in range(5000)), "last.example")
    found = with_san(odd)
    assert "last.example" in found.dns
    assert 0 < len(found.unreadable) <= 16
    many = seq(tlv(0x81) * (identifiers._NAME_LIMIT + 1))
    assert len(with_san(many).unreadable) == 1


def test_a_name_of_which_nothing_can_be_read() -> None:
    """A name that is nothing but control characters concerns everybody, as one label or as all."""
    assert with_san(dns(b"\x01\x02")).dns == (U,)
    assert len(with_san(dns(b"\x01\x02")).unreadable) == 1
    assert with_san(dns(b"\x01.example")) == Identifiers(dns=(f"{U}.example",))


def test_a_huge_name_is_unreadable() -> None:
    """A commonName of a megabyte is one unreadable name, which touches every watched name."""
    found = with_cn("ü" * 8_000)
    assert found.dns == (U,)
    assert len(found.unreadable) == 1
    assert len(str(found.unreadable[0])) < 500
    assert with_cn("ü" * 500_000).unreadable != ()


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from([0x82, 0xA2, 0x16, 0x0C]))
def test_nothing_beside_a_name_hides_it(before: bytes, after: bytes, tag: int) -> None:
    """Whatever stands before and after a DNS name as entries of their own, it is read."""
    found = with_san(seq(tlv(tag, before), tlv(0x82, EXAMPLE.encode()), tlv(tag, after)))
    assert EXAMPLE in found.dns or found.unreadable


@given(st.binary(max_size=120))
def test_any_value_of_a_name_is_read(data: bytes) -> None:
    """Any octets as DNS name, commonName or SAN value give identifiers, never an error."""
    for tag in (UTF8, BMP, UNIVERSAL, PRINTABLE, OCTETS, 0x30):
        with_cn(data, tag)
    found = with_san(dns(data))
    assert all(each for each in found.dns)
    with_san(data)

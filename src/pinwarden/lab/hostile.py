"""Certificates damaged or odd on purpose, each of which hides one name.

Whoever gets a certificate may choose how the name is encoded. Each case here is
such a choice, made by real certification authorities by mistake or thought of
by attackers; every one concerns the name it was made for, and a monitor that
stays silent has lost it. All are properly signed: the signature covers the odd
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pinwarden.lab import asn1
from pinwarden.lab.asn1 import (
    BASIC_CONSTRAINTS_OID,
    COMMON_NAME_OID,
    SAN_OID,
    element,
    extension,
    general_name,
    sequence,
)
from pinwarden.lab.ca import CA, Issued, new_key

_DNS = 2
_FALSE = b"\x01\x01\x00"
_DECOY = "decoy.invalid"

TBSDamage = Callable[[bytes, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One case: what is odd, and what came of it.

    `legible` says that a tolerant reader can read `name`, or a name below it;
    otherwise to report the field as unreadable is enough, and counts as a match.
    """

    slug: str
    trick: str
    name: str
    legible: bool
    issued: Issued


@dataclass(frozen=True, slots=True)
class _Case:
    slug: str
    trick: str
    damage: TBSDamage
    legible: bool = True


def hostile_certificates(ca: CA, name: str) -> Iterator[Hostile]:
    """Every case, hiding `name`; the name that a naive reader sees is another."""
    for case in _CASES:
        yield _make(ca, name, case)


def hostile_certificate(ca: CA, name: str, slug: str) -> Hostile:
    """One case by its slug."""
    return next(_make(ca, name, case) for case in _CASES if case.slug == slug)


def slugs() -> tuple[str, ...]:
    """The names of all cases."""
    return tuple(case.slug for case in _CASES)


def _make(ca: CA, name: str, case: _Case) -> Hostile:
    key = new_key()
    # Honest but for the one thing: no common name, and an alternative name of no interest.
    tbs = case.damage(ca.tbs([_DECOY], key, cn=""), name)
    issued = ca.complete(ca.precertify_tbs(tbs, key))
    return Hostile(slug=case.slug, trick=case.trick, name=name, legible=case.legible, issued=issued)


def _san(value: Callable[[str], bytes]) -> TBSDamage:
    """The extension's whole value, made of the name."""

    def damage(tbs: bytes, name: str) -> bytes:
        return asn1.replace_extension(tbs, SAN_OID, extension(SAN_OID, value(name)))

    return damage


def _dns(value: Callable[[str], bytes]) -> TBSDamage:
    """An alternative name extension of the decoy and one odd dNSName."""
    return _general(lambda name: general_name(_DNS, value(name)))


def _general(value: Callable[[str], bytes]) -> TBSDamage:
    return _san(lambda name: sequence(_decoy(), value(name)))


def _decoy() -> bytes:
    return general_name(_DNS, _DECOY.encode())


def _plain_san(name: str) -> bytes:
    return sequence(general_name(_DNS, name.encode()))


def _cn(tag: int, encode: Callable[[str], bytes]) -> TBSDamage:
    return _subject(lambda name: ((_cn_attribute(tag, encode(name)),),))


def _cn_attribute(tag: int, value: bytes) -> bytes:
    return asn1.attribute(COMMON_NAME_OID, tag, value)


def _subject(rdns: Callable[[str], tuple[tuple[bytes, ...], ...]]) -> TBSDamage:
    def damage(tbs: bytes, name: str) -> bytes:
        return asn1.replace_field(tbs, asn1.SUBJECT, asn1.name(*rdns(name)))

    return damage


def _organization(text: str = "Decoy") -> bytes:
    return asn1.attribute("2.5.4.10", asn1.UTF8_STRING, text.encode())


def _field(number: int, value: bytes) -> TBSDamage:
    """A field of no interest is broken; the name stands where it should."""

    def damage(tbs: bytes, name: str) -> bytes:
        return asn1.replace_field(_san(_plain_san)(tbs, name), number, value)

    return damage


def _beside(dotted: str, *replacements: bytes) -> TBSDamage:
    """An extension of no interest is broken; the name stands where it should."""

    def damage(tbs: bytes, name: str) -> bytes:
        return asn1.replace_extension(_san(_plain_san)(tbs, name), dotted, *replacements)

    return damage


def _two_extensions(tbs: bytes, name: str) -> bytes:
    first = extension(SAN_OID, sequence(_decoy()))
    return asn1.replace_extension(tbs, SAN_OID, first, extension(SAN_OID, _plain_san(name)))


def _explicit_false(tbs: bytes, name: str) -> bytes:
    odd = extension(SAN_OID, _plain_san(name), critical=_FALSE)
    return asn1.replace_extension(tbs, SAN_OID, odd)


def _unique_identifiers(tbs: bytes, name: str) -> bytes:
    """RFC 5280 section 4.1.2.8: they come between key and extensions."""
    fields = asn1.children(_san(_plain_san)(tbs, name))
    fields[asn1.EXTENSIONS : asn1.EXTENSIONS] = [b"\x81\x03\x00\x01\x02", b"\x82\x03\x00\x03\x04"]
    return sequence(*fields)


def _long_length(name: str) -> bytes:
    body = general_name(_DNS, name.encode())
    return b"\x30\x83" + len(body).to_bytes(3, "big") + body


def _needle_in_haystack(name: str) -> bytes:
    hay = (general_name(_DNS, b"h%d.decoy.invalid" % i) for i in range(2000))
    return sequence(*hay, general_name(_DNS, name.encode()))


def _wildcard_in_label(name: str) -> bytes:
    return b"%s*.%s" % (name[:1].encode(), name.partition(".")[2].encode())


def _full_width(name: str) -> bytes:
    return name.replace(".", "\u3002").encode()


_DNS_CASES = (
    _Case("upper-case", "letters in upper case", _dns(lambda n: n.upper().encode())),
    _Case("trailing-dot", "an absolute name", _dns(lambda n: n.encode() + b".")),
    _Case("white-space", "white space around the name", _dns(lambda n: b" " + n.encode() + b" \t")),
    _Case("scheme", "a URL where a name belongs", _dns(lambda n: b"https://" + n.encode())),
    _Case("path", "a path after the name", _dns(lambda n: n.encode() + b"/.decoy.invalid")),
    _Case("port", "a port after the name", _dns(lambda n: n.encode() + b":443")),
    _Case("nul", "a NUL byte after the name", _dns(lambda n: n.encode() + b"\0.decoy.invalid")),
    _Case("wildcard-above", "a wildcard for the name", _dns(lambda n: b"*." + n.encode())),
    _Case("wildcard-in-label", "a wildcard inside a label", _dns(_wildcard_in_label)),
    _Case("redacted", "a redacted label below the name", _dns(lambda n: b"?." + n.encode())),
    _Case("control", "a label of controls", _dns(lambda n: b"\x01\x1b[." + n.encode())),
    _Case("ideographic-dots", "U+3002 for the dots, in UTF-8", _dns(_full_width)),
    _Case("latin-1", "a Latin-1 label below the name", _dns(lambda n: b"m\xfcnchen." + n.encode())),
    _Case("underscore", "an underscore label", _dns(lambda n: b"_acme." + n.encode())),
)

_SAN_CASES = (
    _Case("two-extensions", "a second alternative name extension", _two_extensions),
    _Case("explicit-false", "the default value of critical is written out", _explicit_false),
    _Case("trailing-zero", "a zero byte after the names", _san(lambda n: _plain_san(n) + b"\0")),
    _Case("long-length", "a length longer than need be", _san(_long_length)),
    _Case("many-names", "the last of 2001 names", _san(_needle_in_haystack)),
    _Case(
        "unknown-general-name",
        "a GeneralName of an unknown kind before the name",
        _san(lambda n: sequence(b"\x8f\x02ab", general_name(_DNS, n.encode()))),
    ),
    _Case(
        "other-name-first",
        "an otherName before the name",
        _san(
            lambda n: sequence(
                element(0xA0, asn1.oid("1.3.6.1.4.1.311.20.2.3"), element(0xA0, b"\x0c\x01a")),
                general_name(_DNS, n.encode()),
            )
        ),
    ),
    _Case("cut", "names that end too early", _san(lambda n: _plain_san(n)[:-3]), False),
    _Case(
        "overlong",
        "names that say they are longer than they are",
        _san(lambda n: b"\x30\x7f" + _plain_san(n)[2:]),
        False,
    ),
    _Case(
        "indefinite",
        "names of indefinite length",
        _san(lambda n: b"\x30\x80" + _plain_san(n)[2:] + b"\0\0"),
        False,
    ),
    _Case("garbage", "bytes that are no ASN.1", _san(lambda n: b"\xff\xfe" + n.encode()), False),
    _Case("empty-value", "no bytes at all", _san(lambda _: b""), False),
    _Case(
        "deep", "names inside 4000 boxes", _san(lambda n: b"\x30\x80" * 4000 + n.encode()), False
    ),
)

_CN_CASES = (
    _Case("cn-utf8", "UTF8String", _cn(asn1.UTF8_STRING, str.encode)),
    _Case("cn-printable", "PrintableString", _cn(asn1.PRINTABLE_STRING, str.encode)),
    _Case("cn-ia5", "IA5String", _cn(asn1.IA5_STRING, str.encode)),
    _Case("cn-teletex", "TeletexString", _cn(asn1.TELETEX_STRING, lambda n: n.encode("latin-1"))),
    _Case("cn-visible", "VisibleString", _cn(asn1.VISIBLE_STRING, str.encode)),
    _Case("cn-bmp", "BMPString", _cn(asn1.BMP_STRING, lambda n: n.encode("utf-16-be"))),
    _Case(
        "cn-universal",
        "UniversalString",
        _cn(asn1.UNIVERSAL_STRING, lambda n: n.encode("utf-32-be")),
    ),
    _Case("cn-odd-type", "GraphicString, which no profile allows", _cn(0x19, str.encode)),
    _Case("cn-white-space", "spaces around it", _cn(asn1.UTF8_STRING, lambda n: f" {n} ".encode())),
    _Case("cn-nul", "a NUL after it", _cn(asn1.UTF8_STRING, lambda n: n.encode() + b"\0.decoy")),
    _Case(
        "cn-second-in-rdn",
        "the second attribute of its RDN",
        _subject(lambda n: ((_organization(), _cn_attribute(asn1.UTF8_STRING, n.encode())),)),
    ),
    _Case(
        "cn-not-last",
        "followed by another common name",
        _subject(
            lambda n: (
                (_cn_attribute(asn1.UTF8_STRING, n.encode()),),
                (_organization(),),
                (_cn_attribute(asn1.UTF8_STRING, _DECOY.encode()),),
            )
        ),
    ),
    _Case(
        "cn-odd-bmp",
        "half a character",
        _cn(asn1.BMP_STRING, lambda n: n.encode("utf-16-be")[:-1]),
        False,
    ),
    _Case(
        "cn-bad-utf8",
        "no UTF-8",
        _cn(asn1.UTF8_STRING, lambda n: b"\xff\xfe." + n.encode()),
        False,
    ),
)

_BESIDE_CASES = (
    _Case("negative-serial", "a negative serial number", _field(asn1.SERIAL, b"\x02\x01\x80")),
    _Case("empty-serial", "a serial number of no bytes", _field(asn1.SERIAL, b"\x02\x00")),
    _Case(
        "long-serial",
        "a serial number of 2000 bytes",
        _field(asn1.SERIAL, element(2, b"\x7f" * 2000)),
    ),
    _Case(
        "no-such-day",
        "a thirtieth of February",
        _field(
            asn1.VALIDITY,
            sequence(
                element(asn1.UTC_TIME, b"260230000000Z"), element(asn1.UTC_TIME, b"260530000000Z")
            ),
        ),
    ),
    _Case(
        "time-without-seconds",
        "times in forms that DER forbids",
        _field(
            asn1.VALIDITY,
            sequence(
                element(asn1.UTC_TIME, b"2602010000+0100"),
                element(asn1.GENERALIZED_TIME, b"20260501000000.5Z"),
            ),
        ),
    ),
    _Case(
        "damaged-key",
        "a key that is none",
        _field(asn1.SPKI, sequence(sequence(), b"\x03\x02\0\1")),
    ),
    _Case(
        "damaged-issuer", "an issuer that is no name", _field(asn1.ISSUER, sequence(b"\x05\x00"))
    ),
    _Case(
        "damaged-constraints",
        "basic constraints that are no ASN.1",
        _beside(BASIC_CONSTRAINTS_OID, extension(BASIC_CONSTRAINTS_OID, b"\xff\xff")),
    ),
    _Case(
        "explicit-default",
        "the default value of cA is written out",
        _beside(BASIC_CONSTRAINTS_OID, extension(BASIC_CONSTRAINTS_OID, sequence(_FALSE))),
    ),
    _Case(
        "two-constraints",
        "basic constraints twice",
        _beside(BASIC_CONSTRAINTS_OID, *2 * (extension(BASIC_CONSTRAINTS_OID, sequence()),)),
    ),
    _Case("unique-identifiers", "issuer and subject unique identifiers", _unique_identifiers),
)

_CASES = (*_DNS_CASES, *_SAN_CASES, *_CN_CASES, *_BESIDE_CASES)

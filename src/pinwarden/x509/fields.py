"""Single fields of a certificate: raw content in, a value or `MalformedError` out.

Each reader stands alone, so that one bad field costs only itself. References:
RFC 5280 section 4.1, RFC 4514 (names as text), X.690 section 11.7 and 11.8
(times), RFC 3279, 5480, 8410, 9881 and 9909 (public keys).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pinwarden.errors import MalformedError, quoted
from pinwarden.names import display
from pinwarden.x509 import der

UTF8_STRING = 0x0C
UNIVERSAL_STRING = 0x1C
BMP_STRING = 0x1E
# Numeric, Printable, Teletex, Videotex, IA5, Graphic, Visible and General.
OCTET_STRINGS = frozenset((0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B))

_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_CONSTRUCTED = 0x20
# RFC 5280 section 4.1.2.2 allows 20 octets; some CAs took more.
_INTEGER_LIMIT = 256
_TEXT_LIMIT = 1024
_RDN_LIMIT = 256

_TIME = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,]\d+)?)?)?(?:Z|([+-])(\d\d)(\d\d)?)?",
    re.ASCII,
)
_TIME_LIMIT = 64
_SPECIAL = re.compile(r'(["+,;<>\\]|^[ #]| $)')

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.33": "P-224",
    "1.3.132.0.10": "secp256k1",
    "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}
_EC_KEY = "1.2.840.10045.2.1"
_RSA_KEYS = {"1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.10": "RSA-PSS"}
_DSA_KEY = "1.2.840.10040.4.1"
_NAMED_KEYS = {
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}


def integer(data: bytes, tlv: der.TLV) -> int:
    """An INTEGER, negative ones included, of at most 256 octets."""
    if tlv.tag != der.INTEGER or tlv.start == tlv.end:
        raise MalformedError("is not an INTEGER")
    if tlv.end - tlv.start > _INTEGER_LIMIT:
        raise MalformedError(f"is longer than {_INTEGER_LIMIT} octets")
    return int.from_bytes(data[tlv.start : tlv.end], "big", signed=True)


def time(data: bytes, tlv: der.TLV) -> datetime:
    """A UTCTime or GeneralizedTime, with or without seconds, fraction and zone.

    DER wants seconds and `Z` (RFC 5280 section 4.1.2.5); other forms were
    issued. Without a zone UTC is meant. A fraction is dropped.
    """
    kind = tlv.tag & ~_CONSTRUCTED
    if kind not in (_UTC_TIME, _GENERALIZED_TIME):
        raise MalformedError("is not a time")
    text = der.octets(data, tlv)[:_TIME_LIMIT].decode("latin-1").strip()
    # Some wrote a four-digit year into a UTCTime: fourteen digits tell.
    if kind == _UTC_TIME and not text[:14].isdigit():
        text = ("20" if text[:2] < "50" else "19") + text
    match = _TIME.fullmatch(text)
    if match is None:
        raise MalformedError(f"{quoted(text)} is not a time")
    sign, zone_hour, zone_minute = match.group(7), match.group(8) or 0, match.group(9) or 0
    offset = timedelta(hours=int(zone_hour), minutes=int(zone_minute))
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{quoted(text)} is not a time") from error


def validity(data: bytes, tlv: der.TLV, position: int) -> datetime:
    """The first or second of the two times in a Validity (RFC 5280 section 4.1.2.5)."""
    for number, element in enumerate(der.children(data, tlv.start, tlv.end)):
        if number == position:
            return time(data, element)
    raise MalformedError("is absent")


def string(tag: int, content: bytes) -> str | None:
    """A string of any type as text to show, or None; what does not decode is replaced."""
    if tag == BMP_STRING:
        return content.decode("utf-16-be", "replace")
    if tag == UNIVERSAL_STRING:
        return content.decode("utf-32-be", "replace")
    if tag == UTF8_STRING or tag in OCTET_STRINGS:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            return content.decode("latin-1")
    return None


def name_text(data: bytes, tlv: der.TLV) -> str:
    """A Name as one line much like RFC 4514: the last RDN first, made safe to show.

    Long values are cut; types without a short name are in dotted decimal.
    """
    if tlv.tag != der.SEQUENCE:
        raise MalformedError("is not a SEQUENCE")
    rdns: list[str] = []
    for rdn in der.children(data, tlv.start, tlv.end):
        attributes = der.children(data, rdn.start, rdn.end)
        rdns.append("+".join(_attribute_text(data, attribute) for attribute in attributes))
        if len(rdns) > _RDN_LIMIT:
            raise MalformedError(f"has more than {_RDN_LIMIT} RDNs")
    return display(",".join(reversed(rdns)))


def _attribute_text(data: bytes, tlv: der.TLV) -> str:
    kind = der.read_tlv(data, tlv.start, tlv.end)
    oid = der.oid_text(data[kind.start : kind.end])
    value = der.read_tlv(data, kind.end, tlv.end)
    content = der.octets(data, value)[:_TEXT_LIMIT]
    text = string(value.tag & ~_CONSTRUCTED, content)
    text = f"#{content.hex()}" if text is None else _SPECIAL.sub(r"\\\1", text)
    return f"{_ATTRIBUTES.get(oid, oid)}={text}"


def key_description(data: bytes) -> str:
    """A SubjectPublicKeyInfo in a few words: `ECDSA P-256`, `RSA 2048`, `Ed25519`."""
    outer = der.read_tlv(data, 0, len(data))
    algorithm = der.read_tlv(data, outer.start, outer.end)
    key = der.read_tlv(data, algorithm.end, outer.end)
    kind = der.read_tlv(data, algorithm.start, algorithm.end)
    oid = der.oid_text(data[kind.start : kind.end])
    if oid in _NAMED_KEYS:
        return _NAMED_KEYS[oid]
    if oid == _EC_KEY:
        return f"ECDSA {_curve(data, kind.end, algorithm.end)}"
    if oid in _RSA_KEYS:
        return f"{_RSA_KEYS[oid]} {_modulus_bits(data, key)}"
    if oid == _DSA_KEY:
        return "DSA"
    return f"key of type {oid}"


def _curve(data: bytes, start: int, end: int) -> str:
    """The curve in ECParameters (RFC 5480 section 2.1.1), which may spell one out."""
    parameters = der.read_tlv(data, start, end)
    if parameters.tag != der.OID:
        return "on a curve of its own"
    oid = der.oid_text(data[parameters.start : parameters.end])
    return _CURVES.get(oid, oid)


def _modulus_bits(data: bytes, key: der.TLV) -> int:
    """The size of an RSA modulus (RFC 3279 section 2.3.1)."""
    if key.tag != der.BIT_STRING or key.start == key.end:
        raise MalformedError("is not a BIT STRING")
    pair = der.read_tlv(data, key.start + 1, key.end)
    modulus = der.read_tlv(data, pair.start, pair.end)
    if modulus.tag != der.INTEGER:
        raise MalformedError("modulus is not an INTEGER")
    return int.from_bytes(data[modulus.start : modulus.end], "big").bit_length()

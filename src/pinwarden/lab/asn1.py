"""A DER writer of a few lines, for certificates that a proper library refuses to make.

The reading half only takes apart what the lab itself has written. Hostile bytes
are the business of `pinwarden.x509`; the lab shares no code with it, so that a
mistake there cannot hide itself here.
"""

from __future__ import annotations

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, NUMERIC_STRING, PRINTABLE_STRING, TELETEX_STRING = 0x0C, 0x12, 0x13, 0x14
IA5_STRING, VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 0x16, 0x1A, 0x1C, 0x1E
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

# Positions in a TBSCertificate that has an explicit version (RFC 5280 section 4.1).
VERSION, SERIAL, SIGNATURE, ISSUER, VALIDITY, SUBJECT, SPKI, EXTENSIONS = range(8)

EXTENSIONS_TAG = 0xA3
POISON_OID = "1.3.6.1.4.1.11129.2.4.3"
SCT_LIST_OID = "1.3.6.1.4.1.11129.2.4.2"
SAN_OID = "2.5.29.17"
BASIC_CONSTRAINTS_OID = "2.5.29.19"
AUTHORITY_KEY_OID = "2.5.29.35"
COMMON_NAME_OID = "2.5.4.3"


def length(size: int) -> bytes:
    """A length in the shortest form, as DER wants it (X.690 section 10.1)."""
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def element(tag: int, *parts: bytes) -> bytes:
    """One element around the given parts."""
    body = b"".join(parts)
    return bytes([tag]) + length(len(body)) + body


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of the given elements."""
    return element(SEQUENCE, *parts)


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(septets))
    return element(OID, bytes(out))


def extension(dotted: str, value: bytes, *, critical: bytes = b"") -> bytes:
    """An Extension; `critical` is the encoded BOOLEAN, left out when empty."""
    return sequence(oid(dotted), critical, element(OCTET_STRING, value))


def general_name(number: int, value: bytes) -> bytes:
    """A GeneralName of the implicitly tagged, primitive sort."""
    return element(0x80 | number, value)


def attribute(dotted: str, tag: int, value: bytes) -> bytes:
    """An AttributeTypeAndValue of a name."""
    return sequence(oid(dotted), element(tag, value))


def name(*rdns: tuple[bytes, ...]) -> bytes:
    """A Name of relative distinguished names, each of one or more attributes."""
    return sequence(*(element(SET, *attributes) for attributes in rdns))


def contents(der: bytes) -> bytes:
    """What stands inside the first element of `der`."""
    start, end = _bounds(der, 0)
    return der[start:end]


def children(der: bytes) -> list[bytes]:
    """The elements inside the first element of `der`, each with its header."""
    position, end = _bounds(der, 0)
    found = []
    while position < end:
        _, stop = _bounds(der, position)
        found.append(der[position:stop])
        position = stop
    return found


def replace_field(tbs: bytes, field: int, value: bytes) -> bytes:
    """A TBSCertificate with one of its fields replaced."""
    fields = children(tbs)
    fields[field] = value
    return sequence(*fields)


def extensions_of(tbs: bytes) -> list[bytes]:
    """The Extension elements of a TBSCertificate."""
    last = children(tbs)[-1]
    return children(contents(last)) if last[0] == EXTENSIONS_TAG else []


def with_extensions(tbs: bytes, extensions: list[bytes]) -> bytes:
    """A TBSCertificate with these extensions; without the field if there are none."""
    fields = [each for each in children(tbs) if each[0] != EXTENSIONS_TAG]
    if extensions:
        fields.append(element(EXTENSIONS_TAG, sequence(*extensions)))
    return sequence(*fields)


def without_extension(tbs: bytes, dotted: str) -> bytes:
    """A TBSCertificate without any extension of this type, every other byte kept."""
    kind = oid(dotted)
    kept = [each for each in extensions_of(tbs) if children(each)[0] != kind]
    return with_extensions(tbs, kept)


def replace_extension(tbs: bytes, dotted: str, *replacements: bytes) -> bytes:
    """A TBSCertificate whose extension of this type gave way to others, in its place."""
    kind = oid(dotted)
    out: list[bytes] = []
    for each in extensions_of(tbs):
        out.extend(replacements if children(each)[0] == kind else (each,))
    return with_extensions(tbs, out)


def _bounds(der: bytes, position: int) -> tuple[int, int]:
    size = der[position + 1]
    start = position + 2
    if size & 0x80:
        digits = size & 0x7F
        size = int.from_bytes(der[start : start + digits], "big")
        start += digits
    return start, start + size

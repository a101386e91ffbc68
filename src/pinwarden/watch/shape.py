r"""The ordinary log entry, as one regular expression over its bytes.

DER puts the length of every value in front of it. A regular expression cannot
count, but it can enumerate: `\x05.{5}|\x06.{6}|…` accepts a value exactly when
its length is right. Written out for every structure of a TBSCertificate, that
is a complete check of an ordinary one, made in one call of compiled code
instead of a walk in Python. The lengths of the envelopes around what is checked
piece by piece are compared afterwards (`extensions_headers` and its neighbours).

No two alternatives fit the same bytes, so a match that fails has nothing else to
try and hostile input costs one pass. (Possessive repetitions would say so, but
before CPython 3.11.5 they lose matches.) The commonest alternatives stand first,
because that is where the time goes.

Layout after RFC 6962 section 3.4 and RFC 5280 section 4.1:

    MerkleTreeLeaf  v1 0, type 0, timestamp 8, entry_type 2, then
                    x509: length 3, Certificate | precert: hash 32, length 3, TBS
    Certificate    ::= SEQUENCE { tbsCertificate, … }
    TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer,
        validity, subject, subjectPublicKeyInfo, [3] extensions }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

# A name of these characters has one reading only. The last must be a letter: a
# final digit may make it an address, a final dot or star is odd.
_PLAIN = rb"[A-Za-z0-9_.*-]"
_LETTER = rb"[A-Za-z]"

# The OIDs of ordinary extensions, whole: one that cannot be read might be that of
# subjectAltName, which is the one left out of the first row.
_ORDINARY_OID = (
    rb"\x06(?:\x03\x55\x1d[\x09\x0e\x0f\x12\x13\x1e\x1f\x20\x23\x24\x25]"  # id-ce, 2.5.29
    rb"|\x08\x2b\x06\x01\x05\x05\x07\x01[\x00-\x7f]"  # id-pe: authorityInfoAccess, …
    rb"|\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04[\x02-\x05]"  # RFC 6962: SCT list, poison
    rb"|\x09\x2b\x06\x01\x04\x01\x82\x37[\x14\x15][\x00-\x7f]"  # Microsoft
    rb"|\x09\x60\x86\x48\x01\x86\xf8\x42\x01[\x00-\x7f]"  # Netscape
    rb"|\x09\x2a\x86\x48\x86\xf6\x7d\x07\x41\x00"  # Entrust
    rb"|\x0a\x2a\x86\x48\x86\xf7\x63\x64\x06[\x00-\x7f]{2}"  # Apple
    rb"|\x0b\x2a\x86\x48\x86\xf7\x63\x64\x06[\x00-\x7f]{3}"
    rb"|\x05\x67\x81\x0c\x03\x01)"  # CA/Browser Forum: organizationIdentifier
)
_SUBJECT_ALT_NAME = b"\x06\x03\x55\x1d\x11"
_CRITICAL = b"\x01\x01\xff"

# UTF8String, PrintableString and IA5String read alike for plain ASCII;
# elsewhere than in a common name the string type does not matter.
_ASCII_STRING = rb"[\x0c\x13\x16]"
_ANY_STRING = rb"[\x0c\x13\x14\x16]"

# id-at (2.5.4) attributes other than the common name, and the jurisdiction of EV
# certificates (1.3.6.1.4.1.311.60.2.1).
_X520_OID = rb"\x55\x04[\x04-\x7f]"
_JURISDICTION_OID = rb"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01[\x01-\x03]"

_ANY_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
# SubjectPublicKeyInfo of P-256, RSA 2048, P-384, RSA 4096 and 3072, Ed25519, P-521.
_KEY_SIZES = (89, 290, 118, 546, 418, 42, 155)
_LONGEST_NAME = 127
_LONGEST_CN = 64

# Whoever fills a log chooses the lengths; real ones are a few thousand.
_MOST_HEADERS = 1 << 14

# SET, SEQUENCE, OID and string headers before the value of a common name.
COMMON_NAME_HEADER = 11


def der_length(length: int) -> bytes:
    """A length in the one form that DER allows (X.690 section 10.1)."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _either(branches: Iterable[bytes]) -> bytes:
    return b"(?:" + b"|".join(branches) + b")"


def _sized(lengths: Iterable[int], content: Callable[[int], bytes]) -> bytes:
    """A length followed by the content for it, for every one of `lengths`."""
    grouped: dict[bytes, list[bytes]] = {b"": []}
    for length in lengths:
        encoded = der_length(length)
        branch = re.escape(encoded[-1:]) + content(length)
        grouped.setdefault(encoded[:-1], []).append(branch)
    short = grouped.pop(b"")
    return _either(short + [re.escape(prefix) + _either(each) for prefix, each in grouped.items()])


def _anything(length: int) -> bytes:
    return b".{%d}" % length


def _name(length: int) -> bytes:
    return _PLAIN + b"{%d}" % (length - 1) + _LETTER


def _rdn(length: int, oid: bytes, oid_length: int, string: bytes, value: bytes) -> bytes:
    """What follows the SET tag of an RDN of one attribute with a value of `length` bytes.

    The lengths of SET, SEQUENCE and value must all say the same.
    """
    inner = 2 + oid_length + 2 + length
    header = re.escape(bytes([2 + inner, 0x30, inner, 0x06, oid_length]))
    return header + oid + string + re.escape(bytes([length])) + value


def _common_name(length: int) -> bytes:
    return _rdn(length, rb"\x55\x04\x03", 3, _ASCII_STRING, _name(length))


def _subject() -> bytes:
    """An empty Name, one with a common name only (group 1), or another (group 2, its CN 3)."""
    lengths = range(1, _LONGEST_CN + 1)
    lone = _either(
        re.escape(bytes([COMMON_NAME_HEADER + length])) + rb"\x31" + _common_name(length)
        for length in lengths
    )
    other = rb"\x31" + _either(
        _rdn(length, oid, oid_length, _ANY_STRING, _anything(length))
        for oid, oid_length in ((_X520_OID, 3), (_JURISDICTION_OID, 11))
        for length in lengths
    )
    common_name = rb"\x31" + _either(_common_name(length) for length in lengths)
    several = (
        rb"(\x30" + _ANY_LENGTH + rb"(?:" + other + rb")*"
        rb"(?:(" + common_name + rb")(?:" + other + rb")*)?)"
    )  # fmt: skip
    return _either([rb"\x30\x00", rb"\x30(" + lone + rb")", several])


def _extensions() -> bytes:
    """Any number of ordinary extensions; the look-ahead is at their OIDs."""
    sizes = ((b".", range(128)), (rb"\x81.", range(128, 256)), (rb"\x82..", range(256, 640)))
    sized = (
        rb"(?=" + length + _ORDINARY_OID + rb")" + _sized(lengths, _anything)
        for length, lengths in sizes
    )
    return rb"(?:\x30" + _either(sized) + rb")*"


def _compile() -> re.Pattern[bytes]:
    short = _sized(range(128), _anything)
    key = _sized(_KEY_SIZES, _anything)
    names = rb"(?:\x82" + _sized(range(1, _LONGEST_NAME + 1), _name) + rb")*"
    return re.compile(
        rb"(?s)\x00\x00.{8}\x00(?:\x01.{35}|\x00.{3}\x30\x82..)"
        rb"\x30\x82..\xa0\x03\x02\x01\x02"
         rb"\x02" + _sized(range(1, 24), _anything)  # serialNumber
        + rb"\x30" + short  # signature
        + rb"\x30" + _sized(range(256), _anything)  # issuer
        + rb"\x30" + short  # validity
        + _subject()  # groups 1, 2, 3
        + rb"\x30" + key  # subjectPublicKeyInfo
        + rb"(\xa3" + _ANY_LENGTH + rb"\x30" + _ANY_LENGTH + rb")"  # group 4
        + _extensions()
        + rb"(\x30" + _ANY_LENGTH + _SUBJECT_ALT_NAME  # group 5
        + rb"(?:" + _CRITICAL + rb")?\x04" + _ANY_LENGTH + rb"\x30" + _ANY_LENGTH + rb")"
        + rb"(" + names + rb")"  # group 6
        + _extensions()
    )  # fmt: skip


match_ordinary = _compile().match

# The groups of the match. LONE_NAME has lost the tag of the subject, OTHER_NAME
# begins with that of the RDN; OTHER_SUBJECT is a whole Name.
LONE_NAME, OTHER_SUBJECT, OTHER_NAME, EXTENSIONS_HEADER, SAN_HEADER, SAN = range(1, 7)


class _Headers(dict[int, T]):
    """Headers by the length of what they stand before, made when first asked for."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make

    def __missing__(self, length: int) -> T:
        if len(self) >= _MOST_HEADERS:
            self.clear()
        made = self[length] = self._make(length)
        return made


def _sequence_header(length: int) -> bytes:
    return b"\x30" + der_length(length)


def _precert_header(length: int) -> bytes:
    header = _sequence_header(length)
    return (len(header) + length).to_bytes(3, "big") + header


def _extensions_header(length: int) -> bytes:
    inner = _sequence_header(length)
    return b"\xa3" + der_length(len(inner) + length) + inner


def _san_headers(length: int) -> tuple[bytes, bytes]:
    names = _sequence_header(length)
    octets = b"\x04" + der_length(len(names) + length) + names
    plain, critical = _SUBJECT_ALT_NAME + octets, _SUBJECT_ALT_NAME + _CRITICAL + octets
    return (
        _sequence_header(len(plain) + length) + plain,
        _sequence_header(len(critical) + length) + critical,
    )


# The header of a SEQUENCE of so many bytes.
sequence_headers = _Headers(_sequence_header)
# The length in the leaf, and the header, of a TBSCertificate of so many bytes.
precert_headers = _Headers(_precert_header)
# The headers of [3] and of the SEQUENCE in it, around so many bytes.
extensions_headers = _Headers(_extensions_header)
# The headers of a SAN extension around names of so many bytes: plain, and critical.
san_headers = _Headers(_san_headers)

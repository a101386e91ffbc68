"""The SubjectPublicKeyInfo of a certificate, cut out of it byte for byte.

Never decoded and encoded again: that gives other bytes for RSA-PSS keys, compressed
points and explicit curve parameters, and so another pin. And strictly DER, unlike the
tolerant reading of `x509`: if our reader and the TLS library could disagree on where
the key lies, a certificate could show one key to each.
"""

from __future__ import annotations

from functools import lru_cache

from pinwarden.errors import MalformedError
from pinwarden.pinning.pin import Pin

__all__ = ["pin_of_certificate", "spki_of_certificate", "spki_of_request", "strict_spki"]

_INTEGER, _BIT_STRING, _SEQUENCE = 0x02, 0x03, 0x30
_VERSION, _ATTRIBUTES = 0xA0, 0xA0
_ISSUER_UNIQUE_ID, _SUBJECT_UNIQUE_ID, _EXTENSIONS = 0x81, 0x82, 0xA3
_LONGEST = 1 << 20


@lru_cache(maxsize=1024)
def pin_of_certificate(certificate: bytes) -> Pin:
    """The pin of the key in a certificate in DER; raises `MalformedError`."""
    return Pin.of_spki(spki_of_certificate(certificate))


def spki_of_certificate(certificate: bytes) -> bytes:
    """The bytes of the SubjectPublicKeyInfo (RFC 5280 section 4.1).

    Raises `MalformedError` unless the certificate, down to the fields of its
    TBSCertificate, is in DER and nothing follows it.
    """
    reader = _Reader(certificate, "certificate").all_of(_SEQUENCE)
    tbs = reader.enter(_SEQUENCE, "TBSCertificate")
    if tbs.next_tag() == _VERSION:
        tbs.skip(_VERSION, "version")
    tbs.skip(_INTEGER, "serial number")
    for field in ("signature", "issuer", "validity", "subject"):
        tbs.skip(_SEQUENCE, field)
    spki = tbs.take(_SEQUENCE, "subjectPublicKeyInfo")
    for tag in (_ISSUER_UNIQUE_ID, _SUBJECT_UNIQUE_ID, _EXTENSIONS):
        if tbs.next_tag() == tag:
            tbs.skip(tag, "extensions")
    tbs.ends()
    reader.skip(_SEQUENCE, "signatureAlgorithm")
    reader.skip(_BIT_STRING, "signatureValue")
    reader.ends()
    return strict_spki(spki)


def spki_of_request(request: bytes) -> bytes:
    """The bytes of the SubjectPublicKeyInfo of a certification request (RFC 2986 section 4).

    Raises `MalformedError` as `spki_of_certificate` does.
    """
    reader = _Reader(request, "certification request").all_of(_SEQUENCE)
    info = reader.enter(_SEQUENCE, "certificationRequestInfo")
    info.skip(_INTEGER, "version")
    info.skip(_SEQUENCE, "subject")
    spki = info.take(_SEQUENCE, "subjectPKInfo")
    if info.next_tag() == _ATTRIBUTES:
        info.skip(_ATTRIBUTES, "attributes")
    info.ends()
    reader.skip(_SEQUENCE, "signatureAlgorithm")
    reader.skip(_BIT_STRING, "signature")
    reader.ends()
    return strict_spki(spki)


def strict_spki(spki: bytes) -> bytes:
    """The same bytes, if they are one SubjectPublicKeyInfo in DER; raises `MalformedError`."""
    reader = _Reader(spki, "public key").all_of(_SEQUENCE)
    reader.skip(_SEQUENCE, "algorithm")
    reader.skip(_BIT_STRING, "subjectPublicKey")
    reader.ends()
    return spki


class _Reader:
    """The elements of a value in DER, one after the other; short and definite lengths only."""

    __slots__ = ("_at", "_data", "_end", "_what")

    def __init__(self, data: bytes, what: str, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = start
        self._end = len(data) if end is None else end
        self._what = what
        if self._end > _LONGEST:
            raise self._wrong("is larger than 1 MiB")

    def all_of(self, tag: int) -> _Reader:
        """The inside of the one element that this is."""
        inside = self.enter(tag, self._what)
        self.ends()
        return inside

    def next_tag(self) -> int | None:
        """The tag of what comes next, or None at the end."""
        return self._data[self._at] if self._at < self._end else None

    def enter(self, tag: int, field: str) -> _Reader:
        """The inside of the next element, which is passed over."""
        start, end = self._element(tag, field)
        self._at = end
        return _Reader(self._data, self._what, start, end)

    def skip(self, tag: int, field: str) -> None:
        """Pass over the next element."""
        self._at = self._element(tag, field)[1]

    def take(self, tag: int, field: str) -> bytes:
        """The next element whole, with its header."""
        begins = self._at
        self._at = self._element(tag, field)[1]
        return self._data[begins : self._at]

    def ends(self) -> None:
        """Refuse anything more."""
        if self._at != self._end:
            raise self._wrong("holds more than it should")

    def _element(self, tag: int, field: str) -> tuple[int, int]:
        """Where the content of the next element begins and ends (X.690 section 10.1)."""
        data, at = self._data, self._at
        if at + 2 > self._end:
            raise self._wrong(f"ends before its {field}")
        if data[at] != tag:
            raise self._wrong(f"has tag {data[at]:#04x} for its {field}, not {tag:#04x}")
        length, at = data[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            coded = data[at : min(at + octets, self._end)]
            length, at = int.from_bytes(coded, "big"), at + octets
            if not coded or coded[0] == 0 or length < 0x80 or len(coded) != octets:
                raise self._wrong(f"does not code the length of its {field} in DER")
        if at + length > self._end:
            raise self._wrong(f"ends inside its {field}")
        return at, at + length

    def _wrong(self, problem: str) -> MalformedError:
        return MalformedError(f"{self._what}: {problem}")

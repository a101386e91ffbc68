"""A tolerant view of a certificate: raw fields, each decoded when it is asked for.

Rules of this file:

1. A view exists as soon as the TBSCertificate falls into its fields. What is in
   a field is looked at on access, which gives a value or `MalformedError`;
   one bad field never costs another.
2. What could not be read is never reported as absent: asking for an extension
   raises if an unreadable one could be it.
3. Nothing is verified here, and nothing is decoded and encoded again.

References: RFC 5280 section 4.1, RFC 6962 section 3.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NewType

from pinwarden.errors import MalformedError
from pinwarden.x509 import fields
from pinwarden.x509.der import BOOLEAN, OCTET_STRING, SEQUENCE, TLV, children, read_tlv, reading
from pinwarden.x509.extensions import (
    BASIC_CONSTRAINTS,
    FIELD_TAG,
    POISON,
    SCT_LIST,
    Extension,
    ExtensionProblem,
    read_extensions,
)
from pinwarden.x509.identifiers import Identifiers, read_identifiers

__all__ = [
    "CertFingerprint",
    "CertificateView",
    "Extension",
    "Identifiers",
    "IssuerKeyHash",
    "SPKIHash",
    "TBSHash",
    "view_certificate",
    "view_tbs",
]

TBSHash = NewType("TBSHash", bytes)
"""SHA-256 of the TBSCertificate as logged: the identity of one issuance."""
SPKIHash = NewType("SPKIHash", bytes)
"""SHA-256 of a SubjectPublicKeyInfo: what is pinned."""
CertFingerprint = NewType("CertFingerprint", bytes)
"""SHA-256 of a whole certificate."""
IssuerKeyHash = NewType("IssuerKeyHash", bytes)
"""SHA-256 of the SubjectPublicKeyInfo of the issuing CA (RFC 6962 section 3.2)."""

VERSION_TAG = 0xA0
# RFC 5280 knows ten.
FIELD_LIMIT = 32
_UNIQUE_ID_TAGS = frozenset((0x81, 0x82, 0xA1, 0xA2))
_SERIAL, _ISSUER, _VALIDITY, _SUBJECT, _SPKI = 0, 2, 3, 4, 5


@dataclass(frozen=True, slots=True, repr=False)
class CertificateView:
    """A certificate, or a bare TBSCertificate, of which every field is read by itself.

    Every property that decodes something raises `MalformedError` if it cannot.
    `der` is None for a bare TBSCertificate.
    """

    tbs: bytes
    der: bytes | None
    _fields: tuple[TLV, ...]

    @property
    def tbs_fields(self) -> tuple[TLV, ...]:
        """Where in `tbs` its fields are, without the version."""
        return self._fields

    @property
    def serial(self) -> int:
        """The serial number; negative if it was so encoded."""
        with reading("serial number"):
            return fields.integer(self.tbs, self._fields[_SERIAL])

    @property
    def issuer(self) -> bytes:
        """The issuer Name as encoded."""
        return self._raw(_ISSUER)

    @property
    def subject(self) -> bytes:
        """The subject Name as encoded."""
        return self._raw(_SUBJECT)

    @property
    def issuer_text(self) -> str:
        """The issuer as one line much like RFC 4514, safe to show."""
        with reading("issuer"):
            return fields.name_text(self.tbs, self._fields[_ISSUER])

    @property
    def subject_text(self) -> str:
        """The subject as one line much like RFC 4514, safe to show."""
        with reading("subject"):
            return fields.name_text(self.tbs, self._fields[_SUBJECT])

    @property
    def not_before(self) -> datetime:
        """When the validity begins."""
        with reading("notBefore"):
            return fields.validity(self.tbs, self._fields[_VALIDITY], 0)

    @property
    def not_after(self) -> datetime:
        """When the validity ends."""
        with reading("notAfter"):
            return fields.validity(self.tbs, self._fields[_VALIDITY], 1)

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo as encoded."""
        return self._raw(_SPKI)

    @property
    def spki_hash(self) -> SPKIHash:
        """SHA-256 of the SubjectPublicKeyInfo."""
        return SPKIHash(hashlib.sha256(self.spki).digest())

    @property
    def key_description(self) -> str:
        """The kind and size of the key, such as `ECDSA P-256` or `RSA 2048`."""
        with reading("subjectPublicKeyInfo"):
            return fields.key_description(self.spki)

    @property
    def fingerprint(self) -> CertFingerprint | None:
        """SHA-256 of the certificate; None for a bare TBSCertificate."""
        if self.der is None:
            return None
        return CertFingerprint(hashlib.sha256(self.der).digest())

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions that can be read, in their order, duplicates included."""
        return tuple(self._extensions()[0])

    @property
    def extension_problems(self) -> tuple[ExtensionProblem, ...]:
        """The extensions that cannot be read."""
        return tuple(self._extensions()[1])

    def extension(self, oid: str) -> Extension | None:
        """The one extension of this type, or None if there is certainly none.

        Raises `MalformedError` if there are several (RFC 5280 section 4.2
        forbids that), or if an unreadable one may be of this type.
        """
        found, problems = self._extensions()
        matching = [extension for extension in found if extension.oid == oid]
        for problem in problems:
            if problem.oid == oid or (problem.oid is None and not matching):
                raise MalformedError(str(problem.error))
        if len(matching) > 1:
            raise MalformedError(f"extension {oid}: occurs {len(matching)} times")
        return matching[0] if matching else None

    @property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject are one name (RFC 5280 section 3.2)."""
        return self.issuer == self.subject

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says cA (RFC 5280 section 4.2.1.9)."""
        extension = self.extension(BASIC_CONSTRAINTS)
        if extension is None:
            return False
        with reading("basicConstraints"):
            value = extension.value
            outer = read_tlv(value, 0, len(value))
            if outer.tag != SEQUENCE:
                raise MalformedError("is not a SEQUENCE")
            first = next(children(value, outer.start, outer.end), None)
            return (
                first is not None and first.tag == BOOLEAN and any(value[first.start : first.end])
            )

    @property
    def sct_list(self) -> bytes | None:
        """The SignedCertificateTimestampList embedded (RFC 6962 section 3.3), undecoded."""
        extension = self.extension(SCT_LIST)
        if extension is None:
            return None
        with reading("SCT list"):
            inner = read_tlv(extension.value, 0, len(extension.value))
            if inner.tag != OCTET_STRING or inner.end != len(extension.value):
                raise MalformedError("is not one OCTET STRING")
            return extension.value[inner.start : inner.end]

    @property
    def is_precertificate(self) -> bool:
        """Whether there is a poison extension, whatever its value (RFC 6962 section 3.1)."""
        if any(extension.oid == POISON for extension in self._extensions()[0]):
            return True
        return self.extension(POISON) is not None

    def identifiers(self) -> Identifiers:
        """All names in subjectAltName and commonName; never raises."""
        found, problems = self._extensions()
        return read_identifiers(self.tbs, self._fields[_SUBJECT], found, problems)

    def _raw(self, position: int) -> bytes:
        tlv = self._fields[position]
        return self.tbs[tlv.header_start : tlv.end]

    def _extensions(self) -> tuple[list[Extension], list[ExtensionProblem]]:
        tail = self._fields[_SPKI + 1 :]
        found, problems = read_extensions(self.tbs, [t for t in tail if t.tag == FIELD_TAG])
        for tlv in tail:
            if tlv.tag != FIELD_TAG and tlv.tag not in _UNIQUE_ID_TAGS:
                error = MalformedError(f"TBSCertificate: has an unknown field {tlv.tag:#04x}")
                problems.append(ExtensionProblem(None, error))
        return found, problems


def view_certificate(certificate: bytes) -> CertificateView:
    """A view of a whole certificate; bytes after it are left out.

    Raises `MalformedError` only if the outer structure or the TBSCertificate
    does not fall into elements.
    """
    try:
        outer = _sequence(certificate, 0, len(certificate))
        tbs = _sequence(certificate, outer.start, outer.end)
    except MalformedError as error:
        raise MalformedError(f"certificate: {error}") from error
    within = tbs.start - tbs.header_start
    return _view(certificate[tbs.header_start : tbs.end], within, certificate[: outer.end])


def view_tbs(tbs: bytes) -> CertificateView:
    """A view of a bare TBSCertificate, as log entries for precertificates hold it.

    Raises `MalformedError` only if it does not fall into elements.
    """
    with reading("TBSCertificate"):
        outer = _sequence(tbs, 0, len(tbs))
    return _view(tbs[: outer.end], outer.start, None)


def _view(tbs: bytes, start: int, certificate: bytes | None) -> CertificateView:
    """`start` is where the fields begin."""
    try:
        found = tuple(islice(children(tbs, start, len(tbs)), FIELD_LIMIT + 1))
    except MalformedError as error:
        raise MalformedError(f"TBSCertificate: {error}") from error
    if len(found) > FIELD_LIMIT:
        raise MalformedError(f"TBSCertificate: has more than {FIELD_LIMIT} fields")
    if found and found[0].tag == VERSION_TAG:
        found = found[1:]
    if len(found) <= _SPKI:
        raise MalformedError(f"TBSCertificate: has {len(found)} fields, fewer than six")
    return CertificateView(tbs, certificate, found)


def _sequence(data: bytes, start: int, end: int) -> TLV:
    tlv = read_tlv(data, start, end)
    if tlv.tag != SEQUENCE:
        raise MalformedError(f"element at offset {start}: is not a SEQUENCE")
    return tlv

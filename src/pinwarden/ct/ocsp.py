"""The SCTs in an OCSP response, and what the response says of a certificate.

A tolerant walk down the one path that matters (RFC 6960 section 4.2.1, RFC 6962 section
3.3). **Nothing of the response is verified**: an SCT carries the signature of its log, and
what else is read here is the responder's word, if it is the responder's at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.errors import MalformedError
from pinwarden.x509 import fields
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    TLV,
    children,
    oid_text,
    read_tlv,
    reading,
)

__all__ = ["LARGEST_OCSP", "OCSPAnswer", "OCSPStatus", "scts_of_ocsp"]

LARGEST_OCSP = 1 << 18
"""Octets of a response that is read; real ones have half a kilobyte to four."""

_SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
_BASIC = "1.3.6.1.5.5.7.48.1.1"
_ENUMERATED = 0x0A
_EXPLICIT_0, _EXPLICIT_1 = 0xA0, 0xA1
_REFUSALS = {
    1: "malformed request",
    2: "internal error",
    3: "try later",
    5: "signature required",
    6: "unauthorised",
}
# A responder answers for the one certificate; nobody staples hundreds.
_MOST_ANSWERS = 256
_MOST_EXTENSIONS = 64
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


class OCSPStatus(StrEnum):
    """What a response says of a certificate (RFC 6960 section 2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


# CertStatus is a CHOICE of [0] NULL, [1] RevokedInfo and [2] NULL, all implicit.
_STATUSES = {0: OCSPStatus.GOOD, 1: OCSPStatus.REVOKED, 2: OCSPStatus.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class OCSPAnswer:
    """What an OCSP response has about one certificate; none of it is verified.

    `sct_list` is the SignedCertificateTimestampList, undecoded. `problem` is one line that
    says why there is no answer, or what of it could not be read; it is empty for an answer
    that was read to its end, with or without SCTs.
    """

    sct_list: bytes | None = None
    status: OCSPStatus | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    problem: str = ""


def scts_of_ocsp(response: bytes, certificate: CertificateView) -> OCSPAnswer:
    """What an OCSPResponse says of a certificate; never raises."""
    try:
        if len(response) > LARGEST_OCSP:
            raise MalformedError(f"is larger than {LARGEST_OCSP >> 10} KiB")
        basic = _basic_response(response)
        return _answer(basic, _single_for(basic, certificate))
    except MalformedError as error:
        return OCSPAnswer(problem=f"OCSP response: {error}")


def _basic_response(response: bytes) -> bytes:
    """The BasicOCSPResponse inside (RFC 6960 section 4.2.1)."""
    outer = _whole(response, 0, len(response))
    status = read_tlv(response, outer.start, outer.end)
    if status.tag != _ENUMERATED or status.end != status.start + 1:
        raise MalformedError("does not begin with its status")
    if response[status.start]:
        number = response[status.start]
        raise MalformedError(f"is a refusal: {_REFUSALS.get(number, f'status {number}')}")
    explicit = _expect(read_tlv(response, status.end, outer.end), _EXPLICIT_0)
    held = _whole(response, explicit.start, explicit.end)
    kind = _expect(read_tlv(response, held.start, held.end), OID)
    if oid_text(response[kind.start : kind.end]) != _BASIC:
        raise MalformedError("is not of the basic kind")
    body = _expect(read_tlv(response, kind.end, held.end), OCTET_STRING)
    return response[body.start : body.end]


def _single_for(basic: bytes, certificate: CertificateView) -> TLV:
    """The SingleResponse about the certificate: its serial number, and its issuer's name."""
    outer = _whole(basic, 0, len(basic))
    data = _expect(read_tlv(basic, outer.start, outer.end), SEQUENCE)
    # ResponseData: [0] version OPTIONAL, [1] or [2] responder, producedAt, responses.
    responses = next(
        (each for each in children(basic, data.start, data.end) if each.tag == SEQUENCE), None
    )
    if responses is None:
        raise MalformedError("has no list of answers")
    serial, other_issuer = certificate.serial, False
    for number, single in enumerate(children(basic, responses.start, responses.end)):
        if number == _MOST_ANSWERS:
            raise MalformedError(f"has more than {_MOST_ANSWERS} answers")
        _expect(single, SEQUENCE)
        subject = _expect(read_tlv(basic, single.start, single.end), SEQUENCE)
        algorithm, name_hash, _, number_field = _four(basic, subject)
        if fields.integer(basic, number_field) != serial:
            continue
        if _is_name(basic, algorithm, name_hash, certificate.issuer):
            return single
        other_issuer = True
    if other_issuer:
        raise MalformedError("is about a certificate of another issuer")
    raise MalformedError("is about another certificate")


def _four(data: bytes, holder: TLV) -> tuple[TLV, TLV, TLV, TLV]:
    """CertID: hash algorithm, hash of the issuer's name, of its key, serial number."""
    found = list(children(data, holder.start, holder.end))
    tags = tuple(each.tag for each in found)
    if tags != (SEQUENCE, OCTET_STRING, OCTET_STRING, INTEGER):
        raise MalformedError("names its certificate in a form that is not known")
    return found[0], found[1], found[2], found[3]


def _is_name(data: bytes, algorithm: TLV, name_hash: TLV, issuer: bytes) -> bool:
    """Whether the hash is of the issuer's name; a hash that is not known is let pass."""
    kind = _expect(read_tlv(data, algorithm.start, algorithm.end), OID)
    name = _HASHES.get(oid_text(data[kind.start : kind.end]))
    if name is None:
        return True
    return hashlib.new(name, issuer).digest() == data[name_hash.start : name_hash.end]


def _answer(basic: bytes, single: TLV) -> OCSPAnswer:
    parts = children(basic, single.start, single.end)
    next(parts)
    status_field, this_field = next(parts, None), next(parts, None)
    if status_field is None or this_field is None:
        raise MalformedError("has an answer that is cut off")
    status = _STATUSES.get(status_field.tag & 0x1F) if status_field.tag >> 6 == 2 else None
    if status is None:
        raise MalformedError("has an answer of a kind that is not known")
    with reading("thisUpdate"):
        this_update = fields.time(basic, this_field)
    next_update: datetime | None = None
    sct_list: bytes | None = None
    problem = ""
    for part in parts:
        if part.tag == _EXPLICIT_0:
            with reading("nextUpdate"):
                next_update = fields.time(basic, read_tlv(basic, part.start, part.end))
        elif part.tag == _EXPLICIT_1:
            try:
                sct_list = _sct_list(basic, part)
            except MalformedError as error:
                problem = f"OCSP response: SCT list: {error}"
    return OCSPAnswer(
        sct_list=sct_list,
        status=status,
        this_update=this_update,
        next_update=next_update,
        problem=problem,
    )


def _sct_list(basic: bytes, holder: TLV) -> bytes | None:
    """The list in the singleExtensions (RFC 6962 section 3.3), inside two OCTET STRINGs."""
    found: bytes | None = None
    for value in _values(basic, holder, _SCT_LIST):
        if found is not None:
            raise MalformedError("occurs twice")
        inner = read_tlv(value, 0, len(value))
        if inner.tag != OCTET_STRING or inner.end != len(value):
            raise MalformedError("is not one OCTET STRING")
        found = value[inner.start : inner.end]
    return found


def _values(data: bytes, holder: TLV, oid: str) -> Iterator[bytes]:
    """The values of the extensions of one type."""
    outer = _whole(data, holder.start, holder.end)
    for number, item in enumerate(children(data, outer.start, outer.end)):
        if number == _MOST_EXTENSIONS:
            raise MalformedError(f"is behind more than {_MOST_EXTENSIONS} extensions")
        parts = list(children(data, item.start, item.end))
        if len(parts) < 2 or parts[0].tag != OID or parts[-1].tag != OCTET_STRING:
            raise MalformedError("stands among extensions that cannot be read")
        if oid_text(data[parts[0].start : parts[0].end]) == oid:
            yield data[parts[-1].start : parts[-1].end]


def _whole(data: bytes, start: int, end: int) -> TLV:
    """The one SEQUENCE that fills its place."""
    found = _expect(read_tlv(data, start, end), SEQUENCE)
    if found.end != end:
        raise MalformedError("has bytes after its end")
    return found


def _expect(found: TLV, tag: int) -> TLV:
    if found.tag != tag:
        raise MalformedError(f"element at offset {found.header_start}: is not what belongs there")
    return found

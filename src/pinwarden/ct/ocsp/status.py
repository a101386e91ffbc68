"""What an OCSP response says of a certificate, believed only as far as it is signed.

The rules of RFC 6960 section 3.2: about this certificate of this issuer, signed by the
issuer or by a responder that the issuer authorised (section 4.2.2.2), and of now. Who
staples a response chooses it: one of yesterday's key, of another CA, or made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from pinwarden.ct.ocsp.response import BasicResponse, SingleAnswer, expect, parse_response, whole
from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.x509 import fields
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.der import BIT_STRING, OCTET_STRING, OID, children, oid_text, read_tlv, reading
from pinwarden.x509.signature import verify_issued, verify_signature

__all__ = ["OCSPAnswer", "OCSPStatus", "evaluate_ocsp"]

_KEY_USAGES = "2.5.29.37"
_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
_BY_NAME = 0xA1
# A responder's certificate is one; each that is tried costs two signatures.
_MOST_RESPONDERS = 8
_MOST_USAGES = 64
# Two clocks of two machines.
_SKEW = timedelta(minutes=5)
# CA/Browser Forum Baseline Requirements 4.9.10: no response is valid for longer.
_LONGEST = timedelta(days=10)


class OCSPStatus(StrEnum):
    """What a response says of a certificate (RFC 6960 section 2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


# CertStatus is a CHOICE of [0] NULL, [1] RevokedInfo and [2] NULL, all implicit.
_REVOKED = 0xA1
_STATUSES = {0x80: OCSPStatus.GOOD, _REVOKED: OCSPStatus.REVOKED, 0x82: OCSPStatus.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class OCSPAnswer:
    """What an OCSP response has about one certificate, verified.

    `status` is None where the response counts for nothing, and `problem` says why in one
    line. The times are there if the response verifies, also if it is out of date:
    `revoked_at` for one that is revoked.
    """

    status: OCSPStatus | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    problem: str = ""


def evaluate_ocsp(
    response: bytes, certificate: CertificateView, issuer: CertificateView | None, at: datetime
) -> OCSPAnswer:
    """What an OCSPResponse says of a certificate at a time; never raises.

    `issuer` is the certificate that signed it, as `issuer_among` finds it; without it nothing
    can be verified. A certificate that was revoked stays so: that counts also in a response
    that is out of date. Whether the responder's own certificate was revoked is not looked at.
    """
    try:
        basic = parse_response(response)
        answers = list(basic.answers_for(certificate))
        if issuer is None:
            raise MalformedError("cannot be verified without the certificate of the issuer")
        key = _key_bits(issuer)
        answer = next((each for each in answers if each.is_by_key(key)), None)
        if answer is None:
            raise MalformedError("is about a certificate of another key of the issuer")
        _verify_response(basic, issuer, at)
        return _as_of(answer, at)
    except (MalformedError, BadSignatureError) as error:
        return OCSPAnswer(problem=f"OCSP response: {error}")


def _as_of(answer: SingleAnswer, at: datetime) -> OCSPAnswer:
    data = answer.data
    status = _STATUSES.get(answer.status.tag)
    if status is None:
        raise MalformedError("has an answer of a kind that is not known")
    with reading("thisUpdate"):
        this_update = fields.time(data, answer.this_update)
    next_update = revoked_at = None
    if answer.next_update is not None:
        with reading("nextUpdate"):
            place = read_tlv(data, answer.next_update.start, answer.next_update.end)
            next_update = fields.time(data, place)
    if status is OCSPStatus.REVOKED:
        with reading("revocationTime"):
            place = read_tlv(data, answer.status.start, answer.status.end)
            revoked_at = fields.time(data, place)
    problem = _out_of_date(this_update, next_update, at)
    counts = not problem or (status is OCSPStatus.REVOKED and this_update <= at + _SKEW)
    return OCSPAnswer(
        status=status if counts else None,
        this_update=this_update,
        next_update=next_update,
        revoked_at=revoked_at,
        problem=f"OCSP response: {problem}" if problem else "",
    )


def _out_of_date(this_update: datetime, next_update: datetime | None, at: datetime) -> str:
    if this_update > at + _SKEW:
        return f"is of {_moment(this_update)}, after the time of this check"
    if next_update is not None and next_update < at:
        return f"is out of date since {_moment(next_update)}"
    if next_update is None and at - this_update > _LONGEST:
        return f"is of {_moment(this_update)}, and does not say until when it holds"
    return ""


def _verify_response(basic: BasicResponse, issuer: CertificateView, at: datetime) -> None:
    """Raises `BadSignatureError` unless one signed it who may."""
    data = basic.data
    signature = data[basic.signature.start : basic.signature.end]
    if signature[:1] != b"\0":
        raise MalformedError("its signature is not in whole octets")
    algorithm = data[basic.algorithm.header_start : basic.algorithm.end]
    signed = data[basic.signed.header_start : basic.signed.end]
    why = "is by a responder that is neither the issuer nor comes with a certificate"
    for each in (issuer, *_sent(basic)):
        if not _is_named(basic, each):
            continue
        try:
            verify_signature(each.spki, algorithm, signed, signature[1:])
        except (BadSignatureError, MalformedError):
            why = "its responder did not sign it"
            continue
        if each is issuer:
            return
        why = _not_authorised(each, issuer, at)
        if not why:
            return
    raise BadSignatureError(why)


def _sent(basic: BasicResponse) -> Iterator[CertificateView]:
    """The certificates in the response that can be read."""
    if basic.certificates is None:
        return
    held = whole(basic.data, basic.certificates.start, basic.certificates.end)
    for each in islice(children(basic.data, held.start, held.end), _MOST_RESPONDERS):
        try:
            yield view_certificate(basic.data[each.header_start : each.end])
        except MalformedError:
            continue


def _is_named(basic: BasicResponse, certificate: CertificateView) -> bool:
    """Whether it is the responder's, as the response has it."""
    place = basic.responder
    if place.tag == _BY_NAME:
        return basic.data[place.start : place.end] == certificate.subject
    held = expect(read_tlv(basic.data, place.start, place.end), OCTET_STRING)
    try:
        digest = hashlib.sha1(_key_bits(certificate), usedforsecurity=False).digest()
    except MalformedError:
        return False
    return digest == basic.data[held.start : held.end]


def _not_authorised(responder: CertificateView, issuer: CertificateView, at: datetime) -> str:
    """Why a responder may not speak for the issuer (RFC 6960 section 4.2.2.2); "" if it may."""
    try:
        verify_issued(responder, issuer)
        if not responder.not_before <= at <= responder.not_after:
            return "the certificate of its responder is out of date"
        if _OCSP_SIGNING not in _usages(responder):
            return "the certificate of its responder is not for signing OCSP responses"
    except BadSignatureError:
        return "the certificate of its responder is not by the issuer of the certificate"
    except MalformedError as error:
        return f"the certificate of its responder cannot be read: {error}"
    return ""


def _usages(certificate: CertificateView) -> set[str]:
    """The purposes in extKeyUsage (RFC 5280 section 4.2.1.12)."""
    extension = certificate.extension(_KEY_USAGES)
    if extension is None:
        return set()
    value = extension.value
    with reading("extKeyUsage"):
        outer = whole(value, 0, len(value))
        held = islice(children(value, outer.start, outer.end), _MOST_USAGES)
        return {oid_text(value[each.start : each.end]) for each in held if each.tag == OID}


def _key_bits(certificate: CertificateView) -> bytes:
    """The bits of the key without their tag, length and count (RFC 6960 section 4.1.1)."""
    spki = certificate.spki
    outer = whole(spki, 0, len(spki))
    parts = list(children(spki, outer.start, outer.end))
    if len(parts) != 2:
        raise MalformedError("the key of the issuer cannot be read")
    held = expect(parts[1], BIT_STRING)
    return spki[held.start + 1 : held.end]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"

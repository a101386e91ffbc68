"""An OCSPResponse taken apart (RFC 6960 section 4.2.1); nothing of it is verified here.

A tolerant walk down the one path that matters: what is not asked for is not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pinwarden.errors import MalformedError
from pinwarden.x509 import fields
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    TLV,
    children,
    oid_text,
    read_tlv,
)

__all__ = ["LARGEST_OCSP", "BasicResponse", "SingleAnswer", "expect", "parse_response", "whole"]

LARGEST_OCSP = 1 << 18
"""Octets of a response that is read; real ones have half a kilobyte to four."""

_BASIC = "1.3.6.1.5.5.7.48.1.1"
_ENUMERATED = 0x0A
_EXPLICIT_0, _EXPLICIT_1, _EXPLICIT_2 = 0xA0, 0xA1, 0xA2
_REFUSALS = {
    1: "malformed request",
    2: "internal error",
    3: "try later",
    5: "signature required",
    6: "unauthorised",
}
# A responder answers for the one certificate; nobody staples hundreds.
_MOST_ANSWERS = 256
# What is signed, the algorithm, the signature; and perhaps certificates.
_LEAST_PARTS, _MOST_PARTS = 3, 4
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleAnswer:
    """What a response has about one certificate; the fields are places in `data`.

    `hash` is the digest of the CertID by its name for hashlib, None for one that is not
    known; `name_hash` and `key_hash` are of the issuer.
    """

    data: bytes
    hash: str | None
    name_hash: bytes
    key_hash: bytes
    status: TLV
    this_update: TLV
    next_update: TLV | None
    extensions: TLV | None

    def is_by_name(self, name: bytes) -> bool:
        """Whether the hash is of the issuer's name; a digest that is not known is let pass."""
        return self.hash is None or _digest(self.hash, name) == self.name_hash

    def is_by_key(self, key: bytes) -> bool:
        """Whether the hash is of the issuer's key, which is the bits of it alone."""
        return self.hash is not None and _digest(self.hash, key) == self.key_hash


@dataclass(frozen=True, slots=True)
class BasicResponse:
    """A BasicOCSPResponse: what is signed, how, and the certificates that come with it."""

    data: bytes
    signed: TLV
    algorithm: TLV
    signature: TLV
    certificates: TLV | None

    def answers_for(self, certificate: CertificateView) -> Iterator[SingleAnswer]:
        """What it has about a certificate, by serial number and issuer's name.

        Raises `MalformedError`, also if there is none.
        """
        serial, others, found = certificate.serial, False, False
        for number, single in enumerate(self._singles()):
            if number == _MOST_ANSWERS:
                raise MalformedError(f"has more than {_MOST_ANSWERS} answers")
            place = expect(read_tlv(self.data, expect(single).start, single.end))
            parts = _four(self.data, place)
            if fields.integer(self.data, parts[3]) != serial:
                continue
            answer = _answer(self.data, single, place, parts)
            if answer.is_by_name(certificate.issuer):
                found = True
                yield answer
            else:
                others = True
        if not found:
            of = "a certificate of another issuer" if others else "another certificate"
            raise MalformedError(f"is about {of}")

    @property
    def responder(self) -> TLV:
        """The ResponderID: [1] with a Name, or [2] with the SHA-1 hash of a key."""
        for each in children(self.data, self.signed.start, self.signed.end):
            if each.tag in (_EXPLICIT_1, _EXPLICIT_2):
                return each
            if each.tag != _EXPLICIT_0:
                break
        raise MalformedError("does not say who the responder is")

    def _singles(self) -> Iterator[TLV]:
        # ResponseData: [0] version OPTIONAL, [1] or [2] responder, producedAt, responses.
        for each in children(self.data, self.signed.start, self.signed.end):
            if each.tag == SEQUENCE:
                return children(self.data, each.start, each.end)
        raise MalformedError("has no list of answers")


def parse_response(response: bytes) -> BasicResponse:
    """The BasicOCSPResponse of a response; raises `MalformedError`, also for a refusal."""
    if len(response) > LARGEST_OCSP:
        raise MalformedError(f"is larger than {LARGEST_OCSP >> 10} KiB")
    outer = whole(response, 0, len(response))
    status = read_tlv(response, outer.start, outer.end)
    if status.tag != _ENUMERATED or status.end != status.start + 1:
        raise MalformedError("does not begin with its status")
    if response[status.start]:
        number = response[status.start]
        raise MalformedError(f"is a refusal: {_REFUSALS.get(number, f'status {number}')}")
    explicit = expect(read_tlv(response, status.end, outer.end), _EXPLICIT_0)
    held = whole(response, explicit.start, explicit.end)
    kind = expect(read_tlv(response, held.start, held.end), OID)
    if oid_text(response[kind.start : kind.end]) != _BASIC:
        raise MalformedError("is not of the basic kind")
    body = expect(read_tlv(response, kind.end, held.end), OCTET_STRING)
    return _basic(response[body.start : body.end])


def _basic(data: bytes) -> BasicResponse:
    outer = whole(data, 0, len(data))
    parts = list(islice(children(data, outer.start, outer.end), _MOST_PARTS))
    if len(parts) < _LEAST_PARTS:
        raise MalformedError("is cut off before its signature")
    return BasicResponse(
        data,
        signed=expect(parts[0]),
        algorithm=expect(parts[1]),
        signature=expect(parts[2], BIT_STRING),
        certificates=expect(parts[3], _EXPLICIT_0) if len(parts) > _LEAST_PARTS else None,
    )


def _four(data: bytes, holder: TLV) -> tuple[TLV, TLV, TLV, TLV]:
    """CertID: hash algorithm, hash of the issuer's name, of its key, serial number."""
    found = list(children(data, holder.start, holder.end))
    tags = tuple(each.tag for each in found)
    if tags != (SEQUENCE, OCTET_STRING, OCTET_STRING, INTEGER):
        raise MalformedError("names its certificate in a form that is not known")
    return found[0], found[1], found[2], found[3]


def _answer(
    data: bytes, single: TLV, subject: TLV, parts: tuple[TLV, TLV, TLV, TLV]
) -> SingleAnswer:
    algorithm, name, key, _ = parts
    kind = expect(read_tlv(data, algorithm.start, algorithm.end), OID)
    status, this_update, *rest = (*children(data, subject.end, single.end), None, None)
    if status is None or this_update is None:
        raise MalformedError("has an answer that is cut off")
    by_tag = {each.tag: each for each in rest if each is not None}
    return SingleAnswer(
        data=data,
        hash=_HASHES.get(oid_text(data[kind.start : kind.end])),
        name_hash=data[name.start : name.end],
        key_hash=data[key.start : key.end],
        status=status,
        this_update=this_update,
        next_update=by_tag.get(_EXPLICIT_0),
        extensions=by_tag.get(_EXPLICIT_1),
    )


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def whole(data: bytes, start: int, end: int) -> TLV:
    """The one SEQUENCE that fills its place; raises `MalformedError`."""
    found = expect(read_tlv(data, start, end))
    if found.end != end:
        raise MalformedError("has bytes after its end")
    return found


def expect(found: TLV, tag: int = SEQUENCE) -> TLV:
    """The element, if it is of this kind; raises `MalformedError`."""
    if found.tag != tag:
        raise MalformedError(f"element at offset {found.header_start}: is not what belongs there")
    return found

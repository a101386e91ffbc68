"""Precertificates: the TBSCertificate as it is logged, by splicing bytes only.

A log signs the TBSCertificate without the poison extension, a certificate has
an SCT list in its place, and the hash of what remains is the same for both
(RFC 6962 sections 3.2 and 3.3). Nothing is decoded and encoded again: only the
lengths of the three elements around a removed extension are written anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pinwarden.errors import MalformedError, VerificationError
from pinwarden.x509 import der
from pinwarden.x509.certificate import (
    FIELD_LIMIT,
    VERSION_TAG,
    CertificateView,
    TBSHash,
    view_certificate,
    view_tbs,
)
from pinwarden.x509.extensions import AUTHORITY_KEY_ID, EXTENSION_LIMIT, FIELD_TAG, POISON, SCT_LIST

_FIELD_NAMES = ("serial number", "signature algorithm", "issuer", "validity", "subject", "key")
_ISSUER = 2
# Of 1.3.6.1.4.1.11129.2.4.2 and .3 in DER; padding of arcs makes an OID longer.
_OID_OCTETS = 10
_EMPTY_AUTHORITY_KEY_ID = bytes.fromhex("30070603551d230400")


@dataclass(frozen=True, slots=True)
class _Parts:
    """A TBSCertificate cut into fields and extensions, each as encoded.

    The `[3]` field stands before the field at `position`; `extensions` is None
    if there is no such field.
    """

    version: bytes
    fields: tuple[bytes, ...]
    position: int
    extensions: tuple[tuple[str | None, bytes], ...] | None

    def to_bytes(self) -> bytes:
        """The TBSCertificate again; without extensions there is no `[3]` field."""
        held = b"".join(encoded for _, encoded in self.extensions or ())
        field = der.encode_tlv(FIELD_TAG, der.encode_tlv(der.SEQUENCE, held)) if held else b""
        before, after = self.fields[: self.position], self.fields[self.position :]
        return der.encode_tlv(der.SEQUENCE, b"".join((self.version, *before, field, *after)))


def logged_tbs(tbs: bytes) -> bytes:
    """The TBSCertificate as logged: without poison and SCT list (RFC 6962 section 3.2).

    Raises `MalformedError` if it cannot be taken apart completely.
    """
    return _without(tbs, (POISON, SCT_LIST))


def logged_form(certificate: CertificateView) -> bytes:
    """`logged_tbs` of a certificate that is cut into its fields already."""
    tbs, fields = certificate.tbs, certificate.tbs_fields
    with der.reading("TBSCertificate"):
        outer = der.read_tlv(tbs, 0, len(tbs))
        return _spliced(tbs, outer, _holder(fields), (POISON, SCT_LIST))


def tbs_hash(tbs: bytes) -> TBSHash:
    """SHA-256 of `logged_tbs`: one value for precertificate, log entry and certificate."""
    return TBSHash(hashlib.sha256(logged_tbs(tbs)).digest())


def with_issuer(tbs: bytes, issuer: bytes, authority_key_id: bytes | None) -> bytes:
    """The TBSCertificate with the final issuer's Name and authority key identifier.

    What a log does when a Precertificate Signing Certificate signed the
    precertificate (RFC 6962 section 3.2). `authority_key_id` is the extnValue
    of that extension in the signing certificate; None means it has none.
    """
    parts = _parts(tbs)
    fields = (*parts.fields[:_ISSUER], issuer, *parts.fields[_ISSUER + 1 :])
    extensions = list(parts.extensions or ())
    at = [i for i, (oid, _) in enumerate(extensions) if oid == AUTHORITY_KEY_ID]
    if len(at) > 1:
        raise MalformedError(f"extension {AUTHORITY_KEY_ID}: occurs {len(at)} times")
    if at and authority_key_id is None:
        del extensions[at[0]]
    elif authority_key_id is not None:
        # Where the precertificate has none, logs append it.
        old = extensions.pop(at[0])[1] if at else _EMPTY_AUTHORITY_KEY_ID
        new = AUTHORITY_KEY_ID, _with_value(old, authority_key_id)
        extensions.insert(at[0] if at else len(extensions), new)
    return replace(parts, fields=fields, extensions=tuple(extensions)).to_bytes()


def matches_precertificate(precertificate: bytes, logged: bytes) -> None:
    """Verifies that a logged TBSCertificate is what this precertificate announces.

    Issuer and authority key identifier may differ, since a Precertificate
    Signing Certificate may have signed the precertificate: the caller knows the
    chain and whether one did. Raises `VerificationError` saying what differs,
    or `MalformedError` if either cannot be taken apart.
    """
    precert = view_certificate(precertificate)
    expected = _without(precert.tbs, (POISON,))
    if expected == precert.tbs:
        raise VerificationError("precertificate: has no poison extension")
    if expected == logged:
        return
    view = view_tbs(logged)
    own = view.extension(AUTHORITY_KEY_ID)
    expected = with_issuer(expected, view.issuer, None if own is None else own.value)
    if expected != logged:
        what = _difference(_parts(expected), _parts(logged))
        raise VerificationError(f"precertificate: {what} differs from the logged TBSCertificate")


def _difference(one: _Parts, other: _Parts) -> str:
    """The first thing in which two TBSCertificates differ."""
    if one.version != other.version:
        return "version"
    for name, ours, theirs in zip(_FIELD_NAMES, one.fields, other.fields, strict=False):
        if ours != theirs:
            return name
    ours_held, theirs_held = one.extensions or (), other.extensions or ()
    for (oid, ours), (other_oid, theirs) in zip(ours_held, theirs_held, strict=False):
        if ours != theirs:
            return f"extension {oid or other_oid or '?'}"
    if len(ours_held) != len(theirs_held):
        return "number of extensions"
    return "encoding"


def _without(tbs: bytes, oids: tuple[str, ...]) -> bytes:
    with der.reading("TBSCertificate"):
        outer, found, _ = _fields(tbs)
        return _spliced(tbs, outer, _holder(found), oids)


def _spliced(tbs: bytes, outer: der.TLV, holder: der.TLV | None, oids: tuple[str, ...]) -> bytes:
    """Untouched to the byte where there is nothing to take out, lengths included."""
    if holder is None:
        return tbs
    items = _whole(tbs, holder.start, holder.end)
    kept: list[bytes] = []
    begin = items.start
    for number, item in enumerate(der.children(tbs, begin, items.end)):
        if number == EXTENSION_LIMIT:
            raise MalformedError(f"has more than {EXTENSION_LIMIT} extensions")
        _, start, end, header_start = item
        if start + 1 < end and tbs[start] == der.OID and tbs[start + 1] < _OID_OCTETS:
            # Shorter than what is taken out, as nearly all are.
            continue
        if _oid(tbs, item) in oids:
            kept.append(tbs[begin:header_start])
            begin = end
    if not kept:
        return tbs
    held = b"".join((*kept, tbs[begin : items.end]))
    field = der.encode_tlv(FIELD_TAG, der.encode_tlv(der.SEQUENCE, held)) if held else b""
    content = (tbs[outer.start : holder.header_start], field, tbs[holder.end : outer.end])
    return der.encode_tlv(der.SEQUENCE, b"".join(content))


def _fields(tbs: bytes) -> tuple[der.TLV, list[der.TLV], int]:
    """The whole, its fields, and how many versions stand before them."""
    outer = _whole(tbs, 0, len(tbs))
    found = list(islice(der.children(tbs, outer.start, outer.end), FIELD_LIMIT + 1))
    if len(found) > FIELD_LIMIT:
        raise MalformedError(f"has more than {FIELD_LIMIT} fields")
    versions = 1 if found and found[0].tag == VERSION_TAG else 0
    if len(found) - versions < len(_FIELD_NAMES):
        raise MalformedError("has fewer than six fields")
    return outer, found, versions


def _holder(fields: Sequence[der.TLV]) -> der.TLV | None:
    """The `[3]` field."""
    holders = [each for each in fields if each.tag == FIELD_TAG]
    if len(holders) > 1:
        raise MalformedError("has several extension fields")
    return holders[0] if holders else None


def _parts(tbs: bytes) -> _Parts:
    with der.reading("TBSCertificate"):
        _, found, versions = _fields(tbs)
        holder = _holder(found)
        position = len(found) if holder is None else found.index(holder)
        extensions = None if holder is None else _extensions(tbs, found.pop(position))
        encoded = [tbs[tlv.header_start : tlv.end] for tlv in found]
    return _Parts(
        version=b"".join(encoded[:versions]),
        fields=tuple(encoded[versions:]),
        position=position - versions,
        extensions=extensions,
    )


def _extensions(tbs: bytes, holder: der.TLV) -> tuple[tuple[str | None, bytes], ...]:
    items = _whole(tbs, holder.start, holder.end)
    found: list[tuple[str | None, bytes]] = []
    for item in der.children(tbs, items.start, items.end):
        found.append((_oid(tbs, item), tbs[item.header_start : item.end]))
        if len(found) > EXTENSION_LIMIT:
            raise MalformedError(f"has more than {EXTENSION_LIMIT} extensions")
    return tuple(found)


def _oid(tbs: bytes, item: der.TLV) -> str | None:
    try:
        kind = der.read_tlv(tbs, item.start, item.end)
        return der.oid_text(tbs[kind.start : kind.end]) if kind.tag == der.OID else None
    except MalformedError:
        return None


def _whole(data: bytes, start: int, end: int) -> der.TLV:
    tlv = der.read_tlv(data, start, end)
    if tlv.tag != der.SEQUENCE or tlv.end != end:
        raise MalformedError(f"element at offset {start}: is not one SEQUENCE")
    return tlv


def _with_value(extension: bytes, value: bytes) -> bytes:
    """The extension with another extnValue; its type and criticality stay."""
    outer = der.read_tlv(extension, 0, len(extension))
    for element in der.children(extension, outer.start, outer.end):
        if element.tag == der.OCTET_STRING:
            head = extension[outer.start : element.header_start]
            return der.encode_tlv(der.SEQUENCE, head + der.encode_tlv(der.OCTET_STRING, value))
    raise MalformedError(f"extension {AUTHORITY_KEY_ID}: has no value")

"""The certificates in a PKCS#7 file (.p7b, .p7c): SignedData that signs nothing (RFC 5652)."""

from __future__ import annotations

from pinwarden.errors import MalformedError
from pinwarden.x509.der import OID, SEQUENCE, children, oid_text, read_tlv

__all__ = ["certificates_of_pkcs7"]

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT, _CERTIFICATES = 0xA0, 0xA0
_MOST = 1000


def certificates_of_pkcs7(der: bytes) -> list[bytes]:
    """The certificates in DER, in the order of the file.

    Raises `MalformedError` for anything but SignedData (section 5.1) with certificates.
    Nothing else in it is looked at, and no signature is verified.
    """
    try:
        found = _certificates(der)
    except MalformedError as error:
        raise MalformedError(
            f"PKCS#7: {error}", hint="openssl pkcs7 -inform DER -print_certs -in FILE shows them"
        ) from None
    if not found:
        raise MalformedError("PKCS#7: holds no certificate")
    if len(found) > _MOST:
        raise MalformedError(f"PKCS#7: holds more than {_MOST} certificates")
    return found


def _certificates(der: bytes) -> list[bytes]:
    outer = read_tlv(der, 0, len(der))
    parts = list(children(der, outer.start, outer.end))
    if outer.tag != SEQUENCE or len(parts) != 2 or parts[0].tag != OID:
        raise MalformedError("is not a ContentInfo")
    if oid_text(der[parts[0].start : parts[0].end]) != _SIGNED_DATA:
        raise MalformedError("is not SignedData")
    if parts[1].tag != _CONTENT:
        raise MalformedError("is without content")
    signed = read_tlv(der, parts[1].start, parts[1].end)
    return [
        der[each.header_start : each.end]
        for field in children(der, signed.start, signed.end)
        if field.tag == _CERTIFICATES
        for each in children(der, field.start, field.end)
        if each.tag == SEQUENCE
    ]

"""Key identifiers: which key a certificate says it has, and which key it says signed it.

Both are names for a key chosen by the CA (RFC 5280 section 4.2.1.1 and 4.2.1.2);
usually, but not always, SHA-1 of the key.
"""

from __future__ import annotations

from pinwarden.errors import MalformedError
from pinwarden.x509 import der
from pinwarden.x509.certificate import CertificateView

SUBJECT_KEY_ID = "2.5.29.14"
AUTHORITY_KEY_ID = "2.5.29.35"

_KEY_IDENTIFIER = 0x80


def authority_key_id(view: CertificateView) -> bytes | None:
    """The keyIdentifier of the authority key identifier, or None if there is none.

    Raises `MalformedError` if the extension cannot be read.
    """
    extension = view.extension(AUTHORITY_KEY_ID)
    if extension is None:
        return None
    value = extension.value
    with der.reading("authority key identifier"):
        outer = der.read_tlv(value, 0, len(value))
        if outer.tag != der.SEQUENCE:
            raise MalformedError("is not a SEQUENCE")
        for child in der.children(value, outer.start, outer.end):
            if child.tag == _KEY_IDENTIFIER:
                return value[child.start : child.end] or None
    return None


def subject_key_id(view: CertificateView) -> bytes | None:
    """The subject key identifier, or None if there is none.

    Raises `MalformedError` if the extension cannot be read.
    """
    extension = view.extension(SUBJECT_KEY_ID)
    if extension is None:
        return None
    value = extension.value
    with der.reading("subject key identifier"):
        inner = der.read_tlv(value, 0, len(value))
        if inner.tag != der.OCTET_STRING:
            raise MalformedError("is not an OCTET STRING")
        return value[inner.start : inner.end] or None

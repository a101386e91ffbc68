"""The SCTs in an OCSP response (RFC 6962 section 3.3).

**Nothing of the response is verified**: an SCT carries the signature of its log.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.ct.ocsp.response import parse_response, whole
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.der import OCTET_STRING, OID, TLV, children, oid_text, read_tlv

__all__ = ["scts_of_ocsp"]

_SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
_MOST_EXTENSIONS = 64


def scts_of_ocsp(response: bytes, certificate: CertificateView) -> tuple[bytes | None, str]:
    """The SignedCertificateTimestampList about a certificate, undecoded; never raises.

    It is None if there is none, and then the line says why it could not be read: it is empty
    for a response about this certificate that was read and has no SCTs.
    """
    try:
        answer = next(parse_response(response).answers_for(certificate))
    except MalformedError as error:
        return None, f"OCSP response: {error}"
    if answer.extensions is None:
        return None, ""
    try:
        return _sct_list(answer.data, answer.extensions), ""
    except MalformedError as error:
        return None, f"OCSP response: SCT list: {error}"


def _sct_list(data: bytes, holder: TLV) -> bytes | None:
    """The list in the singleExtensions, inside two OCTET STRINGs."""
    found: bytes | None = None
    for value in _values(data, holder, _SCT_LIST):
        if found is not None:
            raise MalformedError("occurs twice")
        inner = read_tlv(value, 0, len(value))
        if inner.tag != OCTET_STRING or inner.end != len(value):
            raise MalformedError("is not one OCTET STRING")
        found = value[inner.start : inner.end]
    return found


def _values(data: bytes, holder: TLV, oid: str) -> Iterator[bytes]:
    """The values of the extensions of one type."""
    outer = whole(data, holder.start, holder.end)
    for number, item in enumerate(children(data, outer.start, outer.end)):
        if number == _MOST_EXTENSIONS:
            raise MalformedError(f"is behind more than {_MOST_EXTENSIONS} extensions")
        parts = list(children(data, item.start, item.end))
        if len(parts) < 2 or parts[0].tag != OID or parts[-1].tag != OCTET_STRING:
            raise MalformedError("stands among extensions that cannot be read")
        if oid_text(data[parts[0].start : parts[0].end]) == oid:
            yield data[parts[-1].start : parts[-1].end]

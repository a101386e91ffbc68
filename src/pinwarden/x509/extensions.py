"""The extensions of a TBSCertificate, each read on its own (RFC 5280 section 4.1).

A parser that stops at the first bad extension hides all the others. Here a bad
one becomes an `ExtensionProblem`, with its OID where that much could be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pinwarden.errors import MalformedError
from pinwarden.x509 import der

SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
AUTHORITY_KEY_ID = "2.5.29.35"
SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"
POISON = "1.3.6.1.4.1.11129.2.4.3"

FIELD_TAG = 0xA3
# Far above any certificate, and far below what would exhaust memory.
EXTENSION_LIMIT = 4096
_CONSTRUCTED = 0x20


class Extension(NamedTuple):
    """One extension as encoded; `start` and `end` say where in the TBSCertificate.

    `value` is the content of extnValue.
    """

    oid: str
    critical: bool
    value: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ExtensionProblem:
    """An extension, or the rest of their list, that could not be read."""

    oid: str | None
    error: MalformedError


def read_extensions(
    tbs: bytes, fields: Iterable[der.TLV]
) -> tuple[list[Extension], list[ExtensionProblem]]:
    """All extensions in the `[3]` fields of a TBSCertificate, and what is wrong there."""
    found: list[Extension] = []
    problems: list[ExtensionProblem] = []
    for field in fields:
        try:
            items = der.read_tlv(tbs, field.start, field.end)
            if items.tag != der.SEQUENCE:
                raise MalformedError("is not a SEQUENCE")
            for item in der.children(tbs, items.start, items.end):
                _read_extension(tbs, item, found, problems)
                if len(found) + len(problems) > EXTENSION_LIMIT:
                    raise MalformedError(f"are more than {EXTENSION_LIMIT}")
            if items.end != field.end:
                raise MalformedError("has trailing bytes")
        except MalformedError as error:
            problems.append(ExtensionProblem(None, MalformedError(f"extensions: {error}")))
    return found, problems


def _read_extension(
    tbs: bytes, item: der.TLV, found: list[Extension], problems: list[ExtensionProblem]
) -> None:
    oid: str | None = None
    try:
        if item.tag != der.SEQUENCE:
            raise MalformedError("is not a SEQUENCE")
        kind = der.read_tlv(tbs, item.start, item.end)
        if kind.tag != der.OID:
            raise MalformedError("does not begin with an object identifier")
        oid = der.oid_text(tbs[kind.start : kind.end])
        value = der.read_tlv(tbs, kind.end, item.end)
        critical = False
        if value.tag == der.BOOLEAN:
            # DEFAULT FALSE encoded explicitly breaks DER, and is common.
            critical = any(tbs[value.start : value.end])
            value = der.read_tlv(tbs, value.end, item.end)
        if value.tag & ~_CONSTRUCTED != der.OCTET_STRING:
            raise MalformedError("value is not an OCTET STRING")
        if value.end != item.end:
            raise MalformedError("has trailing bytes")
        content = der.octets(tbs, value)
    except MalformedError as error:
        problems.append(ExtensionProblem(oid, MalformedError(f"extension {oid or '?'}: {error}")))
    else:
        found.append(Extension(oid, critical, content, item.header_start, item.end))

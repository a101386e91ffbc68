"""One CAA resource record (RFC 8659 section 4.1): flags, tag, value."""

from __future__ import annotations

from dataclasses import dataclass

from pinwarden.errors import MalformedError

ISSUER_CRITICAL = 0x80

# RDLENGTH has sixteen bits (RFC 1035 section 3.2.1).
RDATA_LIMIT = 0xFFFF

_HEAD_SIZE = 2
_TAG_LIMIT = 0xFF


@dataclass(frozen=True, slots=True)
class CAARecord:
    """A record whose RDATA has a tag and a value, whatever octets they are made of.

    `tag` and `value` are exactly as published; tags are compared without regard to
    case, through `property`.
    """

    flags: int
    tag: bytes
    value: bytes

    @property
    def critical(self) -> bool:
        """Whether bit 0, Issuer Critical, is set; the other bits mean nothing."""
        return bool(self.flags & ISSUER_CRITICAL)

    @property
    def property(self) -> str | None:
        """The tag in lower case; None for one that holds other octets than letters and digits."""
        return self.tag.decode("ascii").lower() if self.tag.isalnum() else None


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """RDATA that is no CAA record: too short, or with a tag length that does not fit."""

    rdata: bytes
    problem: str


def parse_rdata(rdata: bytes) -> CAARecord:
    """The record in RDATA (RFC 8659 section 4.1): one octet flags, one of tag length, tag, value.

    The octets of the tag are not judged: `CAARecord.property` is. Raises
    `MalformedError` for RDATA that has no whole tag.
    """
    problem = _problem(rdata)
    if problem:
        raise MalformedError(f"CAA RDATA: {problem}")
    return _record(rdata)


def read_rdata(rdata: bytes) -> CAARecord | BrokenRecord:
    """As `parse_rdata`, but what is no record comes back as a broken one; never raises."""
    problem = _problem(rdata)
    return BrokenRecord(rdata, problem) if problem else _record(rdata)


def _problem(rdata: bytes) -> str:
    if len(rdata) > RDATA_LIMIT:
        return f"has {len(rdata)} octets, more than DNS can carry"
    if len(rdata) < _HEAD_SIZE:
        return f"ends after {len(rdata)} of the two octets for flags and tag length"
    if not rdata[1]:
        return "has a tag of no octets"
    left = len(rdata) - _HEAD_SIZE
    if rdata[1] > left:
        return f"has {left} of the {rdata[1]} octets of its tag"
    return ""


def _record(rdata: bytes) -> CAARecord:
    end = _HEAD_SIZE + rdata[1]
    return CAARecord(rdata[0], rdata[_HEAD_SIZE:end], rdata[end:])


def to_rdata(record: CAARecord) -> bytes:
    """The wire form of a record; raises `MalformedError` for one that has none."""
    if not 0 <= record.flags <= 0xFF:
        raise MalformedError(f"CAA flags of {record.flags} do not fit into one octet")
    if not 1 <= len(record.tag) <= _TAG_LIMIT:
        raise MalformedError(f"CAA tag has {len(record.tag)} octets instead of 1 to {_TAG_LIMIT}")
    rdata = bytes((record.flags, len(record.tag))) + record.tag + record.value
    if len(rdata) > RDATA_LIMIT:
        raise MalformedError(f"CAA RDATA: has {len(rdata)} octets, more than DNS can carry")
    return rdata

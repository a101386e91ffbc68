"""One CAA resource record (RFC 8659 section 4.1): flags, tag, value."""

from __future__ import annotations

from dataclasses import dataclass

ISSUER_CRITICAL = 0x80


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

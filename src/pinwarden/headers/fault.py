"""Why clients must ignore a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pinwarden.errors import MalformedError

__all__ = ["Fault", "FaultKind", "HeaderError"]


class FaultKind(StrEnum):
    """Of what sort a fault is."""

    MALFORMED = "malformed"
    DUPLICATE_DIRECTIVE = "duplicate-directive"
    MISSING_MAX_AGE = "missing-max-age"
    BAD_PIN = "bad-pin"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `message` is one printable line about the field, without its name."""

    kind: FaultKind
    message: str


class HeaderError(MalformedError):
    """A field that clients must ignore as a whole; `faults` are all that were found, in order."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{name}: {'; '.join(each.message for each in faults)}")
        self.faults = tuple(faults)

"""One thing found, its kind, and the register of all kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "REGISTER",
    "Finding",
    "FindingKind",
    "Severity",
    "by_severity",
    "register",
    "where_of",
]


class Severity(StrEnum):
    """How much a finding matters to the owner of the watched names."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def is_serious(self) -> bool:
        """Whether a lint ends with exit code 1 for it."""
        return self not in (Severity.INFO, Severity.LOW)


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One registered kind: its stable id, usual severity and one-line meaning.

    A `lasting` one never passes by itself: each case of it stands until a person
    has taken note, and the next case is news again.
    """

    id: str
    severity: Severity
    title: str
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, about one subject.

    `evidence` holds named bytes exactly as received (two conflicting signed
    heads, say), so that a third party can check the claim.
    """

    kind: FindingKind
    subject: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    evidence: tuple[tuple[str, bytes], ...] = ()

    @property
    def id(self) -> str:
        """The stable id of the kind, such as `PW-LOG-FORK`."""
        return self.kind.id

    @property
    def severity(self) -> Severity:
        """The severity of the kind."""
        return self.kind.severity


REGISTER: dict[str, FindingKind] = {}


def register(id_: str, severity: Severity, title: str, *, lasting: bool = False) -> FindingKind:
    """Make a kind known under its id."""
    kind = FindingKind(id_, severity, title, lasting)
    REGISTER[id_] = kind
    return kind


_ORDER = tuple(reversed(Severity))


def by_severity(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, without repetitions; otherwise in the order given."""
    return tuple(sorted(dict.fromkeys(found), key=lambda each: _ORDER.index(each.severity)))


def where_of(finding: Finding) -> str:
    """The record, pin or place of a finding, or "" for one about its subject as a whole."""
    return dict(finding.details).get("where", "")

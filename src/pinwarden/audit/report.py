"""What an audit of one host came to: three lists, and the facts to draw the pictures from.

Nothing is in two lists, and nothing that was to be looked at is in none: what could not be
checked is said, and is never taken for passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT
from pinwarden.findings import Finding, Severity

__all__ = [
    "Area",
    "AuditReport",
    "NotChecked",
    "Passed",
    "ReportedCAA",
    "ReportedCertificate",
    "ReportedChain",
]


class Area(StrEnum):
    """What a check is about, in the order of a report."""

    CONNECTION = "connection"
    CHAIN = "chain"
    SCTS = "scts"
    POLICY = "policy"
    CAA = "caa"
    DNSSEC = "dnssec"
    HEADERS = "headers"
    PINS = "pins"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Passed:
    """A check that found nothing wrong; `check` is a stable word, `message` what it saw."""

    area: Area
    check: str
    message: str


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that was not made, and why.

    `failed` tells a check that was to be made and could not from one that nobody asked for,
    or that does not apply; only the first keeps an audit from being finished.
    """

    area: Area
    check: str
    why: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCertificate:
    """One certificate of a chain; texts are safe to show, and empty where unreadable.

    `sent` is whether the server sent it, which it need not do with the root. `pin` is
    written `sha256//…`. `names` are the first of `names_total`.
    """

    role: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    key: str
    pin: str
    sha256: str
    sent: bool
    problem: str = ""
    names_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedChain:
    """One chain, leaf first, and where it is served; `verified` is for this host, now."""

    addresses: tuple[str, ...]
    verified: bool
    problem: str
    certificates: tuple[ReportedCertificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCAA:
    """The CAA policy that governs the host, and the CA it was compared with.

    `records` are in presentation form; `issuers` are the CAA domains of the CA that issued
    the served certificate, `owner` its name; `verdict` is allowed, denied or unknown.
    """

    relevant_name: str
    records: tuple[str, ...]
    dnssec: str
    owner: str
    issuers: tuple[str, ...]
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The audit of one host at one time.

    `target` is as the user wrote it. `found` has the gravest first. What follows are the
    facts behind the lists, of the first chain where addresses disagree.
    """

    target: str
    host: str
    port: int
    at: datetime
    found: tuple[Finding, ...]
    passed: tuple[Passed, ...]
    not_checked: tuple[NotChecked, ...]
    addresses: tuple[str, ...] = ()
    chains: tuple[ReportedChain, ...] = ()
    scts: tuple[JudgedSCT, ...] = ()
    policies: tuple[PolicyResult, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    caa: ReportedCAA | None = None
    notes: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether everything that was to be checked was."""
        return not any(each.failed for each in self.not_checked)

    def at_least(self, severity: Severity) -> Iterator[Finding]:
        """The findings of this severity or a graver one."""
        order = tuple(Severity)
        least = order.index(severity)
        return (each for each in self.found if order.index(each.severity) >= least)

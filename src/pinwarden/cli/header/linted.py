"""What was linted: a target, and each place in it at which a retired header was looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pinwarden.findings import Finding, by_severity, where_of
from pinwarden.headers.report import HeaderReport, JudgedExpectCT, JudgedPins

__all__ = ["Linted", "PinHeader", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinHeader:
    """A pin header as it is sent, for whoever wants its pins.

    `host` is "" where nobody said whose it is; `chain` is the verified chain it came with, in
    DER and leaf first.
    """

    host: str
    name: str
    value: str
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One answer or one line of a configuration; `where` is "" if there is no other."""

    where: str
    report: HeaderReport

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the report, each with this place in its "where"."""
        if not self.where:
            return self.report.findings
        return tuple(_placed(each, self.where) for each in self.report.findings)


def _placed(finding: Finding, where: str) -> Finding:
    inside = where_of(finding)
    place = f"{where}: {inside}" if inside else where
    return replace(finding, details=(("where", place),))


@dataclass(slots=True, kw_only=True)
class Linted:
    """One target; `not_checked` says what could not be looked at, and why."""

    target: str
    places: list[Place] = field(default_factory=list)
    pin_headers: list[PinHeader] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    ignored: frozenset[str] = frozenset()
    pin_set: str | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all places, the gravest first, without those that are ignored."""
        found = (each for place in self.places for each in place.findings)
        return tuple(each for each in by_severity(found) if each.id not in self.ignored)

    def last(self) -> tuple[JudgedPins | None, JudgedPins | None, JudgedExpectCT | None]:
        """Each of the three headers as it was sent last, such as after all redirects."""
        reports = [each.report for each in reversed(self.places)]
        return (
            _first([each.public_key_pins for each in reports]),
            _first([each.public_key_pins_report_only for each in reports]),
            next((each.expect_ct for each in reports if each.expect_ct is not None), None),
        )


def _first(judged: Sequence[JudgedPins | None]) -> JudgedPins | None:
    return next((each for each in judged if each is not None), None)

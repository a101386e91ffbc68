"""Audits as one page of HTML, which `sheet` writes: an index, then the hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from pinwarden import __version__
from pinwarden.audit.rendering.facts_section import table
from pinwarden.audit.rendering.host_section import badge, host_section
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.outcome import Outcome, named, outcome_of, title_of
from pinwarden.audit.rendering.sheet import written_sheet
from pinwarden.audit.report import AuditReport
from pinwarden.findings import Severity
from pinwarden.render.account import second

__all__ = ["render_audit_html"]

# From so many hosts on, those without problems show their title until they are opened.
_MANY = 5


def render_audit_html(
    reports: Sequence[AuditReport], pinned: Mapping[str, AbstractSet[str]] | None = None
) -> str:
    """The whole page, with an index where there are several hosts.

    `pinned` has for a target the pins that count for its host, as `sha256//…`: the picture
    of its chain marks the keys that they name.
    """
    pins = {} if pinned is None else pinned
    sections = (
        host_section(
            report,
            number,
            pins.get(report.target, frozenset()),
            folded=len(reports) >= _MANY and outcome_of(report) is not Outcome.PROBLEMS,
            facts_open=len(reports) == 1,
        )
        for number, report in enumerate(reports, 1)
    )
    top = (
        element("header", element("h1", _heading(reports)), *_told(reports)),
        _index(reports) if len(reports) > 1 else None,
    )
    return written_sheet(f"Pinwarden audit: {title_of(reports)}", top, sections)


def _heading(reports: Sequence[AuditReport]) -> str:
    return "Pinwarden audit" if len(reports) == 1 else f"Pinwarden audit of {len(reports):,} hosts"


def _told(reports: Sequence[AuditReport]) -> tuple[Node, ...]:
    made = f"made by version {__version__}"
    if reports:
        made += f", {second(min(each.at for each in reports))}"
    told = None if len(reports) == 1 else element("p", title_of(reports))
    return (told, element("p", made, class_="small-print"))


def _index(reports: Sequence[AuditReport]) -> Element:
    severities = tuple(reversed(Severity))
    rows: list[tuple[Node, ...]] = []
    for number, report in enumerate(reports, 1):
        counts = [sum(f.severity is each for f in report.found) for each in severities]
        failed = sum(each.failed for each in report.not_checked)
        numbers = (*counts, len(report.passed), failed)
        rows.append(
            (
                element("a", named(report), href=f"#host-{number}"),
                badge(report),
                *(f"{each:,}" if each else "" for each in numbers),
            )
        )
    heads = ("host", "outcome", *map(str, severities), "passed", "could not be checked")
    return element("nav", table("Hosts", heads, rows), aria_label="Hosts", class_="host")

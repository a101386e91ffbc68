"""One host on the page: what was found first, then the pictures, the lists and the facts."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from pinwarden.audit.rendering.chain_picture import draw_chain
from pinwarden.audit.rendering.facts_section import definitions, facts_of, limited
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.outcome import Outcome, line_of, named, outcome_of
from pinwarden.audit.rendering.time_line import draw_time_line
from pinwarden.audit.report import AuditReport, NotChecked, Passed
from pinwarden.findings import Finding, where_of
from pinwarden.render import next_step
from pinwarden.render.account import second, shown, some

__all__ = ["WORDS", "badge", "host_section"]

_WIDE = 640.0
_NARROW = 340.0
_MOST_CHAINS = 4
_LONGEST = 1000
_MOST_DETAILS = 20

WORDS = {
    Outcome.PROBLEMS: "✗ problems found",
    Outcome.UNFINISHED: "? not finished",
    Outcome.REMARKS: "✓ remarks only",
    Outcome.CLEAR: "✓ nothing wrong found",
}


def host_section(
    report: AuditReport, number: int, pinned: AbstractSet[str], *, folded: bool, facts_open: bool
) -> Element:
    """One host; `number` is its own on the page, and `folded` shows its title alone."""
    key = f"host-{number}"
    title = element("h2", named(report), id=f"{key}-title")
    head = element("div", title, badge(report), class_="title")
    body = (
        element("p", line_of(report)),
        element("p", f"audited {second(report.at)}{_at(report)}", class_="small-print"),
        *_found(report),
        *_pictures(report, key, pinned),
        _lists(report),
        *facts_of(report, pinned, opened=facts_open),
    )
    if not folded:
        return element(
            "section", head, *body, class_="host", id=key, aria_labelledby=f"{key}-title"
        )
    # A link to what is inside opens it, so the id stands there (HTML, "find in page").
    inside = element("div", *body, id=key)
    summary = element("summary", title, " ", badge(report))
    return element("details", summary, inside, class_="host")


def badge(report: AuditReport) -> Element:
    """What it came to, as a plate with words on it."""
    outcome = outcome_of(report)
    return element("span", WORDS[outcome], class_=f"outcome {outcome}")


def _at(report: AuditReport) -> str:
    return f" at {some(report.addresses, 8)}" if report.addresses else ""


def _found(report: AuditReport) -> Iterator[Node]:
    if report.found:
        yield element("h3", "Found")
        yield from limited(report.found, _finding)


def _finding(finding: Finding) -> Element:
    serious = finding.severity.is_serious
    where = where_of(finding)
    details: list[tuple[str, Node]] = [("where", element("code", shown(where)) if where else None)]
    details += [
        (shown(name, 40), element("code", shown(value)))
        for name, value in finding.details[:_MOST_DETAILS]
        if name != "where"
    ]
    details += [
        ("evidence kept", f"{shown(name, 40)} ({len(data):,} bytes)")
        for name, data in finding.evidence[:_MOST_DETAILS]
    ]
    return element(
        "article",
        element(
            "h4",
            element("span", str(finding.severity), class_="severity"),
            " ",
            finding.kind.title,
        ),
        element("p", shown(finding.message, _LONGEST)),
        definitions([*details, ("finding", element("code", finding.id))]),
        element("p", element("strong", "Next: "), _advice(next_step(finding.kind)), class_="next"),
        class_="finding serious" if serious else "finding",
    )


def _advice(text: str) -> Node:
    """A sentence of ours, in which commands stand in backticks."""
    return tuple(
        element("code", part) if number % 2 else part for number, part in enumerate(text.split("`"))
    )


def _pictures(report: AuditReport, key: str, pinned: AbstractSet[str]) -> Iterator[Node]:
    drawn: list[Node] = []
    chains = [each for each in report.chains if each.certificates][:_MOST_CHAINS]
    for number, chain in enumerate(chains, 1):
        place = some(chain.addresses, 4) or "the host"
        problem = f"; not verified: {shown(chain.problem)}" if chain.problem else ""
        caption = element("figcaption", f"The chain at {place}{problem}")
        picture = draw_chain(chain, f"{key}-chain-{number}", report.at, pinned)
        drawn.append(element("figure", caption, picture))
    for width, size in ((_WIDE, "wide"), (_NARROW, "narrow")):
        picture_or_none = draw_time_line(report, f"{key}-time-{size}", width)
        if picture_or_none is not None:
            caption = element("figcaption", "Validity, SCTs, and what browsers make of them")
            drawn.insert(
                min(1, len(drawn)) if size == "wide" else 2,
                element("figure", caption, picture_or_none, class_=size),
            )
    if drawn:
        yield element("h3", "Chain and time")
        yield element("div", *drawn, class_="pictures")


def _lists(report: AuditReport) -> Node:
    lists = (
        ("Not checked", limited(report.not_checked, _not_checked, "li")),
        ("Passed", limited(report.passed, _passed, "li")),
    )
    return element(
        "div",
        *(
            element("div", element("h3", title), element("ul", *items, class_="checks"))
            for title, items in lists
            if items
        ),
        class_="lists",
    )


def _passed(passed: Passed) -> Element:
    return element(
        "li", _area(passed.area, passed.check), shown(passed.message, _LONGEST), class_="pass"
    )


def _not_checked(check: NotChecked) -> Element:
    failed = element("strong", "could not be checked: ") if check.failed else None
    return element(
        "li",
        _area(check.area, check.check),
        failed,
        shown(check.why, _LONGEST),
        class_="failed" if check.failed else None,
    )


def _area(area: str, check: str) -> Element:
    words = area if check == area else f"{area}, {shown(check, 60)}"
    return element("span", words, class_="area")

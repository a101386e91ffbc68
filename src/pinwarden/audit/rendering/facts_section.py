"""The facts behind an audit as parts of the page: what the pictures show, in words and in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeVar

from pinwarden.audit.rendering.chain_picture import validity_of
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.report import AuditReport, ReportedCAA, ReportedCertificate
from pinwarden.ct.policy import PolicyResult, RuleResult
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.render.account import counted, day, second, shown, some
from pinwarden.render.ct import operator_of

__all__ = ["definitions", "facts_of", "limited", "table"]

_MOST = 200
_MOST_CHAINS = 8
_MOST_NAMES = 100
_Each = TypeVar("_Each")

_ANSWERS = {
    True: ("accepts these SCTs", "word-ok"),
    False: ("refuses these SCTs", "word-bad"),
    None: ("cannot be told", "word-unknown"),
}
_RULES = {
    True: ("✓ passed", "word-ok"),
    False: ("✗ failed", "word-bad"),
    None: ("? cannot be told", "word-unknown"),
}
_STATUS = {SCTStatus.VALID: "word-ok", SCTStatus.INVALID: "word-bad"}


def facts_of(report: AuditReport, pinned: AbstractSet[str], *, opened: bool) -> Iterator[Element]:
    """Certificates, SCTs, browsers' rules, CAA and notes, each to be opened by itself."""
    chains = tuple(
        element(
            "div",
            element("p", f"At {some(chain.addresses, 8) or 'no address'}:", class_="quiet"),
            *limited(chain.certificates, lambda each: _certificate(each, report.at, pinned)),
        )
        for chain in report.chains[:_MOST_CHAINS]
    )
    forecasts = limited(
        report.forecasts,
        lambda each: element(
            "p",
            f"From {day(each.at)}, {each.policy} {_ANSWERS[each.compliant][0]}: "
            f"{shown(each.because)}",
        ),
    )
    sections: Sequence[tuple[str, tuple[Node, ...]]] = (
        ("Certificates", chains),
        ("SCTs", (_scts(report.scts),) if report.scts else ()),
        ("Browsers", (*map(_policy, report.policies), *forecasts)),
        ("CAA", () if report.caa is None else _caa(report.caa)),
        ("Notes", limited(report.notes, lambda each: element("p", shown(each, 1000)))),
    )
    for title, body in sections:
        if body:
            yield element(
                "details",
                element("summary", title),
                *body,
                class_="facts",
                open="" if opened else None,
            )


def limited(
    items: Sequence[_Each], told: Callable[[_Each], Node], rest_in: str = "p"
) -> tuple[Node, ...]:
    """Each item as a part of the page, as many as a person reads."""
    parts: tuple[Node, ...] = tuple(map(told, items[:_MOST]))
    if len(items) > _MOST:
        rest = f"and {len(items) - _MOST:,} more (see the JSON report)"
        return (*parts, element(rest_in, rest, class_="quiet"))
    return parts


def table(label: str, heads: Sequence[str], rows: Sequence[Sequence[Node]]) -> Element:
    """A table that scrolls by itself where the page is narrow, by the keyboard too."""
    head = element("tr", *(element("th", each, scope="col") for each in heads))
    body = (
        element("tr", *(element("td", cell, class_=_cell_class(cell)) for cell in row))
        for row in rows
    )
    inner = element("table", element("thead", head), element("tbody", *body))
    return element("div", inner, class_="scroll", role="region", aria_label=label, tabindex="0")


def _cell_class(cell: Node) -> str | None:
    return "number" if isinstance(cell, str) and cell.replace(",", "").isdecimal() else None


def _certificate(each: ReportedCertificate, at: datetime, pinned: AbstractSet[str]) -> Element:
    names = some(each.names, _MOST_NAMES)
    rows: Sequence[tuple[str, Node]] = (
        ("role", shown(each.role, 40)),
        ("subject", shown(each.subject)),
        ("issuer", shown(each.issuer)),
        ("names", names),
        ("valid", validity_of(each, at)),
        ("key", shown(each.key, 100)),
        ("pin", _code(each.pin)),
        ("pinned", "yes" if each.pin in pinned else ""),
        ("SHA-256", _code(each.sha256)),
        ("sent", "by the server" if each.sent else "not by the server"),
        ("problem", shown(each.problem)),
    )
    return definitions(rows)


def definitions(rows: Sequence[tuple[str, Node]]) -> Element:
    """Names and what they stand for, without those that are empty."""
    return element(
        "dl",
        *(
            (element("dt", name), element("dd", value))
            for name, value in rows
            if value is not None and value != ""
        ),
    )


def _code(text: str) -> Node:
    return element("code", shown(text, 200)) if text else None


def _scts(scts: Sequence[JudgedSCT]) -> Node:
    rows = [
        (
            element("span", str(each.status), class_=_STATUS.get(each.status, "word-unknown")),
            "not known" if each.log is None else shown(each.log.description, 100),
            shown(operator_of(each), 100),
            "" if each.sct is None else second(each.sct.timestamp),
            str(each.source),
            shown(each.reason),
        )
        for each in scts[:_MOST]
    ]
    heads = ("signature", "log", "operator", "time", "from", "remark")
    return table(counted(len(scts), "SCT"), heads, rows)


def _policy(result: PolicyResult) -> Element:
    answer, class_ = _ANSWERS[result.compliant]
    head = element(
        "p",
        element("strong", str(result.policy)),
        " ",
        element("span", answer, class_=class_),
        f" by the rules of {shown(result.edition, 60) or 'no known edition'}",
    )
    rules = result.rules[:_MOST]
    return element("div", head, table(f"Rules of {result.policy}", _HEADS, list(map(_rule, rules))))


_HEADS = ("rule", "outcome", "why", "source")


def _rule(rule: RuleResult) -> tuple[Node, ...]:
    word, class_ = _RULES[rule.passed]
    return (
        element("code", shown(rule.rule, 60)),
        element("span", word, class_=class_),
        shown(rule.reason),
        shown(rule.source),
    )


def _caa(caa: ReportedCAA) -> tuple[Node, ...]:
    rows: Sequence[tuple[str, Node]] = (
        ("records at", shown(caa.relevant_name, 260) or "no name"),
        ("DNSSEC", shown(caa.dnssec, 60)),
        ("CA", shown(caa.owner, 100)),
        ("its CAA domains", some(caa.issuers, 20)),
        ("verdict", shown(caa.verdict, 40)),
        ("reason", shown(caa.reason)),
    )
    records = limited(
        caa.records, lambda each: element("p", element("code", shown(each)), class_="record")
    )
    return (definitions(rows), *records)

"""The page of an audit: what a browser makes of it, whatever the fields hold."""

from __future__ import annotations

import hashlib
import itertools
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import findings
from pinwarden.audit.rendering.page import render_audit_html
from pinwarden.audit.report import AuditReport
from pinwarden.names import display
from pinwarden.render import next_step
from support.audit_samples import (
    HOSTILE,
    audit_of,
    broken_audit,
    found,
    good_audit,
    pin,
    unfinished_audit,
    unreachable_audit,
)

_ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section"),
    *("article", "div", "h1", "h2", "h3", "h4", "p", "span", "strong", "code", "a", "ul", "li"),
    *("dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"),
    *("details", "summary", "svg", "desc", "g", "rect", "path", "circle", "text"),
}
_ATTRIBUTES = {
    *("lang", "charset", "name", "content", "http-equiv", "class", "id", "href", "scope"),
    *("role", "tabindex", "open", "aria-label", "aria-labelledby", "viewbox", "width", "height"),
    *("x", "y", "rx", "cx", "cy", "r", "d", "transform", "text-anchor"),
}
_SAMPLES = {
    "good": [good_audit()],
    "broken": [broken_audit()],
    "unreachable": [unreachable_audit()],
    "several": [good_audit(), broken_audit(), unfinished_audit()],
    "many": [broken_audit(), *(good_audit(f"host-{n}.example.com") for n in range(7))],
    "none": [],
}


class _Page(HTMLParser):
    """A page as a browser reads it, refused where it is not well formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.text = ""
        self.style = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute stands twice"
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += f"{data} "

    def handle_comment(self, data: str) -> None:
        raise AssertionError("no comment is ours")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("no processing instruction is ours")

    def named(self, tag: str) -> list[Mapping[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def _page(*reports: AuditReport, pinned: Mapping[str, frozenset[str]] | None = None) -> _Page:
    page = _Page(render_audit_html(reports, pinned))
    assert {tag for tag, _ in page.elements} <= _ELEMENTS
    assert {key for _, attributes in page.elements for key in attributes} <= _ATTRIBUTES
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(set(ids)) == len(ids)
    for _, attributes in page.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
    # Links lead to places on the page.
    assert all((each["href"] or "")[:1] == "#" for each in page.named("a"))
    assert {(each["href"] or "")[1:] for each in page.named("a")} <= set(ids)
    assert all(c == "\n" or c.isprintable() for c in page.text)
    return page


@pytest.mark.parametrize("reports", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_page_stands_by_itself(reports: list[AuditReport]) -> None:
    """No script, no form, nothing fetched; and a policy that allows this very style alone."""
    page = _page(*reports)
    (policy,) = (
        each["content"]
        for each in page.named("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    digest = b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in page.style
    assert "@import" not in page.style


@pytest.mark.parametrize("reports", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_page_is_told_to_whoever_does_not_see_it(reports: list[AuditReport]) -> None:
    """A language, one first heading, levels without gaps, pictures with name and account."""
    page = _page(*reports)
    assert page.named("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for picture in page.named("svg"):
        assert picture["role"] == "img"
        assert len((picture["aria-labelledby"] or "").split()) == 2
    assert all(each["scope"] == "col" for each in page.named("th"))


@pytest.mark.parametrize("reports", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_nothing_that_is_known_is_left_out(reports: list[AuditReport]) -> None:
    """The three lists, every pin, and whatever else the reports have."""
    text = _page(*reports).text
    for report in reports:
        assert report.target in text
        told = [finding.message for finding in report.found]
        told += [finding.id for finding in report.found]
        told += [passed.message for passed in report.passed]
        told += [check.why for check in report.not_checked]
        told += [c.pin for chain in report.chains for c in chain.certificates]
        told += [forecast.because for forecast in report.forecasts]
        told += report.caa.records if report.caa else ()
        told += report.notes
        assert [each for each in told if each not in text] == []


@pytest.mark.parametrize("reports", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_commands_to_run_next_are_code(reports: list[AuditReport]) -> None:
    """And no backtick is left of how the advice has them."""
    page = render_audit_html(reports)
    advice = [next_step(finding.kind) for each in reports for finding in each.found]
    commands = [part for each in advice for part in each.split("`")[1::2]]
    assert all(f"<code>{escape(each)}</code>" in page for each in commands)
    assert "`pinwarden" not in page


def test_several_hosts_have_an_index() -> None:
    """Each row leads to its host; a single host needs none."""
    page = _page(*_SAMPLES["several"])
    assert [each["href"] for each in page.named("a")] == ["#host-1", "#host-2", "#host-3"]
    assert _page(good_audit()).named("nav") == []


def test_of_many_hosts_those_without_problems_are_folded() -> None:
    """What needs somebody is open; a link opens the others, since its aim is inside."""
    page = _page(*_SAMPLES["many"])
    assert len([each for each in page.named("section") if each["class"] == "host"]) == 1
    assert len([each for each in page.named("details") if each["class"] == "host"]) == 7


def test_pinned_keys_are_marked_for_their_host_alone() -> None:
    """The pins of one host say nothing about the keys of another."""
    pins = {"www.example.com": frozenset({pin("CN=www.example.com")})}
    assert "pinned" in _page(good_audit(), pinned=pins).text
    assert "pinned" not in _page(good_audit("a.example.com"), pinned=pins).text


def test_endless_lists_are_counted() -> None:
    """Two hundred findings are told, and the number of the others."""
    many = tuple(found(findings.TLS_EXPIRED, f"certificate {n}") for n in range(300))
    page = _page(replace(broken_audit(), found=many))
    assert len(page.named("article")) == 200
    assert "and 100 more (see the JSON report)" in page.text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_text(text: str) -> None:
    """A report full of it has the elements of any other report, and no more."""
    page, other = _page(audit_of(text)), _page(audit_of("x"))
    # What is empty has no row of its own.
    if text:
        assert [tag for tag, _ in page.elements if tag != "dt"] == [
            tag for tag, _ in other.elements if tag != "dt"
        ]
    assert len(page.rawdata) == 0
    assert len(page.text) < 60_000


@pytest.mark.parametrize("key", ["breaks-out", "script", "entity", "bidi"])
def test_hostile_text_is_told_as_it_is(key: str) -> None:
    """A reader sees what the field holds, with what is invisible spelt out."""
    assert display(HOSTILE[key]) in _page(audit_of(HOSTILE[key])).text


@given(st.text(max_size=100))
def test_any_text_is_text(text: str) -> None:
    """The same for whatever there is."""
    _page(audit_of(text), audit_of("x"))


_COLOURS = re.compile(r"--([a-z-]+):(#[0-9a-f]{3,6})")


def _scheme(style: str, dark: bool) -> dict[str, str]:
    rules = re.findall(r":root\{[^}]*\}", style)
    return dict(_COLOURS.findall(rules[1 if dark else 0]))


def _luminance(colour: str) -> float:
    digits = colour[1:]
    pairs = [c * 2 for c in digits] if len(digits) == 3 else re.findall("..", digits)
    parts = [int(each, 16) / 255 for each in pairs]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast(dark: bool) -> None:
    """WCAG 2.2: text 4.5 to 1 on every ground on which it stands (1.4.3), bars 3 to 1 (1.4.11)."""
    colours = _scheme(_page(good_audit()).style, dark)
    for ground in ("page", "card", "soft", "bad-soft"):
        for ink in ("text", "quiet", "bad"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("ok", "unknown", "accent"):
        assert _contrast(colours[ink], colours["card"]) >= 4.5, ink
    assert _contrast(colours["on"], colours["pin"]) >= 4.5
    for mark in ("ok", "bad", "unknown"):
        assert _contrast(colours["on"], colours[mark]) >= 4.5, mark

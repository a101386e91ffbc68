"""Audits in a review: what Markdown makes of them, whatever the fields hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pinwarden import findings
from pinwarden.audit.rendering.markdown import render_audit_markdown
from pinwarden.audit.report import AuditReport
from support.audit_samples import (
    HOSTILE,
    audit_of,
    broken_audit,
    found,
    good_audit,
    unfinished_audit,
    unreachable_audit,
)

# What a report of ours is made of: no link, picture, HTML, block of code, quotation or rule.
_OURS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
    *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
    *("text", "text_special", "softbreak", "code_inline", "strong_open", "strong_close"),
}


def _tokens(text: str) -> list[Token]:
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def _read(text: str) -> str:
    """The words that a reader sees."""
    words = {"text", "text_special", "code_inline"}
    return "".join(token.content for token in _tokens(text) if token.type in words)


def _has_only_ours(text: str) -> bool:
    return {token.type for token in _tokens(text)} <= _OURS


def test_one_host_has_its_lists() -> None:
    """Title, findings with place and next step, and the other two lists."""
    text = render_audit_markdown([broken_audit()])
    assert text.startswith("## Pinwarden audit: ")
    read = _read(text)
    assert "critical: a served certificate has expired" in read
    assert "the certificate ended on 2026-11-14, 10 days ago" in read
    assert "Where: 192.0.2.66:8443" in read
    assert "caa: could not be checked: the resolver 192.0.2.53 does not answer" in read
    assert "connection: the address answers with TLS 1.2" in read
    assert text.count("  - Next: ") == 4
    assert _has_only_ours(text)


def test_several_hosts_have_a_table_in_order_and_the_worst_first() -> None:
    """The table has them as they were named; at length those with problems come first."""
    text = render_audit_markdown([good_audit(), unfinished_audit(), broken_audit()])
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [
        "www.example.com",
        "half.example.com",
        "old.example.com:8443",
    ]
    assert re.findall(r"^### `(.+)`$", text, re.MULTILINE) == [
        "old.example.com:8443",
        "half.example.com",
        "www.example.com",
    ]
    assert _has_only_ours(text)


def test_it_fits_into_a_comment() -> None:
    """However many hosts there are; those that are left out are counted."""
    reports = [replace(broken_audit(), target=f"host-{n}.example.com") for n in range(500)]
    text = render_audit_markdown(reports)
    assert len(text) < 65_536
    assert re.search(r"^\d+ more are told at length in the JSON report\.$", text, re.MULTILINE)
    assert re.search(r"^and \d+ more\.$", text, re.MULTILINE)


def test_hosts_with_problems_are_in_a_table_that_is_too_short() -> None:
    """Where there is no room for all, the table begins with them."""
    reports = [good_audit(f"host-{n}.example.com") for n in range(500)]
    text = render_audit_markdown([*reports, broken_audit()])
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `old.example.com:8443` |")
    assert len(rows) < 300


@pytest.mark.parametrize("text", ["\U000e0001", "#@[](", "漢"])
def test_endless_text_fits_into_a_comment(text: str) -> None:
    """Text that grows when it is escaped, in every place where much of it can stand."""
    report = audit_of(text * 1000)
    crowded = replace(
        report,
        found=report.found * 100,
        passed=report.passed * 100,
        not_checked=report.not_checked * 100,
    )
    assert len(render_audit_markdown([crowded])) < 65_536
    assert "There is more in the JSON report." in render_audit_markdown([crowded])
    assert len(render_audit_markdown([crowded] * 300)) < 65_536


def test_endless_lists_are_counted() -> None:
    """Fifty findings are told, and the number of the others."""
    many = tuple(found(findings.TLS_EXPIRED, f"certificate {n}") for n in range(60))
    text = render_audit_markdown([replace(broken_audit(), found=many)])
    assert "certificate 49" in text
    assert "certificate 50" not in text
    assert "- and 10 more" in text


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "several"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_no_markup(text: str, alone: bool) -> None:
    """No link, picture, HTML, heading or table comes from a field, and every field is told."""
    reports = [audit_of(text)] if alone else [audit_of(text), good_audit()]
    written = render_audit_markdown(reports)
    assert _has_only_ours(written)
    assert sum(token.type == "heading_open" for token in _tokens(written)) == (1 if alone else 3)
    assert sum(token.type == "tr_open" for token in _tokens(written)) == (0 if alone else 3)
    assert sum(token.type == "td_open" for token in _tokens(written)) == (0 if alone else 18)


@given(st.text(max_size=200))
def test_any_text_is_no_markup(text: str) -> None:
    """The same for whatever there is."""
    written = render_audit_markdown([audit_of(text), good_audit()])
    assert _has_only_ours(written)
    assert sum(token.type == "td_open" for token in _tokens(written)) == 18


@pytest.mark.parametrize(
    "text", ["@everyone", "look:@org/team,", "#12", "GH-12", "owner/name#3", "see 0123abc now"]
)
def test_nobody_is_mentioned_and_nothing_is_referred_to(text: str) -> None:
    """What a service would link after reading Markdown stands in code, where it does not look."""
    read = [
        token.content
        for token in _tokens(render_audit_markdown([audit_of(text)]))
        if token.type in {"text", "text_special"}
    ]
    assert not re.search(r"@|#\d|GH-\d|0123abc", "".join(read))


@pytest.mark.parametrize("report", [good_audit(), unreachable_audit()], ids=["good", "unreachable"])
def test_what_is_written_reads_as_it_was_meant(report: AuditReport) -> None:
    """Escaping takes nothing away from what is told."""
    read = _read(render_audit_markdown([report]))
    for told in (*(p.message for p in report.passed), *(n.why for n in report.not_checked)):
        assert told in read

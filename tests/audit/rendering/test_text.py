"""Audits at a terminal: all that is known, in lines that fit, with nothing that acts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import findings
from pinwarden.audit.rendering.text import render_audit_text
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

_SAMPLES = {
    "good": good_audit(),
    "broken": broken_audit(),
    "unreachable": unreachable_audit(),
    "unfinished": unfinished_audit(),
}


def _is_plain(text: str) -> bool:
    return all(c in "\n " or unicodedata.category(c)[0] not in "CZ" for c in text)


def _together(text: str) -> str:
    return " ".join(text.split())


def test_verdict_comes_first() -> None:
    """The first line says who, and what it came to."""
    first = render_audit_text(good_audit()).splitlines()[0]
    assert first == "✓ www.example.com: nothing wrong found; 9 passed; 2 left out"
    assert render_audit_text(unfinished_audit()).startswith(
        "? half.example.com: nothing found, but"
    )
    assert render_audit_text(broken_audit()).startswith(
        "✗ old.example.com:8443: 1 critical, 1 high"
    )


@pytest.mark.parametrize("report", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_nothing_that_is_known_is_left_out(report: AuditReport) -> None:
    """Every finding with its id, every check that passed and every one that was not made."""
    text = _together(render_audit_text(report))
    for finding in report.found:
        assert f"{finding.severity}: {finding.kind.title} ({finding.id})" in text
        assert f"What {finding.message}" in text
    for passed in report.passed:
        assert passed.message in text
    for check in report.not_checked:
        assert check.why in text
    for chain in report.chains:
        for certificate in chain.certificates:
            assert certificate.pin in text


def test_what_was_not_made_is_told_from_what_nobody_asked_for() -> None:
    """Only the first says that it could not be checked."""
    lines = render_audit_text(broken_audit(), width=200).splitlines()
    assert (
        "  ? caa         renewal: could not be checked: the resolver 192.0.2.53 does not answer"
    ) in lines
    assert "  - history     logged: no store was named (--store)" in lines


def test_forecast_is_told() -> None:
    """The day on which a browser's answer changes, and why."""
    told = "from 2026-12-15, apple refuses these SCTs: the log Example 'elm' log retires"
    assert told in _together(render_audit_text(good_audit()))


@pytest.mark.parametrize("width", [1, 40, 72, 132])
@pytest.mark.parametrize("report", _SAMPLES.values(), ids=_SAMPLES.keys())
def test_lines_fit(report: AuditReport, width: int) -> None:
    """No line is longer than the terminal, down to forty columns."""
    lines = render_audit_text(report, width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 40)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_printed_and_not_obeyed(text: str) -> None:
    """No control character, no override and no endless line reaches the terminal."""
    written = render_audit_text(audit_of(text))
    assert _is_plain(written)
    assert max(map(len, written.splitlines())) <= 80
    assert len(written) < 40_000


@given(text=st.text(max_size=300), width=st.integers(0, 200))
def test_any_text_is_plain_and_fits(text: str, width: int) -> None:
    """Whatever the fields hold."""
    written = render_audit_text(audit_of(text), width=width)
    assert _is_plain(written)
    assert max(map(len, written.splitlines())) <= max(width, 40)


def test_colour_only_where_asked_for() -> None:
    """Codes are added to the same words."""
    plain, coloured = (render_audit_text(broken_audit(), colour=each) for each in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_endless_lists_are_counted() -> None:
    """A hundred findings are told, and the number of the others."""
    many = tuple(found(findings.TLS_EXPIRED, f"certificate {n}") for n in range(150))
    text = render_audit_text(replace(broken_audit(), found=many))
    assert "certificate 99" in text
    assert "certificate 100" not in text
    assert "and 50 more (see --json)" in text

"""What an audit came to: unknown is never a pass, in words either."""

from __future__ import annotations

from dataclasses import replace

from pinwarden import findings
from pinwarden.audit.rendering.outcome import Outcome, line_of, named, outcome_of, title_of
from pinwarden.findings import Severity
from support.audit_samples import (
    broken_audit,
    found,
    good_audit,
    unfinished_audit,
    unreachable_audit,
)


def _remark() -> findings.Finding:
    finding = found(findings.TLS_CHAIN_UNTIDY, "the root is sent too")
    assert finding.severity is Severity.LOW
    return finding


def test_each_outcome() -> None:
    """Something serious, something not made, remarks alone, and nothing at all."""
    assert outcome_of(broken_audit()) is Outcome.PROBLEMS
    assert outcome_of(unfinished_audit()) is Outcome.UNFINISHED
    assert outcome_of(replace(good_audit(), found=(_remark(),))) is Outcome.REMARKS
    assert outcome_of(good_audit()) is Outcome.CLEAR


def test_remarks_do_not_hide_what_was_not_made() -> None:
    """An audit that is not finished stays so, whatever small things it found."""
    report = replace(unfinished_audit(), found=(_remark(),))
    assert outcome_of(report) is Outcome.UNFINISHED
    assert "1 check could not be made" in line_of(report)


def test_nothing_found_by_nobody_is_not_said_to_be_well() -> None:
    """The line of an unfinished audit does not say that nothing is wrong."""
    line = line_of(unfinished_audit())
    assert line == "nothing found, but not finished; 1 check could not be made; 1 passed"
    assert line_of(good_audit()) == "nothing wrong found; 9 passed; 2 left out"


def test_findings_are_counted_by_severity_gravest_first() -> None:
    """The line says how many there are of each."""
    report = replace(broken_audit(), found=(*unreachable_audit().found, _remark(), _remark()))
    assert line_of(report).startswith("1 high and 2 low findings; ")
    assert line_of(unreachable_audit()).startswith("1 high finding; 4 checks could not be made")


def test_title_of_one_and_of_several() -> None:
    """One host is named; several are counted by how they ended; none is said to be none."""
    assert title_of([good_audit()]).startswith("www.example.com: nothing wrong found")
    several = title_of([good_audit(), broken_audit(), unreachable_audit(), unfinished_audit()])
    assert several == "4 hosts: 2 with problems, 1 not finished, 1 with nothing wrong found"
    assert title_of([]) == "no hosts"


def test_target_without_a_visible_name_is_still_named() -> None:
    """A blank target has words in its place."""
    assert named(replace(good_audit(), target="  ")) == "(no name)"

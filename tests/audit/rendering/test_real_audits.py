"""Audits of real servers of the lab, told in every form."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser

import pytest

from pinwarden.audit.rendering import (
    audit_json,
    audit_sarif,
    render_audit_html,
    render_audit_markdown,
    render_audit_text,
)
from pinwarden.audit.report import AuditReport
from pinwarden.lab.tls import LabTLS
from support.audit_world import HOST, audit_world


def _audit(fault: str) -> AuditReport:
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain(fault)) as server:
        return asyncio.run(world.audit(server.port, dns))


class _Words(HTMLParser):
    """The text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.mark.parametrize("fault", ["good", "wrong-name", "no-intermediate", "unknown-log"])
def test_every_form_tells_the_same(fault: str) -> None:
    """Host, findings, what passed and the key of the leaf are in each that has room for them."""
    report = _audit(fault)
    page = _Words(render_audit_html([report])).text
    text = " ".join(render_audit_text(report, width=200).split())
    markdown = render_audit_markdown([report])
    pin = report.chains[0].certificates[0].pin
    for told in (HOST, pin, *(each.id for each in report.found)):
        assert told in page
        assert told in text
    for passed in report.passed:
        assert passed.message in page
        assert passed.message in text
    assert all(f"`{each.id}`" in markdown for each in report.found)
    found = audit_json(report)["found"]
    (run,) = audit_sarif([report])["runs"]  # type: ignore[misc, attr-defined]
    assert isinstance(found, list)
    assert [each["id"] for each in found] == [each.id for each in report.found]
    assert [each["ruleId"] for each in run["results"]] == [each.id for each in report.found]


def test_pictures_are_of_what_was_served() -> None:
    """The leaf alone was sent: its issuer has an empty box, and the time line its day."""
    page = render_audit_html([_audit("no-intermediate")])
    assert "box unsent ghost" in page
    assert "Validity in time" in page

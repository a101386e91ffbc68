"""Audits for programs: the documented keys, bounded, on one line of ASCII."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pinwarden import findings
from pinwarden.audit.rendering.machine import audit_json
from pinwarden.audit.report import AuditReport
from pinwarden.ct.presented import Flaw, SCTStatus
from pinwarden.render import render_json_line
from support.audit_samples import (
    HOSTILE,
    audit_of,
    broken_audit,
    found,
    good_audit,
    judged,
    unfinished_audit,
)


def _document(report: AuditReport) -> dict[str, Any]:
    line = render_json_line(audit_json(report))
    assert line.isascii()
    assert line.isprintable()
    document: dict[str, Any] = json.loads(line)
    return document


def test_keys_that_scripts_rely_on() -> None:
    """Target, time and the three lists, with the facts beside them."""
    document = _document(broken_audit())
    assert (document["type"], document["version"]) == ("audit", 1)
    assert document["target"] == "old.example.com:8443"
    assert (document["host"], document["port"]) == ("old.example.com", 8443)
    assert document["at"] == "2026-11-24T12:00:00Z"
    assert document["finished"] is False
    assert [each["id"] for each in document["found"]] == [
        "PW-TLS-EXPIRED",
        "PW-TLS-MISSING-INTERMEDIATE",
        "PW-HPKP-PRESENT",
        "PW-EXPECT-CT-PRESENT",
    ]
    assert document["passed"] == [
        {
            "area": "connection",
            "check": "connected",
            "message": "the address answers with TLS 1.2",
        }
    ]
    assert document["not_checked"][0] == {
        "area": "caa",
        "check": "renewal",
        "why": "the resolver 192.0.2.53 does not answer",
        "failed": True,
    }


def test_finding_says_where_and_what_next() -> None:
    """A finding has the shape of all findings, and its place and advice as well."""
    first, _, third, _ = _document(broken_audit())["found"]
    assert first["severity"] == "critical"
    assert first["where"] == "192.0.2.66:8443"
    assert first["advice"]
    assert first["details"] == [{"name": "where", "value": "192.0.2.66:8443"}]
    assert third["where"] == ""


def test_facts_have_the_shapes_of_the_commands_of_ct() -> None:
    """An SCT and a policy look as `ct scts` and `ct policy` write them."""
    document = _document(good_audit())
    assert document["scts"][0] == {
        "log_id": "34d2RUBHR8t5czS4BVtR/AgYVtRPX1mkEH883Ulceg4=",
        "log": "Example 'oak' log",
        "operator": "oak operator",
        "timestamp": "2026-10-02T09:30:00.000Z",
        "source": "embedded",
        "leaf_index": 123456,
        "status": "valid",
        "reason": "",
        "flaws": [],
    }
    assert document["policies"][0]["policy"] == "chrome"
    assert document["policies"][0]["compliant"] is True
    assert [each["passed"] for each in document["policies"][0]["rules"]] == [True, True]
    assert document["forecasts"] == [
        {
            "policy": "apple",
            "at": "2026-12-15T00:00:00Z",
            "compliant": False,
            "because": "the log Example 'elm' log retires",
        }
    ]
    assert document["caa"]["verdict"] == "allowed"


def test_chain_has_pins_and_what_was_sent() -> None:
    """Every certificate has its pin, and the root was not sent."""
    (chain,) = _document(good_audit())["chains"]
    assert chain["verified"] is True
    assert [each["sent"] for each in chain["certificates"]] == [True, True, False]
    assert all(each["pin"].startswith("sha256//") for each in chain["certificates"])
    assert chain["certificates"][0]["not_after"] == "2026-12-31T09:30:00Z"


def test_sct_that_cannot_be_read_has_nulls() -> None:
    """What is not known is null and not made up."""
    unreadable = replace(
        judged("oak", SCTStatus.INVALID, flaws=(Flaw.UNREADABLE,), reason="SCT ends early"),
        sct=None,
        log=None,
    )
    (sct,) = _document(replace(good_audit(), scts=(unreadable,)))["scts"]
    assert [sct[key] for key in ("log_id", "log", "operator", "timestamp", "leaf_index")] == [
        None
    ] * 5
    assert sct["flaws"] == ["unreadable"]


def test_broken_extensions_cost_the_index_alone() -> None:
    """A leaf index that cannot be read is null."""
    good = judged("oak")
    assert good.sct is not None
    broken = replace(good, sct=replace(good.sct, extensions=b"\0\0\7"))
    (sct,) = _document(replace(good_audit(), scts=(broken,)))["scts"]
    assert sct["leaf_index"] is None
    assert sct["log"] == "Example 'oak' log"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_one_bounded_line(text: str) -> None:
    """Any text is carried on one line of printable ASCII of bounded length."""
    document = _document(audit_of(text))
    assert len(json.dumps(document)) < 400_000
    assert document["target"] == text or (len(text) > 1000 and document["target"][-1] == "…")


def test_endless_lists_are_cut() -> None:
    """A thousand of each at most, and of names the number of all."""
    report = good_audit()
    chain = report.chains[0]
    leaf = replace(chain.certificates[0], names=("a.example",) * 5000)
    many = tuple(found(findings.TLS_EXPIRED, f"certificate {n}") for n in range(1500))
    document = _document(
        replace(report, found=many, chains=(replace(chain, certificates=(leaf,)),))
    )
    assert len(document["found"]) == 1000
    (certificate,) = document["chains"][0]["certificates"]
    assert (len(certificate["names"]), certificate["names_total"]) == (1000, 5000)


def test_unfinished_is_said() -> None:
    """An audit that found nothing because it could not look says so."""
    document = _document(unfinished_audit())
    assert (document["found"], document["finished"]) == ([], False)
    assert document["caa"] is None

"""Audits for code scanning: SARIF 2.1.0 as its schema and GitHub want it.

The structure is held against the standard here by hand; the schema itself was used while
this was made, as was the validator of its authors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import findings
from pinwarden.audit.rendering.sarif import audit_sarif, page_of
from pinwarden.findings import REGISTER, FindingKind, Severity
from support.audit_samples import (
    HOSTILE,
    audit_of,
    broken_audit,
    found,
    good_audit,
    unfinished_audit,
    unreachable_audit,
)

_DOCS = Path(__file__).parents[3] / "docs"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# Every key that we write, with what the schema allows in its place.
_KEYS: dict[str, set[str]] = {
    "log": {"$schema", "version", "runs"},
    "run": {
        *("tool", "automationDetails", "columnKind", "invocations", "results", "properties"),
    },
    "driver": {"name", "version", "semanticVersion", "rules", "informationUri"},
    "rule": {
        *("id", "name", "shortDescription", "fullDescription", "help", "helpUri"),
        *("defaultConfiguration", "properties"),
    },
    "invocation": {
        *("executionSuccessful", "toolExecutionNotifications", "startTimeUtc", "endTimeUtc"),
    },
    "notification": {"level", "message", "locations", "descriptor"},
    "result": {
        *("ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"),
        "properties",
    },
    "location": {"physicalLocation", "logicalLocations"},
}


def _run(*reports: Any, documentation: str = "") -> dict[str, Any]:
    log: dict[str, Any] = json.loads(json.dumps(audit_sarif(reports, documentation)))
    assert log.keys() == _KEYS["log"]
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    _hold_against_the_standard(run)
    return dict(run)


def _hold_against_the_standard(run: dict[str, Any]) -> None:
    driver, rules = run["tool"]["driver"], run["tool"]["driver"]["rules"]
    assert run.keys() <= _KEYS["run"]
    assert driver.keys() <= _KEYS["driver"]
    # 3.19.23: the rules are told apart by their ids.
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.keys() <= _KEYS["rule"]
        assert rule["help"]["text"]
    for result in run["results"]:
        assert result.keys() == _KEYS["result"]
        # 3.27.6: the index is that of the rule with this id.
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
    for location in _locations(run):
        assert location.keys() == _KEYS["location"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        # GitHub refuses absolute addresses, and whatever is no URI reference.
        assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+/\d+", uri)
        assert urlsplit(uri).scheme == ""
        assert location["physicalLocation"]["region"]["startLine"] == 1
    (invocation,) = run["invocations"]
    assert invocation.keys() <= _KEYS["invocation"]
    for notification in invocation["toolExecutionNotifications"]:
        assert notification.keys() == _KEYS["notification"]
    assert all(_MOMENT.fullmatch(invocation[k]) for k in invocation if k.endswith("TimeUtc"))
    prints = [tuple(each["partialFingerprints"].items()) for each in run["results"]]
    assert len(set(prints)) == len(prints)


def _locations(run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for result in run["results"]:
        yield from result["locations"]
    for notification in run["invocations"][0]["toolExecutionNotifications"]:
        yield from notification["locations"]


def test_findings_are_results_of_their_rules() -> None:
    """Each finding points to its rule, host and place, and to nothing that is not found."""
    run = _run(good_audit(), broken_audit())
    assert [each["ruleId"] for each in run["results"]] == [f.id for f in broken_audit().found]
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["message"]["text"] == (
        "old.example.com:8443: the certificate ended on 2026-11-14, 10 days ago."
    )
    (location,) = first["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "old.example.com/8443"
    assert [each["fullyQualifiedName"] for each in location["logicalLocations"]] == [
        "old.example.com:8443",
        "192.0.2.66:8443",
    ]
    assert len(run["tool"]["driver"]["rules"]) == 4
    assert run["properties"] == {"hosts": 2, "passed": 10, "notChecked": 4}


def test_rule_helps() -> None:
    """A rule has its title, next step, score and page; its address only where one is given."""
    rule = _run(broken_audit())["tool"]["driver"]["rules"][0]
    assert rule["id"] == "PW-TLS-EXPIRED"
    assert rule["shortDescription"]["text"] == "a served certificate has expired."
    assert "findings-audit.md#pw-tls-expired" in rule["help"]["markdown"]
    assert float(rule["properties"]["security-severity"]) > 9
    assert "helpUri" not in rule
    driver = _run(broken_audit(), documentation="https://docs.example/pw/")["tool"]["driver"]
    assert driver["rules"][0]["helpUri"] == (
        "https://docs.example/pw/findings-audit.md#pw-tls-expired"
    )
    assert driver["informationUri"] == "https://docs.example/pw/"


@pytest.mark.parametrize(
    ("severity", "level", "least"),
    [
        (Severity.CRITICAL, "error", 9.1),
        (Severity.HIGH, "error", 7.0),
        (Severity.MEDIUM, "warning", 4.0),
        (Severity.LOW, "note", 0.1),
        (Severity.INFO, "note", None),
    ],
    ids=str,
)
def test_levels(severity: Severity, level: str, least: float | None) -> None:
    """Severities are told on the scales of SARIF and of GitHub."""
    kind = FindingKind("PW-TEST-KIND", severity, "a kind")
    run = _run(replace(good_audit(), found=(found(kind, "x"),)))
    assert run["results"][0]["level"] == level
    score = run["tool"]["driver"]["rules"][0]["properties"].get("security-severity")
    assert (score is None) if least is None else (float(score) >= least)


@pytest.mark.parametrize("kind", REGISTER.values(), ids=lambda kind: kind.id)
def test_every_kind_has_its_page(kind: FindingKind) -> None:
    """The page that a rule names has the section on it."""
    page, _, anchor = page_of(kind).partition("#")
    headings = re.findall(r"^## (.+)$", (_DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_what_was_not_made_fails_the_run() -> None:
    """A check that could not be made is a notification, and the run did not succeed."""
    (invocation,) = _run(good_audit(), unfinished_audit())["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == (
        "half.example.com: caa could not be checked: the resolver does not answer."
    )
    (invocation,) = _run(good_audit())["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"] == []


def test_no_hosts_are_a_log_too() -> None:
    """Nothing audited is nothing found."""
    run = _run()
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_fingerprints_last() -> None:
    """The same finding is the same alert tomorrow, with another message; elsewhere another."""
    today = unreachable_audit()
    later = replace(
        today,
        at=today.at + timedelta(days=1),
        found=(replace(today.found[0], message="192.0.2.99:443 does not answer in 5 s"),),
    )

    def prints(report: Any) -> list[dict[str, str]]:
        return [each["partialFingerprints"] for each in _run(report)["results"]]

    assert prints(today) == prints(later)
    assert prints(today) != prints(replace(today, port=8443))
    assert prints(today) != prints(replace(today, host="up.example.com"))


def test_one_kind_twice_at_one_host_is_two_alerts() -> None:
    """Findings that differ in their message alone are counted."""
    twice = tuple(found(findings.TLS_EXPIRED, text) for text in ("one", "two"))
    one, two = _run(replace(good_audit(), found=twice))["results"]
    assert one["partialFingerprints"] != two["partialFingerprints"]


def test_ip_address_is_a_relative_place() -> None:
    """The colons of an IPv6 address make no scheme."""
    report = replace(unreachable_audit(), host="2001:db8::99", target="[2001:db8::99]:443")
    (result,) = _run(report)["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == "2001:db8::99/443"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_stays_in_its_place(text: str) -> None:
    """Any field can hold anything, and no message holds a link of SARIF (3.11.6)."""
    run = _run(audit_of(text))
    (invocation,) = run["invocations"]
    messages = [*run["results"], *invocation["toolExecutionNotifications"]]
    for each in messages:
        assert "](" not in each["message"]["text"]
        assert each["message"]["text"].isprintable()
    assert len(json.dumps(run)) < 40_000


@given(st.text(max_size=200))
def test_any_text_stays_in_its_place(text: str) -> None:
    """The same for whatever there is."""
    _run(audit_of(text))

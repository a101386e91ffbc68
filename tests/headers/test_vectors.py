"""The cases of RFC 7469 and RFC 9163 that everybody's reading is held to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pinwarden.headers.judge import judge_headers
from pinwarden.headers.report import finding_name

VECTORS = Path(__file__).parents[1] / "vectors"
# Those of everybody, and ours for what they leave open, each with the section that decides it.
CASES: list[dict[str, Any]] = [
    case
    for name in ("headers.json", "headers-more.json")
    for case in json.loads((VECTORS / name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=[each["id"] for each in CASES])
def test_case(case: dict[str, Any]) -> None:
    """Syntax, values, whether a client would keep it, and the findings."""
    response, expected = case["response"], case["expect"]
    report = judge_headers(
        [(name, value) for name, value in response["headers"]],
        scheme=response["scheme"],
        host=response["host"],
        chain_pins=response["chain_spki_sha256"],
        ct_qualified=response["ct_qualified"],
        html=response.get("html", ""),
    )
    found = report.to_json()
    assert sorted(map(finding_name, report.findings)) == expected.pop("findings")
    assert {name: found[name] for name in expected} == expected

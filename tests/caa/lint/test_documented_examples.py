"""Every example of the page about findings is a case of its finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinwarden.caa.lint.zone import lint_zone
from pinwarden.caa.zone.zonefile import parse_zone
from support.caa_lint import SETTING

_PAGE = Path(__file__).parents[3] / "docs" / "findings-caa.md"
_SECTIONS = re.findall(
    r"^## (PW-CAA-[A-Z0-9-]+)$(.*?)(?=^## |\Z)", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)
EXAMPLES = [
    (kind, example)
    for kind, text in _SECTIONS
    for example in re.findall(r"^Example: `(.*)`$", text, re.MULTILINE)
]
_HEAD = "$TTL 300\n@ SOA ns root 1 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n"


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 25


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_is_one(kind: str, example: str) -> None:
    """Records alone stand at the zone's name, several are joined by a word."""
    lines = []
    for text in re.split(r" beside | and (?=\S+ CAA )| alone$", example):
        line = f"@ CAA {text}" if text[:1].isdigit() else text
        absolute = line.startswith("@") or kind == "PW-CAA-OWNER-DOUBLED"
        lines.append(line if absolute else line.replace("example.com CAA", "example.com. CAA"))
    zone = parse_zone(_HEAD + "\n".join(lines) + "\n", "example.com")
    assert kind in {each.id for each in lint_zone(zone, SETTING)}

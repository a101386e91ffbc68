"""The register of findings, its pages in the documentation, and the advice given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinwarden.findings import REGISTER, FindingKind
from pinwarden.render import next_step

_DOCS = Path(__file__).parents[1] / "docs"
_PAGES = (
    *("findings-audit.md", "findings-caa.md", "findings-headers.md", "findings.md"),
    *("findings-pins.md", "findings-ct.md"),
)
_PARTS = ("**What it means.**", "**How sure we are.**", "**What to do.**")


def _sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    for page in _PAGES:
        text = (_DOCS / page).read_text(encoding="utf-8")
        pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        sections |= zip(pieces[1::2], pieces[2::2], strict=True)
    return sections


def test_pages_and_register_name_the_same_ids_in_the_same_order() -> None:
    """Every registered finding has its section, and no section is left over."""
    assert list(_sections()) == list(REGISTER)


@pytest.mark.parametrize("kind", REGISTER.values(), ids=lambda kind: kind.id)
def test_section_says_what_how_sure_and_what_to_do(kind: FindingKind) -> None:
    """A section has the registered title and severity and its three parts in order."""
    section = _sections()[kind.id]
    assert section.startswith(f"\n\n*{kind.title}* ({kind.severity})\n")
    places = [section.find(part) for part in _PARTS]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("kind", REGISTER.values(), ids=lambda kind: kind.id)
def test_every_kind_has_advice(kind: FindingKind) -> None:
    """No alert leaves its reader without a next step, nor with an unfilled place in it."""
    step = next_step(kind, alert_id=12)
    assert "docs/findings.md" not in step
    assert "{" not in step


def test_ids_are_stable_in_form() -> None:
    """An id is upper case words after PW, under which the register holds it."""
    for key, kind in REGISTER.items():
        assert key == kind.id
        assert re.fullmatch(r"PW(-[A-Z]+)+", key)


def test_unknown_kind_points_to_the_page() -> None:
    """A kind that an older version does not know is looked up, not ignored."""
    kind = FindingKind("PW-NEWER", next(iter(REGISTER.values())).severity, "something newer")
    assert "docs/findings.md" in next_step(kind)

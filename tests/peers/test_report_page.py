"""The page of an audit in a real browser: what it holds, and what the browser forbids it."""

from __future__ import annotations

import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from peers.programs import program
from pinwarden.audit.rendering import render_audit_html
from support.audit_samples import HOSTILE, audit_of, broken_audit, good_audit

pytestmark = pytest.mark.peer

_MANNERS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom"),
)


class _Elements(HTMLParser):
    """How many elements there are of each name, and the words of the title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] += 1


def _shown(page: str, folder: Path) -> tuple[str, str]:
    """The document as Chromium made it of a page, and what it said on its console."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [program("chromium"), *_MANNERS, f"--user-data-dir={folder / 'profile'}"]
    ran = subprocess.run(
        [*command, file.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    said = "\n".join(line for line in ran.stderr.splitlines() if "CONSOLE" in line)
    return ran.stdout, said


def test_browser_finds_what_was_written(tmp_path: Path) -> None:
    """Nothing on the page is refused, and no element came from a hostile field."""
    page = render_audit_html([good_audit(), broken_audit(), *map(audit_of, HOSTILE.values())])
    shown, said = _shown(page, tmp_path)
    assert said == ""
    expected = _Elements(page).counts
    assert _Elements(shown).counts == expected
    assert expected["svg"] > 50


def test_policy_of_the_page_is_in_force(tmp_path: Path) -> None:
    """Should markup get out of its place after all, it neither runs nor is fetched nor styled."""
    wrong = (
        '<script>document.title = "it ran"</script><img src="http://127.0.0.1:9/x.png">'
        '<style>p { color: red }</style><p style="color: red">x</p>'
    )
    page = render_audit_html([good_audit()]).replace("<main>", f"<main>{wrong}")
    shown, said = _shown(page, tmp_path)
    assert "<title>Pinwarden audit: www.example.com" in shown
    assert "it ran</title>" not in shown
    for kind in ("script", "image", "inline style"):
        assert kind in said.lower()

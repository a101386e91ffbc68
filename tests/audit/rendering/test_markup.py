"""Elements are written with everything in them escaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.rendering.markup import element, written
from pinwarden.names import display
from support.audit_samples import HOSTILE


class _Read(HTMLParser):
    """What a reader of HTML makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.starts: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_attributes_are_written_like_python_names() -> None:
    """A trailing underscore is dropped, others become hyphens, None is left out."""
    node = element("a", "x", class_="one two", aria_label="A & B", href=None, tabindex=0)
    assert written(node) == '<a class="one two" aria-label="A &amp; B" tabindex="0">x</a>'


def test_numbers_are_short_and_children_nest() -> None:
    """Two decimals at most; tuples and None are what they look like."""
    node = element("g", (element("rect", x=1.005, y=2.0, width=3), None, "t"), "u")
    assert written(node) == '<g><rect x="1" y="2" width="3"></rect>tu</g>'


def test_void_elements_have_no_end() -> None:
    """A meta element has no content."""
    assert written(element("meta", charset="utf-8")) == '<meta charset="utf-8">'


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_stays_text(text: str) -> None:
    """Markup in text and in attributes is read back as the text that it was."""
    read = _Read(written(element("p", text, title=text)))
    shown = display(text, 10_000)
    assert read.starts == [("p", [("title", shown)])]
    assert read.text == shown


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    """The same for whatever there is."""
    read = _Read(written(element("p", text, title=text)))
    assert (len(read.starts), read.text) == (1, display(text, 10_000))

"""Retired headers in `<meta http-equiv>`, where clients never read them.

RFC 7469 section 2.3.4 has clients ignore them there; RFC 9163 knows header fields only.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pinwarden.headers.expect_ct import EXPECT_CT
from pinwarden.headers.hpkp import PUBLIC_KEY_PINS, REPORT_ONLY

__all__ = ["LARGEST_PAGE", "MetaHeader", "find_meta"]

LARGEST_PAGE = 1 << 20
"""Characters of a page that are looked at."""

_MOST = 100
_NAMES = {each.lower(): each for each in (PUBLIC_KEY_PINS, REPORT_ONLY, EXPECT_CT)}
# An angle bracket inside a value would be legal, and stands in none that has a header in it; so
# every character is looked at once, whatever a page is full of.
_META_OR_COMMENT = re.compile(r"<!--|<meta(?=[\s/])([^<>]{0,4096})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([^\s\"'>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")


@dataclass(frozen=True, slots=True)
class MetaHeader:
    """A meta element for one of the headers, its name as the RFC spells it, and its line."""

    name: str
    content: str
    line: int


def find_meta(page: str) -> tuple[MetaHeader, ...]:
    """The first hundred such elements in a page, which need not be well formed.

    What is commented out is not found.
    """
    return tuple(_found(page[:LARGEST_PAGE]))


def _found(page: str) -> Iterator[MetaHeader]:
    at, line, counted, found = 0, 1, 0, 0
    while found < _MOST:
        match = _META_OR_COMMENT.search(page, at)
        if match is None:
            return
        at = match.end()
        if match[1] is None:
            end = page.find("-->", at)
            if end < 0:
                return
            at = end
            continue
        line += page.count("\n", counted, match.start())
        counted = match.start()
        attributes = _attributes(match[1])
        name = _NAMES.get(attributes.get("http-equiv", "").strip().lower())
        if name is not None:
            found += 1
            yield MetaHeader(name, attributes.get("content", ""), line)


def _attributes(text: str) -> dict[str, str]:
    """The first of each name counts, as in HTML."""
    attributes: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        name, *values = match.groups()
        value = next((each for each in values if each is not None), "")
        attributes.setdefault(name.lower(), html.unescape(value))
    return attributes

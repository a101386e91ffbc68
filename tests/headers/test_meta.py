"""Pins in pages, where no client looked for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.headers.meta import LARGEST_PAGE, MetaHeader, find_meta


@pytest.mark.parametrize(
    "element",
    [
        '<meta http-equiv="Public-Key-Pins" content="max-age=1">',
        "<META HTTP-EQUIV=public-key-pins CONTENT='max-age=1'/>",
        '<meta\n\tname=x content="max-age=1"\n http-equiv = "PUBLIC-KEY-PINS" >',
        '<meta/http-equiv="Public-Key-Pins"/content="max-age&equals;1"/>',
        '<meta content="max-age=1" http-equiv=" Public-Key-Pins " http-equiv="refresh">',
    ],
)
def test_elements(element: str) -> None:
    """However it is written, with the line it begins on."""
    page = f"<!doctype html>\n<!-- a\n<meta -->\n<head>{element}</head>"
    assert find_meta(page) == (MetaHeader("Public-Key-Pins", "max-age=1", 4),)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<meta>",
        "<meta http-equiv=refresh content=1>",
        '<!-- <meta http-equiv="Public-Key-Pins"> -->',
        '<!-- <meta http-equiv="Public-Key-Pins">',
        "<metadata http-equiv=Public-Key-Pins>",
        "<meta name=Public-Key-Pins content=x>",
        "<meta http-equiv=Public-Key-Pins",
        "&lt;meta http-equiv=Public-Key-Pins>",
    ],
)
def test_what_is_none(page: str) -> None:
    """Comments, other elements, other attributes; an element without an end is none."""
    assert find_meta(page) == ()


def test_all_three_headers() -> None:
    """In their order, spelled as the RFCs have them; never more than a hundred."""
    names = ("expect-ct", "public-key-pins-report-only", "public-key-pins")
    page = "".join(f"<meta http-equiv={name} content=x>\n" for name in names)
    assert [(each.name, each.line) for each in find_meta(page)] == [
        ("Expect-CT", 1),
        ("Public-Key-Pins-Report-Only", 2),
        ("Public-Key-Pins", 3),
    ]
    assert len(find_meta(page * 100)) == 100


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<",
            "<meta ",
            "<meta x",
            "<meta>",
            "<meta a=",
            "<meta a='",
            '<meta "',
            "<!--",
            "<!---->",
        ),
        *(
            "<meta\n",
            "<meta " + "a " * 2_000,
            "<meta " + "a=" + " " * 4_000,
            "<meta " + " " * 4_000,
        ),
    ],
    ids=lambda each: ascii(each[:10]) + str(len(each)),
)
def test_large_pages(piece: str) -> None:
    """A hostile page costs what another of its size does, and no more of it is read."""
    assert find_meta(piece * (LARGEST_PAGE // len(piece) + 1)) == ()


@given(st.text(st.sampled_from("<>meta!- =\"'\n&/x")))
def test_any_page(page: str) -> None:
    """Never an exception, and nothing where nothing is."""
    assert find_meta(page) == ()

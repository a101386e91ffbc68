"""A page of HTML that needs nothing else: to keep, to print, to send.

No script, no form, nothing fetched, and a policy that forbids the browser all of it, in
case a field of a hostile certificate should get out of its place after all.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinwarden import __version__
from pinwarden.audit.rendering.markup import Node, element, written
from pinwarden.audit.rendering.style import STYLE, STYLE_HASH

__all__ = ["written_sheet"]

_POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'"


def written_sheet(title: str, top: Node, sections: Iterable[Node]) -> str:
    """The whole page: what stands above, then each section, written as it comes."""
    # Each section is written by itself: the trees of thousands would not all fit at once.
    # The style is ours and constant; everything else goes through the escaping of `written`.
    return "".join(
        (
            f'<!doctype html>\n<html lang="en"><head>{written(_head(title))}',
            f'<style>{STYLE}</style></head><body><div class="page">{written(top)}<main>',
            *map(written, sections),
            "</main></div></body></html>\n",
        )
    )


def _head(title: str) -> tuple[Node, ...]:
    return (
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("meta", name="generator", content=f"Pinwarden {__version__}"),
        element("title", title),
    )

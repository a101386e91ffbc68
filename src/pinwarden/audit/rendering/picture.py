"""What the pictures of a report are drawn with: text that fits, marks, a frame with a name.

Colours are classes of the page's style, so that a picture follows light, dark and paper;
what a colour says is said in words or by a shape as well.
"""

from __future__ import annotations

import unicodedata

from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.names import display

__all__ = ["fitted", "mark", "named_picture", "text_at", "text_width"]

# The mean width of a character in parts of its size, of the faces that pages are shown in.
_NARROW = 0.56
_MONOSPACED = 0.62


def text_width(text: str, size: float, *, monospaced: bool = False) -> float:
    """About how wide a text is, in the units of its size."""
    mean = _MONOSPACED if monospaced else _NARROW
    return size * sum(1.05 if unicodedata.east_asian_width(each) in "WF" else mean for each in text)


def fitted(text: str, room: float, size: float, *, monospaced: bool = False) -> str:
    """A text cut to about this width; what is cut is shown by an ellipsis."""
    # No character is narrower than a third of the mean, so that no more can fit.
    most = int(room / (size * _NARROW)) * 3
    kept = display(text, most)[:most].rstrip()
    if text_width(kept, size, monospaced=monospaced) <= room and len(text) <= most:
        return kept
    while kept and text_width(kept + "…", size, monospaced=monospaced) > room:
        kept = kept[:-1]
    return kept.rstrip("… ") + "…"


def text_at(x: float, y: float, text: str, class_: str, *, anchor: str | None = None) -> Element:
    """A line of text with its baseline at a point."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def mark(x: float, y: float, good: bool | None, size: float = 6) -> Element:
    """A tick, a cross or a question mark in a disc, told apart without colour too."""
    word = {True: "ok", False: "bad", None: "unknown"}[good]
    strokes = {
        True: f"M{x - size / 2:.1f} {y:.1f}l{size / 3:.1f} {size / 2.5:.1f}"
        f"l{size / 1.6:.1f} {-size / 1.3:.1f}",
        False: f"M{x - size / 2.6:.1f} {y - size / 2.6:.1f}l{size / 1.3:.1f} {size / 1.3:.1f}"
        f"m0 {-size / 1.3:.1f}l{-size / 1.3:.1f} {size / 1.3:.1f}",
    }
    disc = element("circle", cx=x, cy=y, r=size, class_=f"disc {word}")
    if good is None:
        sign = text_at(x, y + size * 0.6, "?", "sign-text", anchor="middle")
    else:
        sign = element("path", d=strokes[good], class_="sign")
    return element("g", disc, sign)


def named_picture(
    key: str, width: float, height: float, title: str, account: str, *drawn: Node, class_: str
) -> Element:
    """A picture with a name and an account in words for whoever does not see it.

    `key` is unique in the page.
    """
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", account, id=f"{key}-account"),
        *drawn,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{key}-title {key}-account",
        class_=class_,
    )

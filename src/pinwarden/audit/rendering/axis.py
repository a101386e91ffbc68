"""The axis below a picture in time, and the line through it that marks a day."""

from __future__ import annotations

from datetime import datetime

from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.picture import text_at, text_width
from pinwarden.audit.rendering.scale import Scale

__all__ = ["draw_axis", "draw_day"]

# How far the words of the axis may stand out beyond the scale.
_EDGE = 6.0


def draw_axis(scale: Scale, top: float, bottom: float) -> Element:
    """The axis at `bottom`, with a line up to `top` for each tick that there are words for."""
    line = element("path", d=f"M{scale.left} {bottom}H{scale.right}", class_="axis")
    drawn: list[Node] = [line]
    last = float("-inf")
    for tick in scale.ticks():
        drawn.append(element("path", d=f"M{tick.x:.1f} {top}V{bottom + 4}", class_="grid"))
        half = text_width(tick.text, 11) / 2
        if tick.x - half > max(last + 6, 0) and tick.x + half < scale.right + _EDGE:
            drawn.append(text_at(tick.x, bottom + 18, tick.text, "tick", anchor="middle"))
            last = tick.x + half
    return element("g", *drawn)


def draw_day(
    scale: Scale, moment: datetime, text: str, top: float, bottom: float, width: float
) -> Element:
    """A line through a picture of this width, with words above it that stay within."""
    x = scale.x(moment)
    # The text is bold.
    half = text_width(text, 13.5) / 2
    middle = min(max(x, half + 2), width - half - 2)
    line = element("path", d=f"M{x:.1f} {top - 8}V{bottom}", class_="today")
    return element("g", line, text_at(middle, 13, text, "today-text", anchor="middle"))

"""Elements of HTML and SVG as values, escaped when they are written and never before.

A page is a tree of elements and plain strings. A string is always text, so that no field of
a certificate can be forgotten: there is no way to put markup into the tree but to build it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from pinwarden.names import display

__all__ = ["Element", "Node", "element", "written"]

# Whoever builds a page cuts foreign text to what a person reads; this holds in any case.
_LONGEST = 10_000
_VOID = frozenset({"meta", "br"})

Node: TypeAlias = "Element | str | tuple[Node, ...] | None"


@dataclass(frozen=True, slots=True)
class Element:
    """One element; what is within it is elements and text."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]


def element(name: str, /, *children: Node, **attributes: str | float | None) -> Element:
    """An element whose attributes are written like Python names: `class_`, `aria_label`.

    An attribute with None is left out. Names are the caller's own words, never foreign text.
    """
    kept = tuple(
        (_attribute(key), _number(value) if isinstance(value, int | float) else value)
        for key, value in attributes.items()
        if value is not None
    )
    return Element(name, kept, children)


def written(node: Node) -> str:
    """Markup in which every string is text or the value of an attribute."""
    return "".join(_pieces(node))


def _pieces(node: Node) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node, str):
        yield _escaped(node)
    elif isinstance(node, tuple):
        for each in node:
            yield from _pieces(each)
    else:
        attributes = "".join(f' {key}="{_escaped(value)}"' for key, value in node.attributes)
        yield f"<{node.name}{attributes}>"
        if node.name not in _VOID:
            for each in node.children:
                yield from _pieces(each)
            yield f"</{node.name}>"


def _escaped(text: str) -> str:
    # Nothing invisible and no bidirectional override, in text or in an attribute.
    return escape(display(text, _LONGEST), quote=True)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")

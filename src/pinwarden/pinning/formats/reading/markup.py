"""XML as a tree, without the parts of XML by which a small file becomes a large one."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from pinwarden.errors import MalformedError

__all__ = ["Element", "parse_markup"]

_MOST_ELEMENTS, _DEEPEST, _LONGEST_TEXT = 100_000, 50, 4096


@dataclass(slots=True)
class Element:
    """An element without its namespace; `text` is that right inside it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """The children of a name."""
        return [each for each in self.children if each.name == name]


def parse_markup(data: bytes) -> Element:
    """The root element; raises `MalformedError`, also for any document type or entity."""
    root = Element("")
    open_elements = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_ELEMENTS or len(open_elements) > _DEEPEST:
            raise MalformedError("is too large or too deep")
        element = Element(_local(name), {_local(key): each for key, each in attributes.items()})
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        element = open_elements[-1]
        if len(element.text) + len(data) > _LONGEST_TEXT and data.strip():
            raise MalformedError("holds a text that is too long")
        element.text = (element.text + data)[:_LONGEST_TEXT]

    def refuse(*_: object) -> None:
        raise MalformedError("declares a document type, as no such file needs to")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, MalformedError):
            raise
        raise MalformedError(f"is not XML: {error}") from None
    return root.children[0]


def _local(name: str) -> str:
    return name.rpartition(":")[2]

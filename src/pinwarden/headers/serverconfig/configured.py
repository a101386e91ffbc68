"""What is found in a server's configuration, whatever the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """Whose configuration a text is."""

    NGINX = "nginx"
    APACHE = "apache"
    CADDY = "caddy"
    HAPROXY = "haproxy"


class Action(StrEnum):
    """What a line does to the header of an answer."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ConfiguredHeader:
    """One place that decides about a retired header.

    `name` is spelled as its RFC spells it. `value` is what the server would send, quotes and
    escapes resolved; None where the line removes the header or where only the running server
    knows, and then `problem` says why in a few words (else it is empty). `line` counts from 1.
    `context` is the way to the line from outside in, such as `server www.example.com, location /`
    ("" at the top); it holds foreign text, bounded and not escaped. `conditional` says that the
    line, or a block around it, does not act on every answer that gets there.
    """

    name: str
    value: str | None
    line: int
    context: str = ""
    action: Action = Action.SET
    conditional: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ConfigNote:
    """A line that was not followed: `text` is foreign, one line, bounded and not escaped."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """What a configuration says of the retired headers.

    `includes` name other files, which were not read. `unread` are lines that name one of the
    headers in a way this reader does not know: they have to be looked at by a person. `hiding`
    are lines because of which a header that is set further out is not sent there.
    """

    headers: tuple[ConfiguredHeader, ...]
    includes: tuple[ConfigNote, ...] = ()
    unread: tuple[ConfigNote, ...] = ()
    hiding: tuple[ConfigNote, ...] = ()

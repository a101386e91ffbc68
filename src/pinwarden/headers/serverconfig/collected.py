"""What a reader gathers on its way through a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.configured import (
    Action,
    ConfigNote,
    ConfigReading,
    ConfiguredHeader,
)
from pinwarden.headers.serverconfig.retired_names import mentions, retired_name

# Deeper than any configuration that people write; a context is as long as the way to its line.
_DEPTH = 100
_LABEL, _CONTEXT, _NOTE = 80, 300, 200
_NAMES_SHOWN = 3
# RFC 9112, section 5.2: a line break with white space after it continues the value.
_FOLD = re.compile(r"\r?\n[ \t]+")

RUN_TIME = "decided at run time"


@dataclass(slots=True, eq=False)
class Block:
    """A section of a configuration, until all of it is read.

    `hosts` are the names of the virtual host that the block is, which may follow their use.
    """

    label: str = ""
    parent: Block | None = None
    conditional: bool = False
    hosts: list[str] = field(default_factory=list)
    depth: int = 0

    def inside(self, label: str, *, conditional: bool = False) -> Block:
        """A block in this one; MalformedError where blocks are nested past all sense."""
        if self.depth >= _DEPTH:
            raise MalformedError(f"configuration: blocks nested more than {_DEPTH} deep")
        return Block(one_line(label, _LABEL), self, conditional, depth=self.depth + 1)

    def name_host(self, names: Iterable[str]) -> None:
        """Take the names of this virtual host; of many, the first few are shown."""
        for name in names:
            if len(self.hosts) >= _NAMES_SHOWN:
                return
            self.hosts.append(one_line(name, _LABEL))

    def context(self) -> str:
        """The way to here from outside in."""
        labels = [" ".join((each.label, *each.hosts)) for each in self.way() if each.label]
        return one_line(", ".join(labels), _CONTEXT)

    def way(self) -> list[Block]:
        """The block after all those around it, the outermost first."""
        way: list[Block] = []
        here: Block | None = self
        while here is not None:
            way.append(here)
            here = here.parent
        return way[::-1]


@dataclass(frozen=True, slots=True)
class _Pending:
    header: ConfiguredHeader
    block: Block


class Collected:
    """The headers, includes and unread lines of one configuration."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._includes: list[ConfigNote] = []
        self._unread: list[ConfigNote] = []

    def header(
        self,
        name: str,
        value: str | None,
        line: int,
        block: Block,
        *,
        action: Action = Action.SET,
        conditional: bool = False,
        problem: str = "",
    ) -> bool:
        """Take a header; False for one that nobody retired."""
        retired = retired_name(name)
        if retired is None:
            return False
        if value is not None:
            value, problem = sent_value(value, problem)
        found = ConfiguredHeader(
            retired, value, line, action=action, conditional=conditional, problem=problem
        )
        self._pending.append(_Pending(found, block))
        return True

    def include(self, line: int, path: str) -> None:
        """Take the name of another file."""
        self._includes.append(ConfigNote(line, one_line(path, _NOTE)))

    def unread_if_named(self, line: int, words: Iterable[str]) -> None:
        """Keep a line that nobody understood, if it names one of the headers."""
        text = " ".join(words)
        if mentions(text):
            self._unread.append(ConfigNote(line, one_line(text, _NOTE)))

    def reading(self, snippets: frozenset[str] = frozenset()) -> ConfigReading:
        """All of it in the order of the lines; `snippets` are includes within the file."""
        known: dict[int, tuple[str, bool]] = {}
        headers = []
        for each in self._pending:
            if id(each.block) not in known:
                conditional = any(block.conditional for block in each.block.way())
                known[id(each.block)] = each.block.context(), conditional
            headers.append(_placed(each.header, *known[id(each.block)]))
        return ConfigReading(
            tuple(sorted(headers, key=lambda header: header.line)),
            tuple(note for note in self._includes if note.text not in snippets),
            tuple(self._unread),
        )


def _placed(header: ConfiguredHeader, context: str, conditional: bool) -> ConfiguredHeader:
    return ConfiguredHeader(
        header.name,
        header.value,
        header.line,
        context,
        header.action,
        header.conditional or conditional,
        header.problem,
    )


def on_the_wire(name: str, value: str) -> tuple[str, str]:
    """Name and value as they arrive from a server that sends any name.

    `Expect-CT:` as a name ends up with two colons, and the value begins with the second.
    """
    before, colon, after = name.partition(":")
    return before, f"{after}: {value}" if colon else value


def sent_value(value: str, problem: str = "") -> tuple[str | None, str]:
    """A value as its receiver reads it: unfolded, without the white space around it.

    None, and why, where a line break in it ends the header and begins another.
    """
    unfolded = _FOLD.sub(" ", value).strip(" \t\r\n")
    if "\n" in unfolded or "\r" in unfolded:
        return None, "a line break in it ends the header"
    if "\0" in unfolded:
        return None, "a NUL in it ends the header"
    return unfolded, problem


def one_line(text: str, limit: int = _LABEL) -> str:
    """Foreign text cut to a length, with its line breaks and runs of white space as one space."""
    cut = text[: 2 * limit]
    shown = " ".join(cut.split())
    return shown if len(shown) <= limit and len(cut) == len(text) else shown[:limit] + "…"

"""Caddy: `header` and `header_down` of a Caddyfile, or what they became in Caddy's JSON."""

from __future__ import annotations

from enum import Enum

from pinwarden.headers.serverconfig.caddy_json import is_caddy_json, read_caddy_json
from pinwarden.headers.serverconfig.caddy_value import caddy_value
from pinwarden.headers.serverconfig.caddy_words import CaddyLine, caddy_lines, joined_lines
from pinwarden.headers.serverconfig.collected import Block, Collected, one_line
from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.retired_names import retired_names

# header_downstream is of Caddy 1.
_DOWN = frozenset(("header_down", "header_downstream"))
_OF_REQUESTS = frozenset(("request_header", "header_up", "header_upstream", "header_regexp"))


class _Kind(Enum):
    """What the lines of a block are."""

    DIRECTIVES = "directives"
    OPERATIONS = "operations"  # of `header`: one header a line
    MATCHER = "matcher"  # of requests or answers: sends nothing


def read_caddy(text: str) -> ConfigReading:
    """Every place of a Caddyfile, or of Caddy's JSON, that decides about a retired header."""
    return read_caddy_json(text) if is_caddy_json(text) else _Reader().read(text)


class _Reader:
    def __init__(self) -> None:
        self._collected = Collected()
        self._block = Block()
        self._kinds = [_Kind.DIRECTIVES]
        self._one_site = False
        self._snippets: set[str] = set()

    def read(self, text: str) -> ConfigReading:
        before: list[CaddyLine] = []
        for line in caddy_lines(text):
            before.append(line)
            # Addresses go on after a comma.
            if not (self._at_top() and line.words[-1].endswith(",")):
                self._take(joined_lines(before))
                before.clear()
        if before:
            self._take(joined_lines(before))
        return self._collected.reading(frozenset(self._snippets))

    def _at_top(self) -> bool:
        return self._block.parent is None and not self._one_site

    def _take(self, line: CaddyLine) -> None:
        words = line.words[:-1] if line.opens else line.words
        kind = self._kinds[-1]
        if line.closes:
            if self._block.parent is not None:
                self._block = self._block.parent
                self._kinds.pop()
        elif self._at_top() and words[:1] != ("header",):
            self._take_site(words, line)
        elif kind is _Kind.OPERATIONS:
            self._take_line_of_header(words, line)
        elif kind is _Kind.DIRECTIVES and words[:1] != ("header",):
            self._take_directive(words, line)
        elif kind is _Kind.DIRECTIVES:
            # A file of directives, for other files to import, has no site around them.
            self._one_site |= self._block.parent is None
            self._take_header(words, line)
        elif line.opens:
            self._open("", _Kind.MATCHER)

    def _open(self, label: str, kind: _Kind, *, conditional: bool = False) -> None:
        self._block = self._block.inside(label, conditional=conditional)
        self._kinds.append(kind)

    def _take_site(self, words: tuple[str, ...], line: CaddyLine) -> None:
        """Addresses, a snippet, the global options, or the address of the only site."""
        addresses = [word.rstrip(",") for word in words if word != ","]
        name = " ".join(addresses)
        label = f"site {name}" if name else "global options"
        if name.startswith("(") and name.endswith(")"):
            self._snippets.add(name[1:-1])
            label = f"snippet {name[1:-1]}"
        if line.opens:
            self._open(label, _Kind.DIRECTIVES)
        elif addresses[0] == "import":
            self._collected.include(line.line, " ".join(addresses[1:2]))
        else:
            self._block.label = one_line(label)
            self._one_site = True

    def _take_directive(self, words: tuple[str, ...], line: CaddyLine) -> None:
        name = words[0] if words else ""
        matched = _is_matcher(words[1:2])
        if name.startswith("@"):
            if line.opens:
                self._open(name, _Kind.MATCHER)
            return
        if name == "import" and len(words) > 1:
            self._collected.include(line.line, words[1])
        elif not (name in _DOWN and self._operation(words[1:], line)) and name not in _OF_REQUESTS:
            self._collected.unread_if_named(line.line, words)
        if line.opens:
            self._open(" ".join(words), _Kind.DIRECTIVES, conditional=matched)

    def _take_header(self, words: tuple[str, ...], line: CaddyLine) -> None:
        matched = _is_matcher(words[1:2])
        operation = words[2:] if matched or words[1:2] == ("*",) else words[1:]
        if operation and not self._operation(operation, line, conditional=matched):
            self._collected.unread_if_named(line.line, words)
        if line.opens:
            label = words[1] if matched else ""
            self._open(label, _Kind.OPERATIONS, conditional=matched)

    def _take_line_of_header(self, words: tuple[str, ...], line: CaddyLine) -> None:
        if words[:1] == ("match",):
            self._block.conditional = True
        elif words and not self._operation((words[0].removesuffix(":"), *words[1:]), line):
            self._collected.unread_if_named(line.line, words)
        if line.opens:
            self._open("", _Kind.MATCHER)

    def _operation(
        self, words: tuple[str, ...], line: CaddyLine, *, conditional: bool = False
    ) -> bool:
        """One field, with a prefix or none, and its value or what is replaced in it."""
        field, value, *replacement = (*words, "", "")[: max(len(words), 2)]
        sign = field[:1]
        name = field.lstrip("+-?>")
        if sign == "-":
            names = retired_names(field[1:])
            for each in names:
                self._collected.header(
                    each,
                    None,
                    line.line,
                    self._block,
                    action=Action.REMOVE,
                    conditional=conditional,
                )
            return bool(names)
        sent, problem = caddy_value(value)
        if replacement and sign not in ("+", "?"):
            sent, problem = None, "an edit of what is there"
        return self._collected.header(
            name,
            sent,
            line.line,
            self._block,
            action=Action.ADD if sign == "+" else Action.SET,
            conditional=conditional or sign == "?",
            problem=problem,
        )


def _is_matcher(word: tuple[str, ...]) -> bool:
    return bool(word) and word[0].startswith(("/", "@"))

"""Apache httpd: the `Header` directive of mod_headers, in a configuration or an .htaccess.

A value is unescaped twice, as Apache does: its words lose their quotes when the line is read, and
mod_headers then reads what is left as a format, in which `%%` is a per cent sign.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pinwarden.headers.serverconfig.collected import RUN_TIME, Block, Collected
from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.runs import end_of_run

_SPACE = re.compile(r"[ \t\r\n\v\f]+")
_QUOTED = {
    '"': re.compile(r'[^"\\]*(?:\\.[^"\\]*){0,1000}'),
    "'": re.compile(r"[^'\\]*(?:\\.[^'\\]*){0,1000}"),
}
_PLAIN = re.compile(r"[^ \t\r\n\v\f]+")
_BLANK = " \t\r\n\v\f"
_FORMAT = re.compile(r"%%|%\Z|%|\\[\\rnt]")
_FORMATTED = {"%%": "%", "\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\t": "\t"}
# Apache answers with an error where a field would hold one of them.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_EXPANDED_LIMIT = 64 * 1024
_ACTIONS = {
    "set": Action.SET,
    "setifempty": Action.SET,
    "add": Action.ADD,
    "append": Action.ADD,
    "merge": Action.ADD,
    "unset": Action.REMOVE,
}
_CHANGES = frozenset(("edit", "edit*"))
_CONDITIONS = frozenset(("if", "elseif", "else"))
_REFUSED = "Apache refuses the line"
_UNSENDABLE = "a control character in it: Apache answers with an error instead"
_DEFINED = "decided by ${…}, which this file does not define once and for all"


def read_apache(text: str) -> ConfigReading:
    """Every place of an Apache configuration that decides about a retired header."""
    reader = _Reader()
    for line, logical in _logical_lines(text):
        reader.take(line, logical)
    return reader.collected.reading()


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments and indentation, a backslash at the end of one joining the next.

    A comment goes on after a backslash too.
    """
    pieces: list[str] = []
    start = 1
    for number, line in enumerate(text.split("\n"), 1):
        whole = line.removesuffix("\r")
        if not pieces:
            start = number
        if whole.endswith("\\"):
            pieces.append(whole[:-1])
            continue
        logical = "".join((*pieces, whole)).strip(_BLANK)
        pieces.clear()
        if logical and not logical.startswith("#"):
            yield start, logical
    if pieces:
        last = "".join(pieces).strip(_BLANK)
        if last and not last.startswith("#"):
            yield start, last


class _Reader:
    def __init__(self) -> None:
        self.collected = Collected()
        self._block = Block()
        self._defined: dict[str, str | None] = {}
        self._open: Counter[str] = Counter()
        self._parameters: dict[int, tuple[str, ...]] = {}

    def take(self, line: int, logical: str) -> None:
        if logical.startswith("<"):
            self._turn(logical)
            return
        written = _words(logical)
        name = written[0].lower()
        if name == "define" and len(written) > 1:
            unsure = written[1] in self._defined or self._block.parent is not None
            self._defined[written[1]] = None if unsure else " ".join(written[2:3])
        if name in ("include", "includeoptional") and len(written) > 1:
            self.collected.include(line, written[1])
        elif name in ("servername", "serveralias"):
            self._block.name_host(written[1:])
        elif name != "requestheader" and not (name == "header" and self._header(line, written[1:])):
            self.collected.unread_if_named(line, written)

    def _turn(self, logical: str) -> None:
        """Into a section or out of it."""
        inner = logical.lstrip("</").rpartition(">")[0] or logical.lstrip("</")
        name, rest = (*inner.split(None, 1), "", "")[:2]
        kind = name.lower()
        if not logical.startswith("</"):
            conditional = kind in _CONDITIONS
            self._block = self._block.inside(f"{name} {rest}".strip(), conditional=conditional)
            self._open[_kind(self._block)] += 1
            if kind == "macro":
                # A parameter is replaced wherever its name stands, inside words too.
                self._parameters[id(self._block)] = tuple(rest.split()[1:10])
            return
        while self._open[kind] and self._block.parent is not None:
            closed, self._block = self._block, self._block.parent
            self._open[_kind(closed)] -= 1
            if _kind(closed) == kind:
                return

    def _header(self, line: int, written: list[str]) -> bool:
        if written and written[0].lower() in ("always", "onsuccess"):
            written = written[1:]
        action, *words = (*written, "", "")[: max(len(written), 2)]
        action = action.lower()
        name = words[0].partition(":")[0]
        if action == "note":
            return True
        if action == "echo" or action in _CHANGES:
            problem = "copied from the request" if action == "echo" else "an edit of what is there"
            return self.collected.header(
                name, None, line, self._block, conditional=True, problem=problem
            )
        kind = _ACTIONS.get(action)
        if kind is None:
            return False
        clauses = words[1:] if kind is Action.REMOVE else words[2:]
        value, problem = (None, "")
        if kind is not Action.REMOVE:
            value, problem = self._value(words[1]) if len(words) > 1 else (None, _REFUSED)
        conditional = action == "setifempty" or any(_is_condition(each) for each in clauses)
        if len(clauses) > 1 or any(not _is_clause(each) for each in clauses):
            value, problem = None, _REFUSED
        return self.collected.header(
            name,
            value,
            line,
            self._block,
            action=kind,
            conditional=conditional,
            problem=problem,
        )

    def _value(self, written: str) -> tuple[str | None, str]:
        for block in self._block.way() if self._parameters else ():
            if any(each and each in written for each in self._parameters.get(id(block), ())):
                return None, "decided by the macro's use"
        resolved = self._resolved(written)
        if resolved is None:
            return None, _DEFINED
        if resolved[:5].lower() == "expr=":
            return None, RUN_TIME
        return _formatted(resolved)

    def _resolved(self, written: str) -> str | None:
        pieces: list[str] = []
        place = size = 0
        for found in _VARIABLE.finditer(written, 0, written.rfind("}") + 1):
            value = self._defined.get(found[1])
            if value is None:
                return None
            pieces += (written[place : found.start()], value)
            place, size = found.end(), size + len(value)
            if size > _EXPANDED_LIMIT:
                return None
        return "".join((*pieces, written[place:]))


def _kind(block: Block) -> str:
    return block.label.partition(" ")[0].lower()


def _is_condition(clause: str) -> bool:
    return clause[:4].lower() == "env=" or clause[:5].lower() == "expr="


def _is_clause(clause: str) -> bool:
    return clause.lower() == "early" or _is_condition(clause)


def _words(logical: str) -> list[str]:
    words: list[str] = []
    place = 0
    while place < len(logical):
        quote = logical[place] if logical[place] in _QUOTED else ""
        begins = place + len(quote)
        end = end_of_run(_QUOTED.get(quote, _PLAIN), logical, begins)
        if quote and logical.endswith("\\") and end == len(logical) - 1:
            end += 1
        words.append(re.sub(rf"\\([\\{quote}])", r"\1", logical[begins:end]))
        place = end_of_run(_SPACE, logical, end + len(quote))
    return words


def _formatted(value: str) -> tuple[str | None, str]:
    pieces: list[str] = []
    place = 0
    for found in _FORMAT.finditer(value):
        if found[0] == "%" and found.end() < len(value):
            return None, RUN_TIME
        pieces += (value[place : found.start()], _FORMATTED.get(found[0], found[0]))
        place = found.end()
    sent = "".join((*pieces, value[place:]))
    return (None, _UNSENDABLE) if _CONTROL.search(sent) else (sent, "")

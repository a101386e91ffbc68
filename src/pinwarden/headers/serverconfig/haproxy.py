"""HAProxy: the rules that change answers, those of today and those that ended with HAProxy 2.1.

Words are HAProxy's: quotes of both kinds count anywhere in a word, a backslash keeps what follows
except between single quotes, and the environment is read between double quotes only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pinwarden.headers.serverconfig.collected import RUN_TIME, Block, Collected, on_the_wire
from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.retired_names import retired_names

_SECTIONS = frozenset(
    (
        *("global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers"),
        *("userlist", "cache", "program", "http-errors", "ring", "log-forward", "fcgi-app"),
        *("crt-list", "crt-store", "traces", "acme"),
    )
)
_PIECE = re.compile(
    r"(?P<blank>[ \t\r\v\f]+)|(?P<quote>[\"'])|(?P<escape>\\(?:x[0-9A-Fa-f]{2}|.|\Z))"
    r"|(?P<comment>#)|(?P<variable>\$(?:\{[^}]*\}?|[A-Za-z_.]\w*)?)|[^ \t\r\v\f\"'\\#$]+"
)
_SINGLE = re.compile(r"[^']*")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_KEPT = " \\#'\""
_FORMAT = re.compile(r"%%|%")
_OLD_NAME = re.compile(r"\^?((?:\\-|[A-Za-z-])+)(\*|\.\*|\[|\(|:|\\|$)")
_ANSWERS = frozenset(("http-response", "http-after-response"))
_OF_REQUESTS = frozenset(("http-check", "tcp-check", "option"))
_SETS = {"set-header": Action.SET, "add-header": Action.ADD}
_REPLACES = frozenset(("replace-header", "replace-value"))
_METHODS = {"str": "{}", "beg": "{}*", "end": "*{}", "sub": "*{}*"}
_REFUSED = "HAProxy refuses the line"
_EDIT = "an edit of what is there"


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    known: bool = True  # False where the environment decides


def read_haproxy(text: str) -> ConfigReading:
    """Every place of an HAProxy configuration that decides about a retired header."""
    collected, top = Collected(), Block()
    section = top
    for line, written in enumerate(text.split("\n"), 1):
        words = list(_words(written))
        if not words:
            continue
        first = words[0].text
        if first in _SECTIONS:
            section = top.inside(" ".join(word.text for word in words[:2]))
        elif not _take(_Rule(first, words[1:], line, section, collected)):
            collected.unread_if_named(line, (word.text for word in words))
    return collected.reading()


@dataclass(frozen=True, slots=True)
class _Rule:
    keyword: str
    words: list[_Word]
    line: int
    section: Block
    collected: Collected

    def header(self, name: str, value: str | None, problem: str, action: Action, rest: int) -> bool:
        """Take a header whose condition, if it has one, begins at word `rest`."""
        after = [word.text for word in self.words[rest:]]
        refused = bool(after) and after[0] not in ("if", "unless")
        if refused:
            value, problem = None, _REFUSED
        return self.collected.header(
            name,
            value,
            self.line,
            self.section,
            action=action,
            conditional=bool(after) and not refused,
            problem=problem,
        )


def _take(rule: _Rule) -> bool:
    """Whether the rule was understood."""
    words = rule.words
    if rule.keyword in _OF_REQUESTS:
        return True
    if rule.keyword.startswith("rsp") and words:
        return _take_old(rule)
    if rule.keyword.startswith("http-") and words:
        verb = words[0].text.partition("(")[0]
        if rule.keyword in _ANSWERS and verb in _SETS and len(words) > 1:
            name, value, problem = _field(words[1:3])
            return rule.header(name, value, problem, _SETS[verb], 3)
        if rule.keyword in _ANSWERS and verb in _REPLACES and len(words) > 1:
            return rule.header(words[1].text, None, _EDIT, Action.SET, 4)
        if rule.keyword in _ANSWERS and verb == "del-header" and len(words) > 1:
            return _take_removal(rule)
        if rule.keyword == "http-request" and verb.endswith("-header"):
            return True
        return _take_made_answer(rule)
    return False


def _take_removal(rule: _Rule) -> bool:
    name, rest, pattern = rule.words[1].text, 2, "{}"
    if len(rule.words) > 3 and rule.words[2].text == "-m":
        rest, pattern = 4, _METHODS.get(rule.words[3].text, "")
    names = retired_names(pattern.format(name)) if pattern else ()
    for each in names:
        rule.header(each, None, "", Action.REMOVE, rest)
    return bool(names)


def _take_made_answer(rule: _Rule) -> bool:
    """`return`, `deny`, `http-error`: answers of HAProxy's own, with `hdr NAME VALUE` in them."""
    texts = [word.text for word in rule.words]
    conditional = any(each in ("if", "unless") for each in texts)
    taken = False
    for place, word in enumerate(texts[:-2]):
        if word == "hdr":
            name, value, problem = _field(rule.words[place + 1 : place + 3])
            taken |= rule.collected.header(
                name,
                value,
                rule.line,
                rule.section,
                action=Action.ADD,
                conditional=conditional,
                problem=problem,
            )
    return taken


def _take_old(rule: _Rule) -> bool:
    """`rspadd` adds a whole line; `rspdel` and `rsprep` search in whole lines."""
    written = rule.words[0].text
    if rule.keyword == "rspadd":
        name, _, value = written.partition(":")
        sent, problem = (value, "") if rule.words[0].known else (None, RUN_TIME)
        return rule.header(name.strip(), sent, problem, Action.ADD, 1)
    found = _OLD_NAME.match(written)
    if not found:
        return False
    name = found[1].replace("\\", "")
    if rule.keyword in ("rspdel", "rspidel"):
        return rule.header(name, None, "", Action.REMOVE, 1)
    if rule.keyword in ("rsprep", "rspirep"):
        return rule.header(name, None, _EDIT, Action.SET, 2)
    return False


def _field(words: list[_Word]) -> tuple[str, str | None, str]:
    """Name and value of a rule; `%` begins what only the running server knows."""
    if len(words) < 2 or not words[1].text:
        return words[0].text, None, _REFUSED
    name, value = on_the_wire(words[0].text, words[1].text)
    if not words[1].known or any(each != "%%" for each in _FORMAT.findall(value)):
        return name, None, RUN_TIME
    return name, value.replace("%%", "%"), ""


def _words(line: str) -> Iterator[_Word]:
    pieces: list[str] = []
    within = begun = False
    known, place = True, 0
    while found := _PIECE.match(line, place):
        place, kind = found.end(), found.lastgroup
        if kind == "comment" and not within:
            break
        if kind == "blank" and not within:
            if begun:
                yield _Word("".join(pieces), known)
            pieces, begun, known = [], False, True
            continue
        begun = True
        if kind == "quote" and found[0] == '"':
            within = not within
        elif kind == "quote" and not within:
            inner = _SINGLE.match(line, place)
            pieces.append(inner[0] if inner else "")
            place += len(pieces[-1]) + 1
        elif kind == "escape":
            pieces.append(_unescaped(found[0], within))
        else:
            known = known and not (kind == "variable" and within)
            pieces.append(found[0])
    if begun:
        yield _Word("".join(pieces), known)


def _unescaped(escape: str, within: bool) -> str:
    follows = escape[1:]
    if len(follows) == 3:
        return chr(int(follows[1:], 16))
    if follows in _ESCAPED:
        return _ESCAPED[follows]
    return follows if follows and (follows in _KEPT or (within and follows == "$")) else escape

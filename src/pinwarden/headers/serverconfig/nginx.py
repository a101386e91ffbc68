"""nginx: `add_header`, the headers-more module, and what hides a backend's headers.

Words and quotes are those of nginx's own reader: a quote counts at the beginning of a word only,
a backslash keeps what follows it, and `{` after `$` belongs to a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pinwarden.headers.serverconfig.collected import RUN_TIME, Block, Collected, on_the_wire
from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.nginx_levels import Levels
from pinwarden.headers.serverconfig.retired_names import retired_names
from pinwarden.headers.serverconfig.runs import end_of_run

_BETWEEN = re.compile(r"(?:[ \t\r\n]+|#[^\n]*){1,1000}")
_QUOTED = {
    '"': re.compile(r'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL),
    "'": re.compile(r"[^'\\]*(?:\\.[^'\\]*){0,1000}", re.DOTALL),
}
_PLAIN = re.compile(r"[^\\$ \t\r\n;{]*(?:(?:\\.|\$\{?)[^\\$ \t\r\n;{]*){0,1000}", re.DOTALL)
_ESCAPE = re.compile(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
_LUA = re.compile(
    r"--\[\[|--[^\n]*|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\.[^'\\\n]*)*'?|[{}]",
    re.DOTALL,
)

_HIDES = frozenset(f"{way}_hide_header" for way in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc"))
# What goes to a backend or comes from a client is no header of an answer.
_OF_REQUESTS = frozenset(
    ("proxy_set_header", "grpc_set_header", "more_set_input_headers", "more_clear_input_headers")
)
# Blocks whose lines are values, not directives.
_TABLES = frozenset(("map", "geo", "split_clients", "types", "charset_map"))
_NOT_SENT = "an empty value: the header is not sent"


@dataclass(frozen=True, slots=True)
class _Directive:
    words: tuple[str, ...]
    line: int
    ends: str  # ";", "{", "}" or "" at the end of the text


def read_nginx(text: str) -> ConfigReading:
    """Every place of an nginx configuration that decides about a retired header."""
    collected, block, levels = Collected(), Block(), Levels()
    for directive in _directives(text):
        words = directive.words
        if words and (_is_table(block) or not _take(directive, block, collected)):
            collected.unread_if_named(directive.line, words)
        levels.take(words, directive.line, block)
        if directive.ends == "{":
            block = block.inside(" ".join(words), conditional=words[:1] == ("if",))
        elif directive.ends == "}":
            block = block.parent or block
    return replace(collected.reading(), hiding=levels.hiding())


def _is_table(block: Block) -> bool:
    return block.label.partition(" ")[0] in _TABLES


def _take(directive: _Directive, block: Block, collected: Collected) -> bool:
    """Whether the directive was understood."""
    name, *words = directive.words
    line = directive.line
    if name == "include" and words:
        collected.include(line, words[0])
    elif name == "server_name" and block.label == "server":
        block.name_host(words)
    elif name == "add_header" and len(words) > 1:
        field, written = on_the_wire(words[0], words[1])
        value, problem = _value(written)
        # nginx sends no empty header: this is how what is inherited gets switched off.
        action = Action.ADD if written else Action.REMOVE
        return collected.header(field, value, line, block, action=action, problem=problem)
    elif name in _HIDES and words:
        return collected.header(words[0], None, line, block, action=Action.REMOVE)
    elif name in ("more_set_headers", "more_clear_headers"):
        return _take_more(directive, block, collected)
    else:
        return name in _OF_REQUESTS
    return True


def _value(written: str) -> tuple[str | None, str]:
    if "$" in written:
        return None, RUN_TIME
    return (written, "") if written else (None, _NOT_SENT)


def _take_more(directive: _Directive, block: Block, collected: Collected) -> bool:
    """headers-more: options with a word of their own, then any number of `Name: value`."""
    conditional = taken = False
    words = iter(directive.words[1:])
    for word in words:
        if word in ("-s", "-t"):
            next(words, None)
            conditional = True
        elif word in ("-a", "-r"):
            continue
        else:
            taken |= _take_field(directive, word, block, collected, conditional)
    return taken


def _take_field(
    directive: _Directive, word: str, block: Block, collected: Collected, conditional: bool
) -> bool:
    name, _, written = word.partition(":")
    written = written.lstrip(" \t")
    if directive.words[0] == "more_set_headers" and written:
        value, problem = _value(written)
        return collected.header(
            name.strip(), value, directive.line, block, conditional=conditional, problem=problem
        )
    names = retired_names(name.strip())
    for each in names:
        collected.header(
            each, None, directive.line, block, action=Action.REMOVE, conditional=conditional
        )
    return bool(names)


def _directives(text: str) -> Iterator[_Directive]:
    words: list[str] = []
    place = line = counted = 0
    start = 1
    while True:
        place = end_of_run(_BETWEEN, text, place)
        line += text.count("\n", counted, place)
        counted = place
        if place == len(text):
            break
        start = start if words else line + 1
        sign = text[place]
        if sign not in ";{}":
            word, place = _word(text, place)
            words.append(word)
            continue
        yield _Directive(tuple(words), start, sign)
        place += 1
        if sign == "{" and words and words[0].endswith("_by_lua_block"):
            end = _end_of_lua(text, place)
            for number, code in enumerate(text[place:end].split("\n"), line + 1):
                yield _Directive((words[0], code), number, "")
            place = end
        words = []
    if words:
        yield _Directive(tuple(words), start, "")


def _word(text: str, place: int) -> tuple[str, int]:
    quote = _QUOTED.get(text[place])
    if quote is None:
        # Where nothing matches there is a lone backslash at the very end.
        end = max(end_of_run(_PLAIN, text, place), place + 1)
        return _unescaped(text[place:end]), end
    end = end_of_run(quote, text, place + 1)
    return _unescaped(text[place + 1 : end]), min(end + 1, len(text))


def _unescaped(word: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), word)


def _end_of_lua(text: str, place: int) -> int:
    """Where the `}` of a block of Lua is, whose quotes and comments are not nginx's."""
    depth = 1
    while found := _LUA.search(text, place):
        place = found.end()
        if found[0] == "--[[":
            closing = text.find("]]", place)
            if closing < 0:
                return len(text)
            place = closing
        elif found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
            if not depth:
                return found.start()
    return len(text)

"""The words of a Caddyfile: quotes, backquotes, heredocs, comments and continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pinwarden.headers.serverconfig.runs import end_of_run

# A backslash before a line break continues the line.
_BETWEEN = re.compile(r"(?:\\\r?\n|[^\S\n]+){1,1000}")
_COMMENT = re.compile(r"#[^\n]*")
_DOUBLE = re.compile(r'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL)
_BACKQUOTED = re.compile(r"[^`]*")
_PLAIN = re.compile(r"(?:\\(?!\r?\n)|[^\s\\]+){1,1000}")
_HEREDOC = re.compile(r"<<([A-Za-z0-9_-]+)\r?\n")


@dataclass(frozen=True, slots=True)
class CaddyLine:
    """The words of one line, those that were quoted marked; `line` is where it begins."""

    words: tuple[str, ...]
    quoted: tuple[bool, ...]
    line: int

    @property
    def opens(self) -> bool:
        """Whether the line ends by opening a block."""
        return self.words[-1] == "{" and not self.quoted[-1]

    @property
    def closes(self) -> bool:
        """Whether the line begins by closing a block."""
        return self.words[0] == "}" and not self.quoted[0]


def caddy_lines(text: str) -> Iterator[CaddyLine]:
    """The lines of a Caddyfile that hold a word."""
    words: list[str] = []
    quoted: list[bool] = []
    place, counted, line, start = int(text.startswith("\ufeff")), 0, 1, 1
    while place < len(text):
        place = end_of_run(_BETWEEN, text, place)
        line += text.count("\n", counted, place)
        counted = place
        sign = text[place : place + 1]
        if sign == "\n":
            place += 1
            if words:
                yield CaddyLine(tuple(words), tuple(quoted), start)
                words, quoted = [], []
        elif sign == "#":
            place = end_of_run(_COMMENT, text, place)
        elif sign:
            start = start if words else line
            word, end = _word(text, place)
            words.append(word)
            quoted.append(sign in '"`' or (sign == "<" and "\n" in text[place:end]))
            place = end
    if words:
        yield CaddyLine(tuple(words), tuple(quoted), start)


def joined_lines(lines: Sequence[CaddyLine]) -> CaddyLine:
    """Lines that are one for Caddy; `lines` holds one at least."""
    words = tuple(word for each in lines for word in each.words)
    quoted = tuple(mark for each in lines for mark in each.quoted)
    return CaddyLine(words, quoted, lines[0].line)


def _word(text: str, place: int) -> tuple[str, int]:
    sign = text[place]
    if sign == '"':
        end = end_of_run(_DOUBLE, text, place + 1)
        # In quotes only the quote can be escaped.
        return text[place + 1 : end].replace('\\"', '"'), end + 1
    if sign == "`":
        end = end_of_run(_BACKQUOTED, text, place + 1)
        return text[place + 1 : end], end + 1
    heredoc = _HEREDOC.match(text, place)
    if heredoc:
        return _heredoc(text, heredoc)
    end = max(end_of_run(_PLAIN, text, place), place + 1)
    return text[place:end].replace("\\<", "<", 1 if text.startswith("\\<", place) else 0), end


def _heredoc(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """Everything up to the marker, less the indentation that the marker has."""
    marker, begins = opening[1], opening.end()
    closing = text.find(marker, begins)
    if closing < 0:
        return text[begins:], len(text)
    last = text.rfind("\n", begins - 1, closing) + 1
    indentation = text[last:closing]
    lines = text[begins : max(last - 1, begins)].replace("\r", "").split("\n")
    kept = "\n".join(each.removeprefix(indentation) for each in lines)
    return kept, closing + len(marker)

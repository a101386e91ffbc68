r"""The words of master files (RFC 1035 section 5.1): quotes, escapes, comments, parentheses.

Words stay as they are written; `octets` takes the escapes `\X` and `\DDD` away.
Lines end at line feeds only, and only space and tab part words, so that no
exotic white space hides half a record from us that a name server would read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted

_PIECE = re.compile(
    r"(?P<blank>[ \t]+)"
    r"|(?P<comment>;.*)"
    r"|(?P<bracket>[()])"
    r'|"(?P<string>[^"\\]*(?:\\.[^"\\]*)*)"'
    r'|(?P<word>(?:[^ \t"();\\]|\\.)+)',
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:([0-9]{3})|([^0-9])|(.|\Z))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is written, without the quotes around it; escapes are still in it."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a master file: its words, with parentheses and comments taken away.

    `line` counts from 1 and is where the entry begins; `indented` says that it
    begins with a blank, so that the owner is the last one stated. `comment` is the
    first comment after the first word. `problem` says what is wrong with its words.
    """

    line: int
    indented: bool
    words: tuple[Word, ...]
    comment: str | None = None
    problem: str = ""


@dataclass(slots=True)
class _Line:
    """The pieces of one line; brackets are words of one character that are not `Word`s."""

    pieces: list[Word | str]
    comment: str | None = None
    problem: str = ""


def _scan(line: str) -> _Line:
    found = _Line([])
    at = 0
    while at < len(line):
        match = _PIECE.match(line, at)
        if match is None:
            found.problem = _misfit(line, at)
            break
        at = match.end()
        text = match[match.lastgroup or 0]
        if match.lastgroup == "word":
            found.pieces.append(Word(text))
        elif match.lastgroup == "string":
            found.pieces.append(Word(text, quoted=True))
        elif match.lastgroup == "bracket":
            found.pieces.append(text)
        elif match.lastgroup == "comment":
            found.comment = text[1:].strip(" \t")
    return found


def _misfit(line: str, at: int) -> str:
    if line[at] == '"':
        return "has a quote that is not closed on its line"
    return "ends in a backslash"


def words_of_line(line: str) -> tuple[tuple[Word, ...], str | None]:
    """The words of one line that stands alone, and its comment if there is one.

    Raises `MalformedError` for an open quote, a final backslash or a parenthesis.
    """
    found = _scan(line)
    if found.problem:
        raise MalformedError(f"line {quoted(line)}: {found.problem}")
    words = tuple(piece for piece in found.pieces if isinstance(piece, Word))
    if len(words) < len(found.pieces):
        raise MalformedError(f"line {quoted(line)}: has a parenthesis outside quotes")
    return words, found.comment


def entries(text: str) -> Iterator[Entry]:
    """Every entry of a master file, in order; raises `MalformedError` for an open parenthesis.

    Other faults are told by `Entry.problem`, since the entries after them can be read.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        first, depth, problem = at, 0, ""
        words: list[Word] = []
        comment: str | None = None
        while True:
            found = _scan(lines[at].removesuffix("\r"))
            problem = problem or found.problem
            for piece in found.pieces:
                if isinstance(piece, Word):
                    words.append(piece)
                    continue
                depth += 1 if piece == "(" else -1
                if depth < 0:
                    depth, problem = 0, problem or "closes a parenthesis that was not opened"
            if words and comment is None:
                comment = found.comment
            at += 1
            if not depth:
                break
            if at == len(lines):
                raise MalformedError(f"line {first + 1}: opens a parenthesis that is never closed")
        if words or problem:
            indented = lines[first][:1] in (" ", "\t")
            yield Entry(first + 1, indented, tuple(words), comment, problem)


def octets(word: Word) -> bytes:
    """The octets that a word stands for; raises `MalformedError` for an escape that is none.

    Characters beyond ASCII are their UTF-8 encoding, as in the file.
    """
    raw = raw_octets(word.text)
    return _ESCAPE.sub(_unescaped, raw) if b"\\" in raw else raw


def raw_octets(text: str) -> bytes:
    """Text of a file as octets; raises `MalformedError` for a character that UTF-8 has not."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise MalformedError(f"word {quoted(text)}: holds half a surrogate pair") from error


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[2] is not None:
        return match[2]
    if match[1] is None or int(match[1]) > 0xFF:
        shown = (match[1] or match[3] or b"").decode("latin-1")
        raise MalformedError(
            f"escape {quoted(chr(92) + shown)}: is not three digits of at most 255",
        )
    return bytes((int(match[1]),))

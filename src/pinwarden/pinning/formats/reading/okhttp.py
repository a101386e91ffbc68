"""`CertificatePinner.Builder().add(…)` in Kotlin or Java.

The code is not run or parsed, only cut into words: strings, names of constants, and the
rest. What is commented out is not read, what is put together from pieces is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from pinwarden.errors import quoted
from pinwarden.pinning.formats.reading.found import Found

__all__ = ["read"]

# What is not closed goes to the end of its line or of the text, so that nothing is read twice.
_WORD = re.compile(
    r'"""(?P<raw>.*?)(?:"""|\Z)|"(?P<string>(?:[^"\\\n]|\\.)*)"?'
    r"|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>[().,+=:;{}])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PINS = re.compile(r"(?:sha-?\d+|md5)\s*[/:]", re.IGNORECASE)
_MOST_WORDS = 200_000
_MOST_ARGUMENTS = 1_000

_Words = Sequence[tuple[str, str]]


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The policies of every `add` that has a pattern and pins."""
    words = list(islice(_words(text), _MOST_WORDS))
    constants = _constants(words)
    for at in range(len(words) - 1):
        if words[at] == ("name", "add") and words[at + 1] == ("mark", "("):
            arguments = _arguments(words, at + 2, constants)
            if len(arguments) > 1 and any(_PINS.match(each or "") for each in arguments[1:]):
                yield from _policy(arguments, notes)


def _words(text: str) -> Iterator[tuple[str, str]]:
    for match in _WORD.finditer(text):
        kind = match.lastgroup or ""
        if kind == "string":
            # A template of Kotlin's is no text that could be known.
            if re.search(r"(?<!\\)\$[A-Za-z_{]", match["string"]):
                yield "name", match["string"]
            else:
                yield "string", _ESCAPE.sub(_character, match["string"])
        elif kind == "raw":
            yield "string", match["raw"]
        elif kind != "comment":
            yield kind, match[kind]


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[2], match[2])


def _constants(words: _Words) -> dict[str, str]:
    """Names that are given one text: `val HOST = "…"`, `String HOST = "…";`."""
    found: dict[str, str] = {}
    for at in range(len(words) - 2):
        if words[at][0] == "name" and words[at + 1] == ("mark", "="):
            value = _text(words, at + 2, {})[0]
            if value is not None:
                found.setdefault(words[at][1], value)
    for at in range(len(words) - 4):
        # `val HOST: String = "…"`
        if words[at + 1] == ("mark", ":") and words[at + 3] == ("mark", "="):
            value = _text(words, at + 4, {})[0]
            if value is not None:
                found.setdefault(words[at][1], value)
    return found


def _text(words: _Words, at: int, constants: dict[str, str]) -> tuple[str | None, int]:
    """A text put together with `+`, and where it ends; None if a piece is not known."""
    pieces: list[str] | None = []
    while at < len(words):
        kind, word = words[at]
        if kind == "string":
            piece: str | None = word
        elif kind == "name":
            # The last name of a dotted one is the constant's.
            while words[at + 1 : at + 2] == [("mark", ".")] and at + 2 < len(words):
                at += 2
            piece = constants.get(words[at][1])
        else:
            return None, at
        pieces = None if pieces is None or piece is None else [*pieces, piece]
        at += 1
        if words[at : at + 1] != [("mark", "+")]:
            break
        at += 1
    return (None if pieces is None else "".join(pieces)), at


def _arguments(words: _Words, at: int, constants: dict[str, str]) -> list[str | None]:
    found: list[str | None] = []
    while at < len(words) and words[at] != ("mark", ")") and len(found) < _MOST_ARGUMENTS:
        value, at = _text(words, at, constants)
        found.append(value)
        if words[at : at + 1] != [("mark", ",")]:
            break
        at += 1
    return found


def _policy(arguments: list[str | None], notes: list[str]) -> Iterator[Found]:
    pattern, *pins = arguments
    if None in arguments:
        notes.append("an add() has a pattern or pin that is not a text in this file")
    if pattern is None:
        return
    host, below = pattern, False
    if pattern.startswith("**."):
        host, below = pattern[3:], True
    elif pattern.startswith("*."):
        host, below = pattern[2:], True
        notes.append(
            f"{quoted(pattern)} is one label below {quoted(host)} and not the name itself: it "
            "becomes the name and everything below"
        )
    yield Found(
        host=host,
        anywhere=tuple(each for each in pins if each is not None),
        include_subdomains=below,
    )

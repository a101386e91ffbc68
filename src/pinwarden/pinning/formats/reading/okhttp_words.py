"""Kotlin and Java cut into words, and the texts that names in a file stand for.

Nothing is run or parsed. What is commented out is not read. A name that has two values
in a file, or one that is not known, has none: pins must not come to a host by a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

__all__ = ["Names", "Texts", "Word", "arguments", "names_in", "words_in"]

# What is not closed goes to the end of its line or of the text, so that nothing is read twice.
_WORD = re.compile(
    r'"""(?P<raw>.*?)(?:"""|\Z)|"(?P<string>(?:[^"\\\n]|\\.)*)"?'
    r"|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<generic><[A-Za-z0-9_.?,\s]{0,100}>)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>[().,+=:;{}*\[\]])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_TEMPLATE = re.compile(r"(?<!\\)\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\})")
_MOST_WORDS = 200_000
_MOST_ITEMS, _DEEPEST = 1_000, 5
_LONGEST_TEXT = 1_000
_LISTS = frozenset(
    ("arrayOf", "listOf", "setOf", "mutableListOf", "mutableSetOf", "arrayListOf", "asList", "of")
)
# Calls that leave a text or a list what it is.
_HARMLESS = frozenset(("toTypedArray", "toList", "toSet", "asList", "toString", "trim"))
_TYPES = frozenset(("class", "object", "interface", "enum", "record"))

Texts = tuple[str | None, ...]
"""The texts of an expression: one, or those of a list; None stands for one that is not known."""

Names = Mapping[str, Texts]


class Word(NamedTuple):
    """A string, a template (of Kotlin's), a name or a mark, with the number of its line."""

    kind: str
    text: str
    line: int


def words_in(text: str) -> Sequence[Word]:
    """The words, without comments."""
    return list(islice(_words(text), _MOST_WORDS))


def _words(text: str) -> Iterator[Word]:
    line, at = 1, 0
    for match in _WORD.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        kind = match.lastgroup or ""
        if kind in ("raw", "string"):
            found = match[kind]
            if re.search(r"(?<!\\)\$[A-Za-z_{]", found):
                yield Word("template", found, line)
            else:
                shown = _ESCAPE.sub(_character, found) if kind == "string" else found
                yield Word("string", shown, line)
        elif kind not in ("comment", "generic"):
            yield Word(kind, match[kind], line)


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[2], match[2])


def _is(words: Sequence[Word], at: int, mark: str) -> bool:
    return at < len(words) and words[at].kind == "mark" and words[at].text == mark


def names_in(words: Sequence[Word]) -> Names:
    """The names that are given texts: `val HOST = "…"`, `String[] PINS = {"…"};`, loops."""
    names: dict[str, Texts] = {}
    # A name may stand for another that comes after it.
    for _ in range(3):
        before = dict(names)
        names = {each: (each,) for each in _types(words)}
        values: dict[str, set[Texts]] = {}
        for name, texts in _assignments(words, before):
            values.setdefault(name, set()).add(texts)
        for name, found in values.items():
            names[name] = found.pop() if len(found) == 1 else (None,)
        if names == before:
            break
    return names


def _types(words: Sequence[Word]) -> Iterator[str]:
    for at in range(len(words) - 1):
        if words[at].text in _TYPES and words[at + 1].kind == "name":
            yield words[at + 1].text


def _assignments(words: Sequence[Word], names: Names) -> Iterator[tuple[str, Texts]]:
    for at, word in enumerate(words):
        if word.kind != "name":
            continue
        if _is(words, at + 1, "=") and not _is(words, at + 2, "="):
            # `val HOST: String = "…"`: the name stands before the type.
            typed = at >= 2 and _is(words, at - 1, ":") and words[at - 2].kind == "name"
            yield words[at - 2 if typed else at].text, _value(words, at + 2, names)[0]
        elif _is(words, at + 1, "+") and _is(words, at + 2, "="):
            yield word.text, (None,)
        elif word.text == "for" and _is(words, at + 1, "("):
            yield from _loop(words, at + 2, names)


def _loop(words: Sequence[Word], at: int, names: Names) -> Iterator[tuple[str, Texts]]:
    """`for (String pin : PINS)`, `for (pin in PINS)`: the name stands for each in turn."""
    for here in range(at + 1, min(at + 6, len(words) - 1)):
        if _is(words, here, ":") or words[here].text == "in":
            if words[here - 1].kind == "name":
                yield words[here - 1].text, _value(words, here + 1, names)[0]
            return


def _value(words: Sequence[Word], at: int, names: Names, depth: int = 0) -> tuple[Texts, int]:
    """What an expression stands for, and where it ends as far as it was understood."""
    start = at
    if at < len(words) and words[at].text == "new":
        # `new String[] {"…"}`
        at += 1
        while at < len(words) and (words[at].kind == "name" or words[at].text in ".[]"):
            at += 1
    at = _opening(words, at)
    if at > start and (_is(words, at - 1, "(") or _is(words, at - 1, "{")):
        items, at = _items(words, at, names, depth)
    elif _is(words, at, "{"):
        items, at = _items(words, at + 1, names, depth)
    else:
        items, at = _text(words, at, names)
    while _is(words, at, ".") and at + 3 < len(words) and words[at + 1].text in _HARMLESS:
        if not (_is(words, at + 2, "(") and _is(words, at + 3, ")")):
            break
        at += 4
    # In a statement without a semicolon the next line begins with a name.
    if at < len(words) and words[at].kind == "mark" and words[at].text not in ",;){}]":
        return (None,), at
    return items, at


def _opening(words: Sequence[Word], at: int) -> int:
    """After the parenthesis of `listOf(`, `Arrays.asList(`; otherwise where it was."""
    here = at
    while here + 1 < len(words) and words[here].kind == "name":
        if words[here].text in _LISTS and _is(words, here + 1, "("):
            return here + 2
        if not _is(words, here + 1, "."):
            break
        here += 2
    return at


def _items(words: Sequence[Word], at: int, names: Names, depth: int) -> tuple[Texts, int]:
    found: list[str | None] = []
    while at < len(words) and len(found) < _MOST_ITEMS and depth < _DEEPEST:
        if _is(words, at, ")") or _is(words, at, "}"):
            return tuple(found), at + 1
        texts, at = _value(words, at, names, depth + 1)
        found += texts
        if _is(words, at, ","):
            at += 1
        elif not (_is(words, at, ")") or _is(words, at, "}")):
            break
    return (None,), at


def _text(words: Sequence[Word], at: int, names: Names) -> tuple[Texts, int]:
    """Texts put together with `+`, or a name."""
    found: Texts | None = None
    while at < len(words):
        word = words[at]
        if word.kind == "string":
            piece: Texts = (word.text,)
        elif word.kind == "template":
            piece = (_filled(word.text, names),)
        elif word.kind == "name":
            piece, at = _named(words, at, names)
        else:
            return (None,), at
        found = piece if found is None else _joined(found, piece)
        at += 1
        if not _is(words, at, "+"):
            break
        at += 1
    return found or (None,), at


def _joined(first: Texts, second: Texts) -> Texts:
    if len(first) > 1 and len(second) > 1:
        return (None,)
    return tuple(_short(a, b) for a in first for b in second)


def _short(first: str | None, second: str | None) -> str | None:
    """Both as one text; a few names could be made into texts of any length otherwise."""
    if first is None or second is None or len(first) + len(second) > _LONGEST_TEXT:
        return None
    return first + second


def _named(words: Sequence[Word], at: int, names: Names) -> tuple[Texts, int]:
    """What a name stands for; before a dot only a type of this file, or `this`, may stand."""
    known = True
    while _is(words, at + 1, ".") and at + 2 < len(words) and words[at + 2].kind == "name":
        if words[at + 2].text in _HARMLESS:
            break
        who = words[at].text
        known = known and (names.get(who) == (who,) or who in ("this", "Companion"))
        at += 2
    return (names.get(words[at].text, (None,)) if known else (None,)), at


def _filled(template: str, names: Names) -> str | None:
    """A template of Kotlin's whose names are known."""
    pieces: list[str] = []
    at = 0
    for match in _TEMPLATE.finditer(template):
        value = names.get(match[1] or match[2], (None,))
        if len(value) != 1 or value[0] is None:
            return None
        pieces += [template[at : match.start()], value[0]]
        at = match.end()
        if len(pieces) > _LONGEST_TEXT:
            return None
    rest = template[at:]
    if "${" in rest:
        return None
    filled = "".join([*pieces, rest])
    return filled if len(filled) <= _LONGEST_TEXT else None


def arguments(words: Sequence[Word], at: int, names: Names) -> list[Texts]:
    """Those of a call whose parenthesis is before `at`; with or without their names."""
    found: list[Texts] = []
    while at < len(words) and not _is(words, at, ")") and len(found) < _MOST_ITEMS:
        if words[at].kind == "name" and _is(words, at + 1, "="):
            at += 2
        if _is(words, at, "*"):
            at += 1
        texts, at = _value(words, at, names)
        found.append(texts)
        if not _is(words, at, ","):
            if not _is(words, at, ")"):
                found[-1] = (None,)
            break
        at += 1
    return found

"""Directives as HTTP has them: token, or token = token or quoted-string (RFC 9110 section 5.6).

RFC 7469 section 2.1 separates them by semicolons and has none that are empty; RFC 9163
section 2.1 makes them a list of RFC 9110 section 5.6.1, in which empty elements are nothing.
In neither is there a blank on a side of the equals sign. Whatever does not fit is refused
whole, because clients must not repair it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted

__all__ = ["LONGEST_FIELD", "Directive", "parse_list", "parse_sequence"]

LONGEST_FIELD = 16_384
"""Characters of a field that is read; servers and clients refuse longer ones too."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PLAIN = r"[^\x00-\x08\x0a-\x1f\x7f\"\\]*"
_PAIR = r"\\[^\x00-\x08\x0a-\x1f\x7f]"
_DIRECTIVE = re.compile(rf'({_WORD})(?:=(?:({_WORD})|"({_PLAIN}(?:{_PAIR}{_PLAIN})*)"))?')
_ESCAPED = re.compile(r"\\(.)")
_BLANK = re.compile(r"[ \t]*")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its name in lower case, and its value without quotes and escapes.

    `value` is None for a directive without one, which is not the same as an empty value.
    """

    name: str
    value: str | None = None
    in_quotes: bool = False


def parse_sequence(text: str) -> tuple[Directive, ...]:
    """The directives of a field that semicolons separate (RFC 7469 section 2.1).

    At least one; raises `MalformedError` for anything else, an empty directive or a
    semicolon at the end among it.
    """
    _refuse_long(text)
    found, at = [], _blank(text, 0)
    end = len(text.rstrip(" \t"))
    while True:
        directive, at = _directive(text, at)
        found.append(directive)
        after = _blank(text, at)
        if after >= end:
            return tuple(found)
        if text[after] != ";":
            raise _does_not_fit(text, after)
        at = _blank(text, after + 1)


def parse_list(text: str) -> tuple[Directive, ...]:
    """The directives of a field that is a list (RFC 9110 section 5.6.1), at least one.

    Raises `MalformedError` for anything else.
    """
    _refuse_long(text)
    found = tuple(_elements(text))
    if not found:
        raise MalformedError("holds no directive")
    return found


def _elements(text: str) -> Iterator[Directive]:
    at = _blank(text, 0)
    while at < len(text):
        if text[at] != ",":
            directive, at = _directive(text, at)
            yield directive
            at = _blank(text, at)
            if at < len(text) and text[at] != ",":
                raise _does_not_fit(text, at)
        at = _blank(text, at + 1)


def _directive(text: str, at: int) -> tuple[Directive, int]:
    match = _DIRECTIVE.match(text, at)
    if match is None:
        raise _does_not_fit(text, at)
    name, token, string = match.groups()
    value = token if string is None else _ESCAPED.sub(r"\1", string)
    return Directive(name.lower(), value, string is not None), match.end()


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match is not None else at


def _refuse_long(text: str) -> None:
    if len(text) > LONGEST_FIELD:
        raise MalformedError(f"is longer than {LONGEST_FIELD:,} characters")


def _does_not_fit(text: str, at: int) -> MalformedError:
    rest = text[at:]
    if not rest.strip(" \t"):
        return MalformedError("ends where a directive should be" if text.strip() else "is empty")
    return MalformedError(f"does not fit the grammar at {quoted(rest, _SHOWN)}")

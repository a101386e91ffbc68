"""How the story is set: no line longer than a terminal, nothing told twice."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 98
SAYS = "  | "
_COMMAND = "  $ "
_HEADLINE = re.compile(r"(info|low|medium|high|critical): ")
_FIELD = re.compile(r"  \w+: +")
_CONVERSATION = "pinwarden: "


def told(text: str, indent: str = "  ") -> list[str]:
    """The story-teller's own words."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def command_lines(arguments: Sequence[str], *, into: str | None = None) -> list[str]:
    """A command as a person types it: broken before options, with a backslash where it is."""
    words = [shlex.quote(word) for word in arguments]
    if into is not None:
        words += [">", into]
    pieces = [_COMMAND + "pinwarden"]
    for word, before in zip(words, ["", *words], strict=False):
        # A value stays on the line of its option.
        if (before.startswith("-") and not word.startswith("-")) or before == ">":
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) + len("  \\") > WIDTH:
            lines[-1] += " \\"
            lines.append(" " * 6 + piece)
        else:
            lines[-1] += f" {piece}"
    return lines


def output_lines(text: str, most: int | None = None) -> list[str]:
    """What a program printed, marked as such; its first `most` lines if there are more."""
    lines = text.rstrip("\n").split("\n")
    shown = [part for line in lines[:most] for part in output_line(line)]
    return shown if most is None or len(lines) <= most else [*shown, f"{SAYS}..."]


def output_line(line: str) -> list[str]:
    """One line that a program printed; what is too long goes on below where its text begins."""
    field = _FIELD.match(line)
    hang = len(field[0]) if field else len(line) - len(line.lstrip()) + 2
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent=SAYS,
        subsequent_indent=SAYS + " " * hang,
        break_on_hyphens=False,
    ) or [SAYS.rstrip()]


class Digest:
    """What the monitor prints, without the details of alerts and what an earlier line said.

    Two alerts of one kind give the same advice and differ in a number or two.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._in_details = False

    def lines(self, line: str) -> Iterator[str]:
        """What to show of the next line."""
        headline = _HEADLINE.match(line)
        if headline or line.startswith(_CONVERSATION):
            self._in_details = False
        elif not line.strip():
            self._in_details = True
        if self._in_details:
            return
        meaning = re.sub(r"\d+", "", line)
        if headline or meaning not in self._said:
            self._said.add(meaning)
            yield from output_line(line)

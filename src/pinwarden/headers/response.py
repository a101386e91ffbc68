"""A saved answer, as `curl -sI`, `curl -siL` or `curl -sv` print it.

Tolerant, because it was copied by a person: bare line feeds, obsolete line folding (RFC 9112
section 5.2), the marks of `curl -v`, a missing status line. What cannot be read costs that
line only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted

__all__ = ["LARGEST_RESPONSE", "ResponseHead", "SavedResponse", "parse_response_head"]

LARGEST_RESPONSE = 1 << 20
"""Octets of a saved answer, its body included."""

_MOST_HEADS, _MOST_FIELDS, _LONGEST_VALUE, _MOST_PROBLEMS = 64, 1_000, 65_536, 20
_MOST_LINES_BEFORE = 500
_STATUS = re.compile(r"HTTP/[0-9](?:\.[0-9])?[ \t]+([0-9]{3})(?![0-9])", re.IGNORECASE)
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)
# What HTTP/2 has instead of a status line, as some programs print it.
_PSEUDO = re.compile(r":(status|[a-z]+):?[ \t]+([0-9]{3})?.*")


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """One head: its status if it says one, its fields in order, and the line it begins on."""

    fields: tuple[tuple[str, str], ...]
    status: int | None = None
    line: int = 1

    def values(self, name: str) -> tuple[str, ...]:
        """The values of all fields of a name, in any case."""
        return tuple(value for each, value in self.fields if each.lower() == name.lower())


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """The heads of an answer, of several if redirects were followed, and what came after.

    `problems` says in printable lines what could not be read.
    """

    heads: tuple[ResponseHead, ...]
    body: str = ""
    problems: tuple[str, ...] = ()


def parse_response_head(data: bytes) -> SavedResponse:
    """What a saved answer holds.

    Raises `MalformedError` for more than 1 MiB, or if it begins with no head.
    """
    if len(data) > LARGEST_RESPONSE:
        raise MalformedError(f"answer: is larger than {LARGEST_RESPONSE >> 20} MiB")
    # RFC 9110 section 5.5: octets beyond ASCII are opaque.
    reading = _Reading(data.decode("utf-8-sig", "replace"))
    if not reading.heads:
        raise MalformedError("answer: holds no header")
    return SavedResponse(tuple(reading.heads), reading.body, tuple(reading.problems))


class _Reading:
    def __init__(self, text: str) -> None:
        self.heads: list[ResponseHead] = []
        self.body = ""
        self.problems: list[str] = []
        self._lines = _lines(text)
        at = self._skip_blank(0)
        while at < len(self._lines) and len(self.heads) < _MOST_HEADS:
            if self.heads and not _STATUS.match(self._line(at)):
                self.body = "\n".join(line for _, line in self._lines[at:])
                return
            after = self._read_head(at)
            if after == at:
                return
            at = self._skip_blank(after)

    def _line(self, at: int) -> str:
        return self._lines[at][1]

    def _skip_blank(self, at: int) -> int:
        while at < len(self._lines) and not self._line(at).strip():
            at += 1
        return at

    def _read_head(self, at: int) -> int:
        begin, status = at, None
        match = _STATUS.match(self._line(at))
        if match is not None:
            status, at = int(match[1]), at + 1
        fields: list[tuple[str, str]] = []
        while at < len(self._lines) and self._line(at).strip():
            field, after = self._read_field(at)
            if field is None:
                pseudo = _PSEUDO.fullmatch(self._line(at))
                if pseudo is not None:
                    status = int(pseudo[2]) if pseudo[1] == "status" and pseudo[2] else status
                else:
                    self._tell(at, f"is no header: {quoted(self._line(at), 60)}")
            elif len(fields) < _MOST_FIELDS:
                fields.append(field)
            else:
                self._tell(at, f"only {_MOST_FIELDS:,} headers are read")
            at = after
        if status is not None or fields:
            self.heads.append(ResponseHead(tuple(fields), status, self._lines[begin][0]))
        return at

    def _read_field(self, at: int) -> tuple[tuple[str, str] | None, int]:
        match = _FIELD.fullmatch(self._line(at))
        after = at + 1
        if match is None:
            return None, after
        parts = [match[2].strip(" \t")]
        while after < len(self._lines) and self._line(after)[:1] in (" ", "\t"):
            folded = self._line(after).strip(" \t")
            if not folded:
                break
            parts.append(folded)
            after += 1
        value = " ".join(parts).strip(" ")
        if len(value) > _LONGEST_VALUE:
            self._tell(at, f"is longer than {_LONGEST_VALUE:,} characters, and cut")
            value = value[:_LONGEST_VALUE]
        return (match[1], value), after

    def _tell(self, at: int, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"line {self._lines[at][0]}: {problem}")


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that the server sent, with their numbers."""
    lines = [
        (number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)
    ]
    # In what `curl -v` says each of them is marked, and others stand in between.
    if any(
        line.startswith("< ") and _STATUS.match(line[2:]) for _, line in lines[:_MOST_LINES_BEFORE]
    ):
        return [(number, line[2:]) for number, line in lines if line[:2] in ("< ", "<")]
    return lines

"""What a file is that nobody told of: an answer, a page, or whose configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.configured import Style
from pinwarden.headers.serverconfig.retired_names import mentions, retired_name
from pinwarden.headers.serverconfig.styles import style_of

__all__ = ["FORMS", "form_of"]

FORMS = ("auto", "response", "html", *Style)
"""What a file can be, as --format has it."""

# In what `curl -v` says it stands somewhere, behind a mark.
_STATUS = re.compile(r"\A\s*HTTP/[0-9]|^< HTTP/[0-9]", re.IGNORECASE | re.MULTILINE)
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|meta)\b", re.IGNORECASE)
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(?=(.?))")
_MOST_FIELDS = 1_000
_SERVERS = "nginx, Apache, Caddy or HAProxy"


def form_of(text: str, name: str) -> str:
    """One of `FORMS`, of a file of that name ("" if it has none).

    Raises `MalformedError` for what may be anything; what is no answer and no configuration
    that is read here must not pass for one that has none of the headers.
    """
    if _STATUS.search(text):
        return "response"
    if "\0" in text:
        raise MalformedError("is no text in UTF-8")
    if _PAGE.match(text):
        return "html"
    head = _head(text)
    if any(retired_name(each) for each in head):
        return "response"
    style = style_of(text, name)
    if style is not None:
        return str(style)
    named = _first_mention(text)
    if head and not named:
        return "response"
    if named:
        raise MalformedError(
            f"is no answer, page or configuration of {_SERVERS}, and names {named}",
            hint="lint the host that sends it instead, or say with --format what the file is; "
            "`pinwarden pin import` takes the pins out of programs and other servers' files",
        )
    if not text.strip():
        raise MalformedError("is empty")
    raise MalformedError(
        f"nothing tells whether it is an answer, a page or a configuration of {_SERVERS}",
        hint=f"say it with --format, one of {', '.join(FORMS[1:])}",
    )


def _head(text: str) -> list[str]:
    """The names of the header fields before the first empty line, if nothing else is there."""
    names: list[str] = []
    for line in _first_lines(text):
        if not line.strip():
            break
        if line[0] in " \t" and names:
            continue
        match = _FIELD.match(line)
        # A blank that is missing after the colon is rare in an answer, and usual in an address.
        if match is None or (match[2].strip() and retired_name(match[1]) is None):
            return []
        names.append(match[1])
    return names


def _first_lines(text: str) -> Iterator[str]:
    at = len(text) - len(text.lstrip("\r\n"))
    for _ in range(_MOST_FIELDS):
        end = text.find("\n", at)
        yield text[at : end if end >= 0 else len(text)]
        if end < 0:
            return
        at = end + 1


def _first_mention(text: str) -> str:
    """Where one of the headers is named, in words; "" if none is."""
    if mentions(text):
        for number, line in enumerate(text.split("\n"), start=1):
            if mentions(line):
                return f"one of the headers in line {number}"
    return ""

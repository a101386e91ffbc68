"""What Caddy makes of a header's value, of a Caddyfile or of its JSON."""

from __future__ import annotations

import re

from pinwarden.headers.serverconfig.collected import RUN_TIME

# The environment's `{$NAME}` and a placeholder `{http.request.host}`; JSON in a value is neither.
_PLACEHOLDER = re.compile(r"(?<!\\)\{\$?[A-Za-z_][^\s{}\"]*\}")
_BRACE = re.compile(r"\\([{}])")
_LINE_BREAK = re.compile(r"[\r\n]")


def caddy_value(written: str) -> tuple[str | None, str]:
    """What is sent, and why that is not known where it is None.

    Go's server writes a space for a line break in a value.
    """
    if _PLACEHOLDER.search(written):
        return None, RUN_TIME
    return _LINE_BREAK.sub(" ", _BRACE.sub(r"\1", written)), ""

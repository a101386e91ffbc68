"""The names of the headers that are looked for, however a configuration writes them."""

from __future__ import annotations

import re

_NAMES = {
    name.lower(): name for name in ("Public-Key-Pins", "Public-Key-Pins-Report-Only", "Expect-CT")
}
# A server's variables and a script's fields write the hyphen as `_`. A path such as
# `/expect-ct` names no header.
_MENTION = re.compile(
    r"(?<![A-Za-z0-9/-])_?(?:public[-_]key[-_]pins(?:[-_]report[-_]only)?|expect[-_]ct)(?![\w-])",
    re.IGNORECASE,
)
_MENTION_AFTER_PREFIX = re.compile(
    r"_(?:public_key_pins(?:_report_only)?|expect_ct)(?![\w-])", re.IGNORECASE
)


def retired_name(name: str) -> str | None:
    """The name as its RFC spells it (RFC 7469, 9163), or None for any other header."""
    return _NAMES.get(name.lower())


def retired_names(pattern: str) -> tuple[str, ...]:
    """The names that a pattern with `*` at its beginning, its end or both covers."""
    wanted = pattern.lower()
    return tuple(name for low, name in _NAMES.items() if _covers(wanted, low))


def _covers(pattern: str, name: str) -> bool:
    begins, ends = pattern.endswith("*"), pattern.startswith("*")
    core = pattern.strip("*")
    if begins and ends:
        return core in name
    if begins:
        return name.startswith(core)
    return name.endswith(core) if ends else name == core


def mentions(text: str) -> bool:
    """Whether a text names one of the headers, in whatever way."""
    return bool(_MENTION.search(text) or _MENTION_AFTER_PREFIX.search(text))

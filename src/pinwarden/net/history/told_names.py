"""Names as a service tells them: nearly all plain, and the others within a budget."""

from __future__ import annotations

import re

from pinwarden.errors import MalformedError
from pinwarden.names import readings

__all__ = ["ToldNames"]

# Two labels at least, the last of them not of digits alone, which would be an address.
_PLAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9_-]{1,63}\.){1,126}(?![0-9]+$)[a-z0-9_-]{1,63}")
_LONGEST_PLAIN = 255
# Names that are not plain cost time to read. A service tells a few; megabytes are an attack.
_ODD_BUDGET = 512 * 1024


class ToldNames:
    """Reads the names of one answer of a service."""

    def __init__(self) -> None:
        self._left = _ODD_BUDGET

    @staticmethod
    def plain(text: str) -> str | None:
        """The name that a text plainly is, in lower case; None for anything to be looked into."""
        if len(text) > _LONGEST_PLAIN or not text.isascii():
            return None
        name = text.lower().removesuffix(".")
        return name if _PLAIN.fullmatch(name) else None

    def read(self, text: str) -> frozenset[str]:
        """Every reading of one name, see `names.readings`.

        Raises `MalformedError` once too many of the names of an answer were not plain.
        """
        name = self.plain(text)
        if name is not None:
            return frozenset((name,))
        self._left -= len(text)
        if self._left < 0:
            raise MalformedError("holds names that nobody can read, as too many before it")
        return readings(text)

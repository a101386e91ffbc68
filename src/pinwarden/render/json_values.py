"""What all JSON shapes are made of: bounded text, bounded lists, moments.

Text stays as it was read, since JSON carries any string; only its length is not for others
to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["LONGEST_TEXT", "MOST_ITEMS", "cut", "cut_all", "moment_or_none"]

MOST_ITEMS = 1000
LONGEST_TEXT = 1000


def cut(text: str) -> str:
    """A text of at most `LONGEST_TEXT` characters; a cut one ends in `…`."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def cut_all(texts: Sequence[str]) -> list[str]:
    """The first `MOST_ITEMS` texts, each of them cut."""
    return [cut(text) for text in texts[:MOST_ITEMS]]


def moment_or_none(moment: datetime | None) -> str | None:
    """A moment in UTC as in RFC 3339, to the microsecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Where a run of characters ends, however long it is."""

from __future__ import annotations

import re


def end_of_run(pattern: re.Pattern[str], text: str, place: int) -> int:
    """The place behind all that `pattern` matches again and again from `place` on.

    A group that repeats in a pattern costs memory for each of its turns: 4 MiB of backslashes
    come to a gigabyte. The patterns given here repeat a thousand times at most, and go on.
    """
    while found := pattern.match(text, place):
        if found.end() == place:
            break
        place = found.end()
    return place

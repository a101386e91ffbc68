"""Lines that fit a terminal; whoever reads them through a pipe gets them whole."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator

__all__ = ["fold", "terminal_width"]

_NARROWEST = 40
# What stands below the first line of a text is set in from it.
_HANG = 4


def terminal_width() -> int:
    """The columns of the terminal that answers go to; 0 if they go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def fold(lines: Iterable[str], width: int) -> Iterator[str]:
    """The lines in at most `width` columns, 40 at the least; as they are for 0."""
    for line in lines:
        if not width or len(line) <= width:
            yield line
            continue
        indent = " " * (len(line) - len(line.lstrip()) + _HANG)
        yield from textwrap.wrap(
            line,
            max(width, _NARROWEST),
            subsequent_indent=indent,
            break_on_hyphens=False,
            drop_whitespace=True,
        )

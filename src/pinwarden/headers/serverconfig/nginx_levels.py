"""nginx: a block with an `add_header` of its own inherits none from the blocks around it.

So one that has nothing to do with the retired headers decides where they are sent, unless
`add_header_inherit merge` (nginx 1.29.3) says otherwise. What headers-more sets is inherited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pinwarden.headers.serverconfig.collected import Block, on_the_wire
from pinwarden.headers.serverconfig.configured import ConfigNote
from pinwarden.headers.serverconfig.retired_names import retired_name


@dataclass(slots=True)
class _Level:
    """What `add_header` does in one block: its first line, and the lines of retired headers."""

    block: Block
    line: int
    retired: dict[str, int] = field(default_factory=dict)


class Levels:
    """The blocks of a configuration that have `add_header`, as they are met."""

    def __init__(self) -> None:
        self._levels: dict[int, _Level] = {}
        # By identity, with the block kept so that no other takes its place.
        self._inherit: dict[int, tuple[Block, str]] = {}

    def take(self, words: Sequence[str], line: int, block: Block) -> None:
        """A directive, which may be any."""
        if words[:1] == ("add_header_inherit",) and len(words) > 1:
            self._inherit[id(block)] = block, words[1]
        if words[:1] != ("add_header",) or len(words) < 3:
            return
        level = self._levels.setdefault(id(block), _Level(block, line))
        name = retired_name(on_the_wire(words[1], words[2])[0])
        if name is not None:
            level.retired.setdefault(name, line if words[2] else 0)

    def hiding(self) -> tuple[ConfigNote, ...]:
        """The lines that hide a retired header of a block around theirs."""
        return tuple(note for each in self._levels.values() for note in self._notes(each))

    def _notes(self, level: _Level) -> Iterator[ConfigNote]:
        around = level.block.way()[:-1][::-1]
        if self._way(level.block, around) == "merge":
            return
        outer = next((self._levels[id(b)] for b in around if id(b) in self._levels), None)
        for name, line in outer.retired.items() if outer is not None else ():
            # Line 0 is an empty header, which is not sent there either.
            if line and name not in level.retired:
                context = level.block.context()
                words = f"({context}): add_header hides the {name} of line {line}"
                yield ConfigNote(level.line, words)

    def _way(self, block: Block, around: Sequence[Block]) -> str:
        said = (self._inherit[id(b)][1] for b in (block, *around) if id(b) in self._inherit)
        return next(said, "on")

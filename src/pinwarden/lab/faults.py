"""What a lab log does wrong on request, and what it remembers of its visitors.

Every fault is a plain attribute of `LabLog.faults`, and may be changed at any
time while the log is being served, from any thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Literal


@dataclass(slots=True)
class Faults:
    """The faults of one log; a new one has none."""

    fork: int | None = None
    """From this entry on another history is served, correctly signed: a split view."""
    shrink: int | None = None
    """Heads are of this size, correctly signed now."""
    wrong_root: bool = False
    """Heads have a root, correctly signed, that no entries make."""
    bad_signature: bool = False
    frozen: bool = False
    """The head of this moment is served for ever: no growth and no newer timestamp."""
    old_head_every: int = 0
    """Each n-th head is the one before the last: a front end that lags behind."""
    skew: timedelta = timedelta(0)
    """Added to the timestamp of every head."""

    withhold: bool = False
    """What is submitted from now on is promised, and never entered."""
    wrong_proof: bool = False
    """Every inclusion proof, and every hash in a tile, has a flipped bit."""

    short_answers: int | None = None
    """No answer of get-entries has more than this many entries."""
    empty_entries: bool = False
    """get-entries answers with no entries at all."""
    wrong_leaf_index: bool = False
    """Entries added from now on claim, in the tree, to be the next one."""
    partial_tile_404: bool = False
    """Partial tiles are gone where the full one exists (static-ct-api, "Partial Tiles")."""
    missing: set[str] = field(default_factory=set)
    """Ends of paths that do not exist, such as `tile/data/001`."""

    on: str = ""
    """Faults from here on strike only requests whose path contains this …"""
    every: int = 1
    """… only each n-th of them …"""
    times: int | None = None
    """… and only so many times more."""
    slow: float = 0.0
    """Seconds before anything is answered."""
    silent: bool = False
    """Requests are accepted and never answered."""
    reset: bool = False
    """The connection is reset instead of an answer."""
    status: int | None = None
    retry_after: int | datetime | str | None = None
    """Seconds, a date in HTTP's form, or exactly this text; goes with `status`."""
    redirect: str | None = None
    garbage: Literal["random", "html", "gzip"] | None = None
    """Noise, a friendly page with status 200, or noise that claims to be gzip."""
    endless: Literal["drip", "flood"] | None = None
    """A body that never ends: a byte now and then, or as fast as it can be read."""
    bomb: int | None = None
    """A small gzip body that decompresses to this many bytes."""
    cut_body: bool = False
    """The connection ends in the middle of the promised body."""
    _struck: int = 0

    def clear(self) -> None:
        """No faults from now on."""
        fresh = Faults()
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    def strike(self, path: str) -> bool:
        """Whether the faults of answering hit this request; counts it."""
        if self.on not in path or self.times == 0:
            return False
        self._struck += 1
        if self._struck % max(1, self.every):
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request; `path` is what follows the log's prefix."""

    method: str
    path: str
    query: dict[str, str]
    user_agent: str
    accept_encoding: str


class Visits:
    """The requests that a log got, oldest first; only the last 200,000 are kept."""

    def __init__(self) -> None:
        self._seen: deque[Visit] = deque(maxlen=200_000)
        self._open = 0
        self.most_at_once = 0

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Visit]:
        return iter(list(self._seen))

    def to(self, part: str) -> list[Visit]:
        """The requests whose path contains `part`."""
        return [each for each in self if part in each.path]

    def count(self, part: str) -> int:
        """The number of requests whose path contains `part`."""
        return len(self.to(part))

    def ranges(self) -> list[tuple[int, int]]:
        """The ranges that get-entries was asked for, both ends inclusive."""
        return [
            (int(each.query.get("start", "-1")), int(each.query.get("end", "-1")))
            for each in self.to("get-entries")
        ]

    def user_agents(self) -> set[str]:
        """How the visitors introduced themselves."""
        return {each.user_agent for each in self}

    def clear(self) -> None:
        """Forget all of them."""
        self._seen.clear()
        self.most_at_once = 0

    def enter(self, visit: Visit) -> None:
        """Note a request that begins."""
        self._seen.append(visit)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)

    def leave(self) -> None:
        """Note that a request is over."""
        self._open -= 1

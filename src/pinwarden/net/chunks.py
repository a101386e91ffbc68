"""How many entries to ask an RFC 6962 log for at once.

A log may answer get-entries with fewer entries than asked (RFC 6962 section
4.6), and says nowhere how many it gives. Requests that end where the log's
own chunks end are each answered whole, and find warm caches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST = 1000

_FIRST_PROBE = 16
_LAST_PROBE = 4096


class ChunkSize:
    """The chunk size of one log, as learnt so far.

    It falls to the largest short answer. It doubles after a run of whole
    answers, because a small answer may have had a passing reason; each time
    that was wrong the next run must be twice as long. Asking for too much costs
    nothing: the rest is asked for again.
    """

    def __init__(self) -> None:
        self.size = MOST
        self._run = 0
        self._probe_after = _FIRST_PROBE

    def ranges(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The ranges from `start` to before `stop`, ending on multiples of the present size."""
        while start < stop:
            end = min(stop, start - start % self.size + self.size)
            yield start, end
            start = end

    def learn(self, wanted: int, short: Sequence[int]) -> None:
        """Take note of a range of `wanted` entries: how many came in each short answer to it."""
        if short:
            self.fall_to(max(short))
        elif wanted >= self.size:
            self._run += 1
            if self._run >= self._probe_after:
                self._run = 0
                self.size = min(MOST, self.size * 2)

    def fall_to(self, size: int) -> None:
        """The log gives no more than this at once."""
        if size < self.size:
            self.size = max(1, size)
            self._probe_after = min(_LAST_PROBE, self._probe_after * 2)
        self._run = 0

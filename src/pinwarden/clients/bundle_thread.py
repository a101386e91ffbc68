"""The thread in which a source of bundles asks for newer ones."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

__all__ = ["AskingThread"]

_SOONEST_RETRY = 30.0
# So often the clock is looked at: it may be set, and the machine may have slept.
_LONGEST_SLEEP = 30.0


class AskingThread:
    """Calls `ask` at once and then about every so many seconds, sooner after failures.

    `ask` says whether it went well. `notice` is called in between, and soon after the
    number of seconds that `until` gives; it gives None if nothing is to come.
    """

    def __init__(
        self,
        ask: Callable[[], bool],
        *,
        every: float,
        notice: Callable[[], object],
        until: Callable[[], float | None],
    ) -> None:
        self._ask, self._notice, self._until = ask, notice, until
        self._every = every
        # One of our own: a program may have seeded the one that all share.
        self._chance = random.Random()  # noqa: S311
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pinwarden-bundles", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it runs: a fork leaves it behind."""
        return self._thread.is_alive() and not self._over.is_set()

    def end(self) -> None:
        """Have it end; does not wait for that."""
        self._over.set()

    def _run(self) -> None:
        failures = 0
        while not self._over.is_set():
            failures = 0 if self._ask() else failures + 1
            wait = self._every
            if failures:
                wait = min(wait, _SOONEST_RETRY * 2.0 ** min(failures - 1, 20))
            # Not every client of one server at the same moment.
            self._sleep(wait * self._chance.uniform(0.9, 1.1))

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            until = self._until()
            longest = _LONGEST_SLEEP if until is None else min(_LONGEST_SLEEP, until)
            if self._over.wait(min(left, longest)):
                return
            self._notice()

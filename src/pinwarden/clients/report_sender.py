"""Sends reports of pin failures from a thread of its own: bounded, and in nobody's way.

A request never waits for a report, and a report that cannot be delivered is counted and
dropped. Reports of the sender's own connections would chase their tail, so that there
are none (RFC 7469 section 2.1.4 asks to break such loops).
"""

from __future__ import annotations

import atexit
import queue
import threading
import weakref
from typing import Any

__all__ = ["ReportSender", "is_sending"]

_WAITING = 100
_TIMEOUT = 10.0
_LARGEST_ANSWER = 4096
# A thread that nothing came for in so many seconds ends.
_IDLE = 5.0
_PATIENCE_AT_EXIT = 2.0

_here = threading.local()
_senders: weakref.WeakSet[ReportSender] = weakref.WeakSet()


def is_sending() -> bool:
    """Whether this thread is delivering a report."""
    return getattr(_here, "sending", False)


class ReportSender:
    """A queue of at most `waiting` reports, and one thread that works it off.

    `sent` and `lost` count what became of them.
    """

    def __init__(self, *, waiting: int = _WAITING) -> None:
        self.sent = 0
        self.lost = 0
        self._queue: queue.Queue[tuple[str, bytes]] = queue.Queue(waiting)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        _senders.add(self)

    def send(self, url: str, body: bytes) -> bool:
        """Take a report in charge and return at once; False if too many are waiting."""
        try:
            self._queue.put_nowait((url, body))
        except queue.Full:
            self.lost += 1
            return False
        # A fork leaves the thread behind, so its life is looked at each time.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="pinwarden-reports", daemon=True
                )
                self._thread.start()
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until nothing is waiting, at most so many seconds; whether that is so."""
        with self._queue.all_tasks_done:
            return self._queue.all_tasks_done.wait_for(
                lambda: not self._queue.unfinished_tasks, timeout
            )

    def _work(self) -> None:
        _here.sending = True
        while (report := self._next()) is not None:
            try:
                self._deliver(*report)
                self.sent += 1
            except Exception:  # whatever goes wrong is the report's problem alone
                self.lost += 1
            finally:
                self._queue.task_done()

    def _next(self) -> tuple[str, bytes] | None:
        """The next report; None, and the thread is given up, when none has come for a while."""
        while True:
            try:
                return self._queue.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    # Whoever put one in since looks at the thread only after us.
                    if self._queue.empty():
                        self._thread = None
                        return None

    def _deliver(self, url: str, body: bytes) -> None:
        # Here, because it costs a program that never fails a pin its start.
        import urllib.request

        class Straight(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        if not url.startswith(("https://", "http://")):
            raise ValueError(url)
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            url, body, {"Content-Type": "application/json", "User-Agent": "pinwarden"}
        )
        opener = urllib.request.build_opener(Straight)
        with opener.open(request, timeout=_TIMEOUT) as response:
            response.read(_LARGEST_ANSWER)


@atexit.register
def _finish() -> None:
    """A short program ends as soon as a connection is refused: let its reports out first."""
    for sender in tuple(_senders):
        sender.flush(_PATIENCE_AT_EXIT)

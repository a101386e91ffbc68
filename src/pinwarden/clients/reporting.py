"""Who hears of a pin that was not met: a callback, the log, and the policy's report address.

None of it can break or delay a connection: callbacks that raise are logged, reports leave
in the background, and what repeats itself is told once in a while.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from pinwarden.clients.report_sender import ReportSender, is_sending
from pinwarden.pinning.report import report_of
from pinwarden.pinning.result import PinResult

__all__ = ["Reporting"]

_log = logging.getLogger("pinwarden.pins")

_Identity = tuple[str, str, object, object]
_REMEMBERED = 1024


class Reporting:
    """Tells about failed comparisons, enforced or not.

    `on_failure` is called for every one, in the thread or task whose connection it is.
    The log (`pinwarden.pins`) has one line for a failure, and repeats the same one after
    `log_every` seconds. A report goes to the policy's `report_uri`, the same one again
    after `report_every` seconds; None sends no reports. `sender` may be shared.
    """

    def __init__(
        self,
        on_failure: Callable[[PinResult], object] | None = None,
        *,
        log_every: float = 60,
        report_every: float | None = 24 * 3600,
        sender: ReportSender | None = None,
    ) -> None:
        self.sender = sender or ReportSender()
        self._on_failure = on_failure
        self._logged = _Once(log_every)
        self._reported = None if report_every is None else _Once(report_every)

    def tell(
        self, result: PinResult, port: int | None = None, served: Sequence[bytes] = ()
    ) -> None:
        """Tell about one comparison, if it failed; never raises, never waits.

        `served` are the certificates in DER as the server sent them.
        """
        if not result.failed or is_sending():
            return
        try:
            self._tell(result, port, served)
        except Exception:
            _log.exception("pins: a failure could not be reported")

    def _tell(self, result: PinResult, port: int | None, served: Sequence[bytes]) -> None:
        policy = result.policy
        if policy is None:
            return
        # Another port is another service, and other pins or another receiver another report.
        place = (port, policy.report_uri)
        outcome = (result.reason, result.seen, result.expected, result.allowed)
        same = (result.host, policy.host, place, outcome)
        missed = self._logged.due(same)
        if missed is not None:
            words = "refused" if not result.allowed else "report only"
            more = f" ({missed} more like it since it was last told)" if missed else ""
            _log.warning("pins (%s): %s%s", words, result, more)
        if self._reported and policy.report_uri and self._reported.due(same) is not None:
            body = json.dumps(report_of(result, port=port, served=served)).encode()
            if not self.sender.send(policy.report_uri, body):
                _log.warning("pins: too many reports are waiting; one was dropped")
        if self._on_failure is not None:
            try:
                self._on_failure(result)
            except Exception:
                _log.exception("pins: the callback for failures raised")


class _Once:
    """Lets the same thing through once in so many seconds; remembers a bounded number."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: OrderedDict[_Identity, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def due(self, same: _Identity) -> int | None:
        """None if it was let through just now, else how many were held back since."""
        now = time.monotonic()
        with self._lock:
            last, held = self._last.get(same, (None, 0))
            if last is not None and now - last < self._every:
                self._last[same] = (last, held + 1)
                return None
            self._last[same] = (now, 0)
            self._last.move_to_end(same)
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
            return held

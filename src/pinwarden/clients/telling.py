"""What guarded connections are held to, and who hears of the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from pinwarden.clients.live import LivePins
from pinwarden.pinning.result import PinResult

__all__ = ["Held", "OnResult", "Reporter"]

OnResult = Callable[[PinResult], object]


class Reporter(Protocol):
    """Tells about comparisons that failed, as `clients.reporting.Reporting` does."""

    def tell(
        self, result: PinResult, port: int | None = None, served: Sequence[bytes] = ()
    ) -> None:
        """Take note of one comparison; must neither wait nor raise.

        `served` are the certificates in DER as the server sent them.
        """
        ...


class Held:
    """The live pins of a context, and whom to tell.

    `reporter` hears of each comparison that failed, and without one the usual
    `Reporting`: a set that only reports would else be none. `on_result` hears of every
    comparison: one for a connection, and one more whenever the set in force has changed
    by its next use.
    """

    __slots__ = ("live", "on_result", "reporter")

    def __init__(
        self,
        live: LivePins,
        reporter: Reporter | None = None,
        on_result: OnResult | None = None,
    ) -> None:
        self.live = live
        self.reporter = reporter
        self.on_result = on_result

    def tell(
        self, result: PinResult, port: int | None = None, served: Sequence[bytes] = ()
    ) -> None:
        """Tell whoever is to be told; what they raise is logged and goes no further."""
        try:
            if result.failed:
                (self.reporter or _usual_reporter()).tell(result, port, served)
            if self.on_result is not None:
                self.on_result(result)
        except Exception:
            # Here, because most programs never get to it.
            import logging

            logging.getLogger("pinwarden.pins").exception("pins: whoever was to be told raised")


@cache
def _usual_reporter() -> Reporter:
    from pinwarden.clients.reporting import Reporting

    return Reporting()

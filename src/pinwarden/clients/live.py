"""The pin set that is in force now, shared by every context that is held to it."""

from __future__ import annotations

from pinwarden.pinning.pinset import PinSet

__all__ = ["LivePins"]


class LivePins:
    """A pin set that can be replaced while connections are open.

    Each replacement begins a new epoch; a connection that was checked in an older one is
    checked again before it next carries application data.
    """

    __slots__ = ("epoch", "pins")

    def __init__(self, pins: PinSet) -> None:
        self.pins = pins
        self.epoch = 1

    def replace(self, pins: PinSet) -> None:
        """Put another set in force."""
        self.pins = pins
        self.epoch += 1

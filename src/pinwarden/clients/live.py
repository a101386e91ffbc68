"""The pin set that is in force now, shared by every context that is held to it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.pinset import PinSet

__all__ = ["InForce", "LivePins"]


@dataclass(frozen=True, slots=True, eq=False)
class InForce:
    """A pin set and the number of its epoch, read together so that no thread mixes two."""

    pins: PinSet
    epoch: int


class LivePins:
    """A pin set that can be replaced, by any thread, while connections are open.

    Each replacement begins a new epoch; a connection that was checked in an older one is
    checked again before it next carries application data.
    """

    __slots__ = ("_lock", "current")

    def __init__(self, pins: PinSet) -> None:
        """Raises `ConfigError` for anything but a `PinSet`."""
        self.current = InForce(_pin_set(pins), 1)
        self._lock = threading.Lock()

    @classmethod
    def of(cls, pins: PinSet | LivePins) -> LivePins:
        """The same, if it is alive already."""
        return pins if isinstance(pins, LivePins) else cls(pins)

    @property
    def pins(self) -> PinSet:
        """The set in force."""
        return self.current.pins

    @property
    def epoch(self) -> int:
        """How many sets were in force until now, this one included."""
        return self.current.epoch

    def replace(self, pins: PinSet) -> None:
        """Put another set in force; raises `ConfigError` for anything but a `PinSet`."""
        _pin_set(pins)
        with self._lock:
            self.current = InForce(pins, self.current.epoch + 1)


def _pin_set(pins: object) -> PinSet:
    # A path or None here would otherwise be found out by the first connection.
    if not isinstance(pins, PinSet):
        raise ConfigError(
            f"pins: {quoted(type(pins).__name__, 60)} is not a PinSet",
            hint="PinSet.load(path) reads one from a file",
        )
    return pins

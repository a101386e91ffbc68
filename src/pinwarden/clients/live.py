"""The pin set that is in force now, shared by every context that is held to it."""

from __future__ import annotations

import threading
from typing import Any

from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.pinset import PinSet

__all__ = ["NOT_MET", "InForce", "LivePins", "Met"]

# A client speaks with few hosts, and one that takes them from outside must not grow.
_HOSTS, _LONGEST_HOST = 256, 255
# Servers behind one name may have a certificate each.
_CHAINS = 4


class Met:
    """What a connection was allowed under, which other connections may be alike in.

    `until` is when it has to be looked at again (seconds since 1970), and `chain` the
    verified certificates as ssl's opaque objects; None if the host is allowed whatever
    its chain.
    """

    __slots__ = ("chain", "current", "until")

    def __init__(
        self, current: InForce | None, until: float | None, chain: list[Any] | None
    ) -> None:
        self.current = current
        self.until = until
        self.chain = chain


# None is never in force.
NOT_MET = Met(None, None, None)


class InForce:
    """A pin set and the number of its epoch, read together so that no thread mixes two.

    `known` is under what connections to a host were allowed lately; it goes with the set.
    """

    __slots__ = ("_remembers", "epoch", "known", "pins")

    def __init__(self, pins: PinSet, epoch: int) -> None:
        self.pins = pins
        self.epoch = epoch
        self.known: dict[str, tuple[Met, ...]] = {}
        self._remembers = _says_how_long(type(pins))

    def remember(self, host: str, met: Met) -> None:
        """Let connections to a host that show the same chain be allowed at once."""
        if not self._remembers or len(host) > _LONGEST_HOST:
            return
        if len(self.known) >= _HOSTS:
            self.known.clear()
        others = [each for each in self.known.get(host, ()) if each.chain != met.chain]
        self.known[host] = (met, *others[: _CHAINS - 1])


def _says_how_long(kind: type[PinSet]) -> bool:
    """Whether a set that compares in its own way also says how long that holds."""
    for each in kind.__mro__:
        if "ends" in vars(each) or "check" in vars(each):
            return "ends" in vars(each)
    return False


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

"""Application pinning: pins, pin sets, and what a verified chain comes to under them.

    from pinwarden.pinning import PinSet
    from pinwarden.clients import PinnedContext

    context = PinnedContext(PinSet.load("pins.toml"))

Pure: bytes and a time in, a result out. Whoever has a connection is `pinwarden.clients`.
"""

from pinwarden.pinning.pin import Pin, PinError, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinPolicy,
    PinRole,
    PinSetError,
    UnpinnedHosts,
)
from pinwarden.pinning.result import PinResult, PinVerdict, Reason

__all__ = [
    "Mode",
    "OnExpiry",
    "Pin",
    "PinError",
    "PinPolicy",
    "PinResult",
    "PinRole",
    "PinSet",
    "PinSetError",
    "PinVerdict",
    "PinnedKey",
    "Reason",
    "UnpinnedHosts",
    "parse_pin",
]

"""TLS clients held to their pins: one context for all of them."""

from pinwarden.clients.context import PinnedContext
from pinwarden.clients.held import WeakenedContextError
from pinwarden.clients.install import Installation, install, uninstall
from pinwarden.clients.live import LivePins
from pinwarden.clients.mismatch import PinMismatch, find_mismatch
from pinwarden.clients.reach import HiddenPinWarning
from pinwarden.clients.wrap import pin_context

__all__ = [
    "HiddenPinWarning",
    "Installation",
    "LivePins",
    "PinMismatch",
    "PinnedContext",
    "WeakenedContextError",
    "find_mismatch",
    "install",
    "pin_context",
    "uninstall",
]

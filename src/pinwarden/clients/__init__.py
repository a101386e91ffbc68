"""TLS clients held to their pins: one context for all of them.

    context = PinnedContext(PinSet.load("pins.toml"))

Clients that take no context, or forget it, have a module of their own here: `aiohttp`,
`botocore`, `grpc`, `redis`, `requests`, and `relay` for those with a TLS of their own.
`bundle` puts newer pins in force without a release, `reporting` tells who failed them.
"""

from pinwarden.clients.context import PinnedContext
from pinwarden.clients.gaps import Gap, coverage
from pinwarden.clients.held_context import WeakenedContextError
from pinwarden.clients.hidden_pins import HiddenPinWarning
from pinwarden.clients.install import Installation, install, uninstall
from pinwarden.clients.live import LivePins
from pinwarden.clients.mismatch import PinMismatch, find_mismatch
from pinwarden.clients.wrap import pin_context

__all__ = [
    "Gap",
    "HiddenPinWarning",
    "Installation",
    "LivePins",
    "PinMismatch",
    "PinnedContext",
    "WeakenedContextError",
    "coverage",
    "find_mismatch",
    "install",
    "pin_context",
    "uninstall",
]

"""TLS clients held to their pins: one context for all of them."""

from pinwarden.clients.context import PinnedContext
from pinwarden.clients.live import LivePins
from pinwarden.clients.mismatch import PinMismatch, find_mismatch

__all__ = ["LivePins", "PinMismatch", "PinnedContext", "find_mismatch"]

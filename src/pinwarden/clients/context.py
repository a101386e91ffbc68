"""The one thing to give to a client: an `ssl.SSLContext` that keeps pins."""

from __future__ import annotations

import ssl
from typing import Any, Self

from pinwarden.clients.guard import guarded_classes
from pinwarden.clients.live import LivePins
from pinwarden.pinning.pinset import PinSet

__all__ = ["PinnedContext"]


class PinnedContext(ssl.SSLContext):
    """A context that verifies as `ssl.create_default_context()` does, and keeps pins too.

    Pins add to verification, and never replace it: a certificate that is not trusted, or
    not for this host, is refused before its pins are looked at.
    """

    def __new__(cls, pins: PinSet | LivePins, **_: Any) -> Self:  # noqa: D102 - see __init__
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(
        self,
        pins: PinSet | LivePins,
        *,
        cafile: str | None = None,
        capath: str | None = None,
        cadata: str | bytes | None = None,
    ) -> None:
        """With none of the three, the system's trust anchors."""
        self.live = pins if isinstance(pins, LivePins) else LivePins(pins)
        self.sslsocket_class, self.sslobject_class = guarded_classes(self.live)
        if cafile or capath or cadata:
            self.load_verify_locations(cafile, capath, cadata)
        else:
            self.load_default_certs(ssl.Purpose.SERVER_AUTH)

"""The one thing to give to a client: an `ssl.SSLContext` that keeps pins."""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any, Self

from pinwarden.clients.held_context import HeldContext
from pinwarden.clients.hidden_pins import warn_of_hidden_pins
from pinwarden.clients.live import LivePins
from pinwarden.clients.ssl_classes import forbid_renegotiation, refuse_without_chains, set_plainly
from pinwarden.clients.telling import Held, OnResult, Reporter
from pinwarden.pinning.pinset import PinSet

__all__ = ["PinnedContext"]


class PinnedContext(HeldContext):
    """A context that verifies as `ssl.create_default_context()` does, and keeps pins too.

    Pins add to verification, and never replace it: a certificate that is not trusted, or
    not for this host, is refused before its pins are looked at. A connection that its
    pins end raises `PinMismatch` before a byte of application data has left.
    """

    def __new__(cls, *_: Any, **__: Any) -> Self:  # noqa: D102 - see __init__
        refuse_without_chains()
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(
        self,
        pins: PinSet | LivePins,
        *,
        cafile: str | None = None,
        capath: str | None = None,
        cadata: str | bytes | None = None,
        reporter: Reporter | None = None,
        on_result: OnResult | None = None,
    ) -> None:
        """Trust what `cafile`, `capath` and `cadata` hold, or else the system's anchors.

        `pins` may be shared with other contexts as `LivePins`. `reporter` is told of
        every failed comparison, in place of the usual `Reporting`, and `on_result` of all;
        whatever they raise is logged. Raises `ConfigError` if the pins are none or this Python
        cannot pin, and what `load_verify_locations` raises.
        """
        self._hold(Held(LivePins.of(pins), reporter, on_result))
        set_plainly(self, "minimum_version", ssl.TLSVersion.TLSv1_2)
        forbid_renegotiation(self)
        if sys.version_info >= (3, 13):
            stricter = ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
            set_plainly(self, "verify_flags", int(self.verify_flags) | int(stricter))
        if cafile or capath or cadata:
            self.load_verify_locations(cafile, capath, cadata)
        else:
            self.load_default_certs(ssl.Purpose.SERVER_AUTH)
        key_log = os.environ.get("SSLKEYLOGFILE")
        if key_log and hasattr(self, "keylog_filename") and not sys.flags.ignore_environment:
            self.keylog_filename = key_log
        warn_of_hidden_pins(self, self.pins)

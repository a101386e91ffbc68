"""Warns when a trust store hides a pinned key, so that its pin would never match."""

from __future__ import annotations

import ssl
import warnings

from pinwarden.pinning.hidden_pins import hidden_pins
from pinwarden.pinning.pinset import PinSet

__all__ = ["HiddenPinWarning", "warn_of_hidden_pins"]


class HiddenPinWarning(UserWarning):
    """A pin that no chain can reach with this trust store."""


def warn_of_hidden_pins(context: ssl.SSLContext, pins: PinSet) -> None:
    """Warn of each pinned authority above a certificate at which chains end already.

    With VERIFY_X509_PARTIAL_CHAIN (the default since Python 3.13) a chain ends at the
    first certificate that is trusted, even if that is an intermediate. Looks at what is
    loaded now, and so not into a `capath`, which is read as it is needed.
    """
    if not context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN:
        return
    for hidden in hidden_pins(pins, context.get_ca_certs(binary_form=True)):
        warnings.warn(str(hidden), HiddenPinWarning, stacklevel=3)

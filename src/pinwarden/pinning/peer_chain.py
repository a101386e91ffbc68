"""The verified chain that a TLS object of Python's ssl module holds.

Public from Python 3.13; before that the same methods exist on a private attribute. An
interpreter without either cannot pin, and says so instead of going on.
"""

from __future__ import annotations

from typing import Any

from pinwarden.errors import PinwardenError

__all__ = ["sent_chain", "verified_chain"]

_DER = 2


def verified_chain(tls: Any) -> tuple[bytes, ...]:
    """The chain from leaf to trust anchor in DER, as the TLS library verified it.

    Empty if there is none, as after a resumed session. Means nothing unless the
    connection was made with certificate verification required.
    """
    return _chain(tls, "get_verified_chain")


def sent_chain(tls: Any) -> tuple[bytes, ...]:
    """The certificates as the peer sent them, which prove nothing."""
    return _chain(tls, "get_unverified_chain")


def _chain(tls: Any, method: str) -> tuple[bytes, ...]:
    for holder in (tls, getattr(tls, "_sslobj", None)):
        found = getattr(holder, method, None)
        if found is not None:
            return tuple(
                each if isinstance(each, bytes) else each.public_bytes(_DER)
                for each in found() or ()
            )
    raise PinwardenError("this Python does not tell the verified chain, so it cannot pin")

"""The verified chain that a TLS object of Python's ssl module holds.

Public from Python 3.13, in DER; the objects that it is made from exist on a private
attribute, in every version. An interpreter without either cannot pin, and says so
instead of going on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pinwarden.errors import PinwardenError

__all__ = ["in_der", "sent_chain", "verified_certificates", "verified_chain"]

_DER = 2


def verified_chain(tls: Any) -> tuple[bytes, ...]:
    """The chain from leaf to trust anchor in DER, as the TLS library verified it.

    Empty if there is none, as after a resumed session. Means nothing unless the
    connection was made with certificate verification required.
    """
    return in_der(verified_certificates(tls))


def sent_chain(tls: Any) -> tuple[bytes, ...]:
    """The certificates as the peer sent them, which prove nothing."""
    return in_der(_certificates(tls, "get_unverified_chain"))


def verified_certificates(tls: Any) -> list[Any]:
    """The verified chain as the TLS library has it: for `in_der`, or to compare.

    Objects of ssl's are equal if what is signed in them is, octet for octet.
    """
    return _certificates(tls, "get_verified_chain")


def in_der(certificates: Iterable[Any]) -> tuple[bytes, ...]:
    """Certificates of a TLS library in DER."""
    return tuple(
        each if isinstance(each, bytes) else each.public_bytes(_DER) for each in certificates
    )


def _certificates(tls: Any, method: str) -> list[Any]:
    for holder in (getattr(tls, "_sslobj", None), tls):
        found = getattr(holder, method, None)
        if found is not None:
            return list(found() or ())
    raise PinwardenError("this Python does not tell the verified chain, so it cannot pin")

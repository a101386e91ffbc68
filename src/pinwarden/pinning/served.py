"""What a host serves, as whoever asked it hands it to lint and rotation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pinwarden.errors import MalformedError
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.spki import pin_of_certificate

__all__ = ["Served", "ServedChain", "pins_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChain:
    """The chains of one address of a host, leaf first and in DER.

    `verified` runs to the trust anchor, as a TLS library verified it; it is empty where
    nothing was verified, and then `problem` says why. `sent` is what the server sent.
    """

    address: str
    verified: tuple[bytes, ...]
    sent: tuple[bytes, ...] = ()
    problem: str = ""


Served = Mapping[str, Sequence[ServedChain]]
"""By host (as policies name it), the chains of its addresses."""


def pins_in(certificates: Iterable[bytes]) -> tuple[Pin, ...]:
    """The pins of certificates in DER; what cannot be read is left out."""
    found = []
    for certificate in certificates:
        try:
            found.append(pin_of_certificate(certificate))
        except MalformedError:
            continue
    return tuple(found)

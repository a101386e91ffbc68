"""What a host served over TLS: the facts, and the promise of whoever goes to get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pinwarden.net.endpoint import Endpoint

__all__ = ["Failure", "HandedOver", "HostAsker", "ServedAddress", "ServedHost", "Wanted"]


class Failure(StrEnum):
    """Why there is no verified chain."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_TLS = "not-tls"
    REFUSED = "refused"
    UNTRUSTED = "untrusted"
    FORBIDDEN = "forbidden"
    """We do not go there: the address is of a class that whoever asks must not be led to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """What a server hands over beside its chain, in a handshake of its own.

    `sct_list` is the SignedCertificateTimestampList of the TLS extension (RFC 6962 section
    3.3.1), `ocsp` the stapled OCSPResponse (RFC 6066 section 8), both as received and empty
    where there is none; `leaf` is the certificate they came with. Nothing of it is verified.
    `problem` says why it is not known what the server would have handed over, or what of it
    could not be read; without one, what is empty here was not handed over.
    """

    leaf: bytes = b""
    sct_list: bytes = b""
    ocsp: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be found out beside the chains, at the cost of further connections.

    `anchored`: where only dates or the host's name fail, the chain that verifies but for
    them. `handed`: what comes beside the chain. `response`: the head of the answer to a
    HEAD request for `path` over the connection whose chain was verified; to be asked for
    only where HTTP is spoken.
    """

    anchored: bool = False
    handed: bool = False
    response: bool = False
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedAddress:
    """What one address served.

    `verified` runs in DER from the leaf to the trust anchor, as the TLS library verified
    it for this host; it is empty, and `failure` and `problem` say why, where that did not
    come about; `verify_code` is then OpenSSL's X509_V_ERR number if it was the certificate.
    `sent` is what the server sent, which proves nothing; where the handshake failed for
    another reason than the certificate it is empty too. `nobody_listens` is whether the
    address itself said that the port is closed.

    Only where it was asked for: `anchored` is a chain to a trust anchor that verifies but
    for dates and the host's name; `handed` what came beside the chain; `response` the head
    of the answer to one HTTP request, or `response_problem` why there is none.
    """

    address: str
    port: int
    verified: tuple[bytes, ...] = ()
    sent: tuple[bytes, ...] = ()
    failure: Failure | None = None
    problem: str = ""
    verify_code: int | None = None
    protocol: str = ""
    nobody_listens: bool = False
    anchored: tuple[bytes, ...] = ()
    handed: HandedOver | None = None
    response: bytes = b""
    response_problem: str = ""

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedHost:
    """What a host served, in the order in which its addresses were found.

    `problem` says why there is no address; `left_out` counts those beyond the first 32,
    which were not asked.
    """

    endpoint: Endpoint
    addresses: tuple[ServedAddress, ...] = ()
    problem: str = ""
    left_out: int = 0

    @property
    def chains(self) -> tuple[tuple[bytes, ...], ...]:
        """The verified chains, each once, in the order in which they were met."""
        return tuple(dict.fromkeys(each.verified for each in self.addresses if each.verified))


class HostAsker(Protocol):
    """Asks hosts what they serve, several at a time; raises nothing for what a host does."""

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """What a host serves at all its addresses, or at these instead."""
        ...

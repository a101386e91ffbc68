"""The certificates that met a host's pins, for clients that take trust anchors and no context.

A connection under pins is made first; of its verified chain, the certificates with a pinned
key are what such a client may then trust, and nothing else. So its own verification keeps
the pins, with limits that are worth knowing: it is as old as the connection that was made
first (replaced pins, expiry and forbidden keys do not reach it), it wants these very
certificates and not merely these keys, and mismatches are its own errors and no reports.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pinwarden.clients.held_context import HeldContext
from pinwarden.clients.postgres import NoTLSError, ask_for_tls
from pinwarden.errors import ConfigError, MalformedError, OutsideError, quoted
from pinwarden.pinning.peer_chain import verified_chain
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.result import PinVerdict
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate

__all__ = ["Anchors", "find_anchors"]

_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Anchors:
    """The certificates of one verified chain, in DER, whose keys are pinned.

    `root` is the last of the chain if it is pinned and self-issued: what a client needs
    that builds chains to roots only.
    """

    host: str
    certificates: tuple[bytes, ...]
    root: bytes | None

    @property
    def pem(self) -> bytes:
        """All of them, for a client that lets a chain end at any trusted certificate."""
        return _pem(self.certificates)

    @property
    def root_pem(self) -> bytes:
        """The root alone; raises `ConfigError` if no root is pinned."""
        if self.root is None:
            raise ConfigError(
                f"{quoted(self.host)}: no pin is of the root that its chain ends at",
                hint="this client trusts roots only: pin the root as well, or use a relay",
            )
        return _pem([self.root])


def find_anchors(
    context: ssl.SSLContext,
    host: str,
    port: int,
    *,
    starttls: Literal["postgres"] | None = None,
    timeout: float = _TIMEOUT,
) -> Anchors:
    """Connect under the context's pins, and return what met them.

    `context` is a `PinnedContext`, or what `pin_context` returned; `starttls` is what is
    said before TLS: nothing, or PostgreSQL's SSLRequest. `timeout` is in seconds, for
    connecting and for the handshake each.

    Raises `PinMismatch` if the pins are not met, `ConfigError` if none is enforced for this
    host or the context has none, `ssl.SSLError` for other faults of the handshake, and
    `OutsideError` if there is no connection.
    """
    pins = _pins_of(context)
    try:
        connection = socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError) as error:
        raise OutsideError(
            f"{quoted(host)} port {port}: no connection: {quoted(str(error))}", target=host
        ) from error
    with connection:
        try:
            if starttls == "postgres":
                ask_for_tls(connection)
            tls = context.wrap_socket(connection, server_hostname=host)
        except ssl.SSLError:
            raise
        except (OSError, NoTLSError) as error:
            raise OutsideError(
                f"{quoted(host)} port {port}: no TLS handshake: {quoted(str(error))}", target=host
            ) from error
        with tls:
            return _anchors_in(pins, verified_chain(tls), host)


def _pins_of(context: ssl.SSLContext) -> PinSet:
    # truststore's contexts hold the one that is pinned.
    for each in (context, getattr(context, "_ctx", None)):
        if isinstance(each, HeldContext):
            return each.pins
    raise ConfigError("this context has no pins", hint="make it with PinnedContext(pins)")


def _anchors_in(pins: PinSet, chain: tuple[bytes, ...], host: str) -> Anchors:
    """What of a verified chain meets the pins of a host; raises as `find_anchors` does."""
    result = pins.check(chain, host, at=datetime.now(UTC))
    if result.policy is None or result.mode != "enforce":
        raise ConfigError(
            f"{quoted(host)}: no pins are enforced for it",
            hint="give the client its usual trust anchors",
        )
    if result.verdict is not PinVerdict.MATCH:
        # The context would have ended the connection: the set was replaced just now.
        raise ConfigError(f"{quoted(host)}: its pins are not met: {result}")
    pinned = {key.pin for key in result.matched}
    found = tuple(each for each in chain if _pin(each) in pinned)
    last = chain[-1]
    is_root = last in found and len(chain) > 1 and view_certificate(last).is_self_issued
    return Anchors(host, found, last if is_root else None)


def _pin(certificate: bytes) -> object:
    try:
        return pin_of_certificate(certificate)
    except MalformedError:
        return None


def _pem(certificates: tuple[bytes, ...] | list[bytes]) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates)).encode("ascii")

"""What is true of every context that is held to pins, made by us or taken over."""

from __future__ import annotations

import ssl
from typing import Any

from pinwarden.clients.guard import Guard, guarded_object, guarded_socket
from pinwarden.clients.live import LivePins
from pinwarden.clients.ssl_classes import (
    SSLContext,
    SSLObject,
    SSLSocket,
    doubt_about,
    forbid_renegotiation,
)
from pinwarden.clients.telling import Held
from pinwarden.errors import ConfigError
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.pinset import PinSet

__all__ = ["HeldContext", "WeakenedContextError"]

_ONCE_VERIFIED = (
    "pins add to the verification of certificates and names and mean nothing without it, so "
    "that verify=False, cert_reqs=CERT_NONE and assert_hostname=False are refused; trust the "
    "authority instead (cafile=), or use a context without pins"
)


class WeakenedContextError(ConfigError, ValueError):
    """Somebody tried to take from a pinned context what its pins rest upon."""


class HeldContext(SSLContext):
    """An `ssl.SSLContext` all of whose connections are held to `pins`.

    `verify_mode` and `check_hostname` can be set to the values that they have, as client
    libraries do; anything else raises `WeakenedContextError`, and so does taking away the
    classes of which the connections are. A `server_hostname` beyond ASCII must have one
    reading; `MalformedError`, a `ValueError`, says so.
    """

    _held: Held
    _guarded: tuple[type[SSLSocket], type[SSLObject]]

    def _hold(
        self,
        held: Held,
        socket_class: type[SSLSocket] = SSLSocket,
        object_class: type[SSLObject] = SSLObject,
    ) -> None:
        self._held = held
        self._guarded = (guarded_socket(socket_class, held), guarded_object(object_class, held))

    @property
    def pins(self) -> PinSet:
        """The set in force.

        Setting another cuts the open connections that do not meet it when they next
        carry data, and holds for all contexts that share the `live` pins.
        """
        return self._held.live.pins

    @pins.setter
    def pins(self, pins: PinSet) -> None:
        self._held.live.replace(pins)

    @property
    def live(self) -> LivePins:
        """The pins of this context, to be shared with others or replaced."""
        return self._held.live

    @property  # type: ignore[override]
    def verify_mode(self) -> ssl.VerifyMode:
        """Always CERT_REQUIRED."""
        return super().verify_mode

    @verify_mode.setter
    def verify_mode(self, value: ssl.VerifyMode) -> None:
        if value != super().verify_mode:
            raise WeakenedContextError(
                f"pinned context: verify_mode stays CERT_REQUIRED: {_ONCE_VERIFIED}"
            )

    @property
    def check_hostname(self) -> bool:
        """Always True."""
        return super().check_hostname

    @check_hostname.setter
    def check_hostname(self, value: bool) -> None:
        if bool(value) != super().check_hostname:
            raise WeakenedContextError(f"pinned context: check_hostname stays on: {_ONCE_VERIFIED}")

    @property
    def sslsocket_class(self) -> type[SSLSocket]:
        """The guarded kind."""
        return self._guarded[0]

    @sslsocket_class.setter
    def sslsocket_class(self, _: object) -> None:
        raise WeakenedContextError("pinned context: its sslsocket_class keeps the pins, and stays")

    @property
    def sslobject_class(self) -> type[SSLObject]:
        """The guarded kind."""
        return self._guarded[1]

    @sslobject_class.setter
    def sslobject_class(self, _: object) -> None:
        raise WeakenedContextError("pinned context: its sslobject_class keeps the pins, and stays")

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """As `ssl.SSLContext.wrap_socket`; what it makes keeps the pins."""
        # While the socket is still its owner's to close.
        if "server_hostname" in kwargs:
            kwargs["server_hostname"] = self._encode_hostname(kwargs["server_hostname"])
        return super().wrap_socket(*args, **kwargs)

    def _encode_hostname(self, hostname: Any) -> Any:
        # ssl makes strasse.de of straße.de (IDNA 2003), which is another host with another
        # policy; what is read in two ways is refused.
        if isinstance(hostname, str) and not hostname.isascii():
            return normalise_host(hostname)
        return super()._encode_hostname(hostname)  # type: ignore[misc]

    def _wrap_socket(self, *args: Any, **kwargs: Any) -> Any:
        owner: Any = kwargs.get("owner")
        doubt = self._ready_for(owner)
        made = super()._wrap_socket(*args, **kwargs)  # type: ignore[misc]
        owner._doubt = doubt or doubt_about(self)
        return made

    def _wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
        owner: Any = kwargs.get("owner")
        doubt = self._ready_for(owner)
        made = super()._wrap_bio(*args, **kwargs)  # type: ignore[misc]
        owner._doubt = doubt or doubt_about(self)
        return made

    def _ready_for(self, owner: Any) -> str:
        # Some green-thread libraries bring socket classes of their own.
        if not isinstance(owner, Guard) or owner._held is not self._held:
            raise WeakenedContextError(
                "pinned context: a connection of a foreign class would not look at the pins"
            )
        forbid_renegotiation(self)
        return doubt_about(self)

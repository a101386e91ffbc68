"""TLS sockets and objects that check pins before they carry any application data.

The check follows the handshake, however it comes about: asked for, implied by the first
read or write, over a socket or over memory buffers. Whatever would carry data asks first
whether this connection was checked, and in the present epoch.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

from pinwarden.clients.live import LivePins
from pinwarden.clients.mismatch import PinMismatch
from pinwarden.pinning.peer_chain import verified_chain

__all__ = ["guarded_classes"]


class _Guard:
    """What both kinds have in common; `_live` is set by `guarded_classes`."""

    _live: LivePins
    # The epoch in which this connection was last found in order; none is zero.
    _checked = 0
    # Whether OpenSSL was told to verify when the connection was made: what the context says
    # later can be a lie.
    _verified = False

    def _check(self) -> None:
        live = self._live
        epoch = live.epoch
        if self._checked == epoch:
            return
        tls: Any = self
        if tls.server_side:
            return
        # A chain that was not verified is none: without CERT_REQUIRED the library returns
        # chains whose signatures are false.
        chain = verified_chain(tls) if self._verified else ()
        result = live.pins.check(chain, tls.server_hostname or "", at=datetime.now(UTC))
        if not result.allowed:
            raise PinMismatch(result)
        self._checked = epoch

    def _before_data(self) -> None:
        if self._checked != self._live.epoch:
            tls: Any = self
            if not self._checked:
                tls.do_handshake()
            self._check()


class _GuardedSocket(_Guard, ssl.SSLSocket):
    @classmethod
    def _create(cls, sock: Any, *args: Any, **kwargs: Any) -> Any:
        wanted = kwargs.pop("do_handshake_on_connect", True)
        self: Any = super()._create(sock, *args, do_handshake_on_connect=False, **kwargs)  # type: ignore[misc]
        self._verified = self.context.verify_mode == ssl.CERT_REQUIRED
        self.do_handshake_on_connect = wanted
        if wanted and self._connected:
            try:
                self.do_handshake()
            except (OSError, ValueError):
                self.close()
                raise
        return self

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        self._check()

    def send(self, data: Any, flags: int = 0) -> int:
        if self._sslobj is not None:  # type: ignore[attr-defined]
            self._before_data()
        return super().send(data, flags)

    def write(self, data: Any) -> int:
        self._before_data()
        return super().write(data)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        self._before_data()
        return super().read(len, buffer)


class _GuardedObject(_Guard, ssl.SSLObject):
    @classmethod
    def _create(cls, *args: Any, **kwargs: Any) -> Any:
        self: Any = super()._create(*args, **kwargs)  # type: ignore[misc]
        self._verified = self.context.verify_mode == ssl.CERT_REQUIRED
        return self

    def do_handshake(self) -> None:
        super().do_handshake()
        self._check()

    def write(self, data: Any) -> int:
        self._before_data()
        return super().write(data)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        self._before_data()
        return super().read(len, buffer)


def guarded_classes(live: LivePins) -> tuple[type[ssl.SSLSocket], type[ssl.SSLObject]]:
    """The classes for `SSLContext.sslsocket_class` and `sslobject_class` that keep these pins."""
    attributes = {"_live": live}
    return (
        type("GuardedSocket", (_GuardedSocket,), attributes),
        type("GuardedObject", (_GuardedObject,), attributes),
    )

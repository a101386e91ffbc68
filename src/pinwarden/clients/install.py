"""Pins for a whole process: every connection made through Python's ssl module.

Reaches contexts that were made before, and those inside libraries, since it changes the
class of what all of them make. Other TLS implementations (pyOpenSSL, QUIC stacks,
libcurl, gRPC) are not reached: `pinwarden.clients.coverage()` names those it finds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from pinwarden.clients.guard import Guard, guarded_object, guarded_socket
from pinwarden.clients.live import LivePins
from pinwarden.clients.mismatch import PinMismatch
from pinwarden.clients.ssl_classes import (
    SSLContext,
    doubt_about,
    forbid_renegotiation,
    refuse_without_chains,
)
from pinwarden.clients.telling import Held, OnResult, Reporter
from pinwarden.errors import ConfigError
from pinwarden.pinning.pinset import PinSet

__all__ = ["Installation", "install", "uninstall"]

_lock = threading.Lock()
_installed: Installation | None = None
_NAMES = ("sslsocket_class", "sslobject_class")
# The methods of the class in C, and where their argument `server_side` stands.
_MAKERS = {"_wrap_socket": 1, "_wrap_bio": 2}
_FOREIGN = "the connection is of a class that install() does not reach"


class _GuardedKinds:
    """In the place of `SSLContext.sslsocket_class` or its sister.

    A data descriptor, and so stronger than what a library has put on its instances: of
    that, and of the ssl module's own class, the guarded kind is given out.
    """

    def __init__(self, name: str, usual: type, guarded: Any, held: Held) -> None:
        self._name, self.usual, self._guarded, self._held = name, usual, guarded, held
        self._kept = f"_pinwarden_{name}"
        self._made: type = guarded(usual, held)

    def __get__(self, context: Any, _: type | None = None) -> type:
        own: dict[str, Any] = {} if context is None else vars(context)
        base = own.get(self._name, self.usual)
        if base is self.usual or issubclass(base, Guard):
            return self._made
        # Kept on the context, as its base is: truststore makes classes for each of its own.
        kept = own.get(self._kept)
        if kept is None or kept[:2] != (base, self._held):
            kept = own[self._kept] = (base, self._held, self._guarded(base, self._held))
        made: type = kept[2]
        return made

    def __set__(self, context: Any, kind: type) -> None:
        vars(context)[self._name] = kind

    def __delete__(self, context: Any) -> None:
        vars(context).pop(self._name, None)


def _closed(name: str, first: int, held: Held) -> Callable[..., Any]:
    """The context's method that makes a connection, closed to those of foreign classes.

    `first` is where in its arguments `server_side` stands, and then `server_hostname`.
    """

    def wrap(context: Any, *args: Any, **kwargs: Any) -> Any:
        make = getattr(super(SSLContext, context), name)
        owner = kwargs.get("owner")
        if isinstance(owner, Guard):
            if not (args[first] if len(args) > first else kwargs.get("server_side")):
                forbid_renegotiation(context)
            # Next to the moment in which OpenSSL takes them over, on both of its sides.
            doubt = doubt_about(context)
            made = make(*args, **kwargs)
            owner._doubt = doubt or doubt_about(context)
            return made
        given = dict(zip(("server_side", "server_hostname"), args[first:], strict=False)) | kwargs
        if not given.get("server_side"):
            host = str(given.get("server_hostname") or "")
            result = held.live.pins.check((), host, at=datetime.now(UTC))
            if not result.allowed:
                result = replace(result, problem=_FOREIGN)
                held.tell(result, None)
                raise PinMismatch(result)
        return make(*args, **kwargs)

    return wrap


class Installation:
    """Pins in force for the whole process, until `uninstall` or the end of a `with`."""

    def __init__(self, held: Held) -> None:
        self._held = held

    @property
    def live(self) -> LivePins:
        """The pins, to be shared with contexts or replaced."""
        return self._held.live

    @property
    def pins(self) -> PinSet:
        """The set in force; setting another cuts open connections that do not meet it."""
        return self._held.live.pins

    @pins.setter
    def pins(self, pins: PinSet) -> None:
        self._held.live.replace(pins)

    def uninstall(self) -> None:
        """Stop pinning new connections; those that are open stay pinned.

        Does nothing if this installation has ended already. Raises `ConfigError` if
        another library has replaced the classes meanwhile.
        """
        global _installed
        with _lock:
            if _installed is not self:
                return
            kinds = [vars(SSLContext).get(name) for name in _NAMES]
            if not all(isinstance(each, _GuardedKinds) for each in kinds):
                raise ConfigError(
                    "pins: another library has replaced the classes of ssl.SSLContext since "
                    "install(), so they are not put back",
                    hint="undo that first",
                )
            for name, kind in zip(_NAMES, kinds, strict=True):
                assert isinstance(kind, _GuardedKinds)
                setattr(SSLContext, name, kind.usual)
            for name in _MAKERS:
                # They are inherited from the class in C.
                delattr(SSLContext, name)
            _installed = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.uninstall()


def install(
    pins: PinSet | LivePins,
    *,
    reporter: Reporter | None = None,
    on_result: OnResult | None = None,
) -> Installation:
    """Hold every TLS connection of this process to pins, from now on.

    Use it as `with install(pins): …`, or call it once at the start. Servers and pinned
    contexts are left alone. A connection that does not verify certificates is refused if
    its host falls under a policy: `verify=False` does not switch pins off. So is one of a
    class that this cannot reach, such as a library's for green threads. Where a library
    leaves the host's name out of the handshake, the name is compared here.

    Raises `ConfigError` if pins are installed already, or if ssl's sockets were replaced.
    """
    global _installed
    refuse_without_chains()
    held = Held(LivePins.of(pins), reporter, on_result)
    with _lock:
        if _installed is not None:
            raise ConfigError(
                "pins: are installed already", hint="set `pins` of the installation instead"
            )
        context: Any = SSLContext
        makers = (guarded_socket, guarded_object)
        for name, make in zip(_NAMES, makers, strict=True):
            setattr(context, name, _GuardedKinds(name, getattr(context, name), make, held))
        for name, first in _MAKERS.items():
            setattr(context, name, _closed(name, first, held))
        _installed = Installation(held)
        return _installed


def uninstall() -> None:
    """End what `install` began, if it did; see `Installation.uninstall`."""
    if _installed is not None:
        _installed.uninstall()

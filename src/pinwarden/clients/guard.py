"""TLS sockets and objects that check pins before they carry any application data.

The check follows the handshake, however it comes about: asked for, implied by the first
read or write, over a socket or over memory buffers. Whatever would carry data asks first
whether this connection was checked, and against the set that is in force. A connection
that was refused once stays refused.
"""

from __future__ import annotations

import errno
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwarden.clients.live import InForce, LivePins
from pinwarden.clients.mismatch import PinMismatch
from pinwarden.clients.ssl_classes import (
    SSLObject,
    SSLSocket,
    checks_names,
    forbid_renegotiation,
    verifies,
)
from pinwarden.clients.telling import Held
from pinwarden.pinning.peer_chain import sent_chain, verified_chain
from pinwarden.pinning.policy import OnExpiry
from pinwarden.pinning.result import PinResult

__all__ = ["Guard", "doubt_about", "guarded_object", "guarded_socket"]

_RESUMED = "the TLS session was resumed, and that brings no certificates to compare"
_NO_HOST = "the connection was made without server_hostname"
_UNVERIFIED = "certificates were not verified (verify=False, or a context with CERT_NONE)"
_UNNAMED = "the host name was not verified (a context with check_hostname off)"
_UNKNOWN = "how the connection was made is not known"


def doubt_about(context: Any) -> str:
    """Why chains of a context cannot be believed; empty if they can.

    Without verification OpenSSL calls a chain verified although its signatures are false,
    and without the name a pinned authority's certificate for any host would do.
    """
    if not verifies(context):
        return _UNVERIFIED
    return "" if checks_names(context) else _UNNAMED


class Guard:
    """What both kinds have in common; `_held` is set by `guarded_socket` and its sister."""

    _held: Held
    _live: LivePins
    # The set against which this connection was last found in order; None is never in force.
    _checked: InForce | None = None
    # When the policy that allowed it ends, if connections are refused from then on.
    _until: float | None = None
    _refused: PinResult | None = None
    # Read when OpenSSL took over the settings: what the context says later can be a lie.
    _doubt = _UNKNOWN
    # The same, by a context of ours in the very moment.
    _noted = ""

    def _settled(self) -> bool:
        """Whether data may flow without another look."""
        return self._checked is self._live.current and (
            self._until is None or time.time() < self._until
        )

    def _keep_refusing(self) -> None:
        if self._refused is not None:
            raise PinMismatch(self._refused)

    def _check(self) -> None:
        tls: Any = self
        if self._settled() or tls.server_side:
            return
        current = self._live.current
        result = self._judge(current)
        if not result.allowed:
            self._refused, self._checked = result, None
        if result.failed:
            self._held.tell(result, self._port(), sent_chain(tls))
        elif self._held.on_result is not None:
            self._held.tell(result)
        self._keep_refusing()
        self._until = _end_of(result)
        self._checked = current

    def _judge(self, current: InForce) -> PinResult:
        tls: Any = self
        # Not the attribute of a socket, which anybody can set after the handshake.
        host = tls._sslobj.server_hostname or ""
        problem = self._doubt or (_RESUMED if tls.session_reused else "")
        chain = () if problem else verified_chain(tls)
        result = current.pins.check(chain, host, at=datetime.fromtimestamp(time.time(), UTC))
        if result.allowed and not result.failed:
            return result
        problem = problem or ("" if host else _NO_HOST)
        return replace(result, problem=problem) if problem else result

    def _port(self) -> int | None:
        return None


def _end_of(result: PinResult) -> float | None:
    """The first moment in which a closing policy is over, in seconds since 1970."""
    policy = result.policy
    if policy is None or policy.expires is None or policy.on_expiry is not OnExpiry.CLOSED:
        return None
    try:
        over = policy.expires + timedelta(days=1)
    except OverflowError:
        return None
    return datetime(over.year, over.month, over.day, tzinfo=UTC).timestamp()


class _GuardedSocket(Guard, SSLSocket):
    # Whether TLS was ended by `unwrap`: only then is anything sent in plain text.
    _unwrapped = False

    @classmethod
    def _create(cls, sock: Any, *args: Any, **kwargs: Any) -> Any:
        wanted = kwargs.pop("do_handshake_on_connect", True)
        context = kwargs["context"]
        if kwargs.get("server_side"):
            return super()._create(  # type: ignore[misc]
                sock, *args, do_handshake_on_connect=wanted, **kwargs
            )
        forbid_renegotiation(context)
        doubt = doubt_about(context)
        self: Any = super()._create(sock, *args, do_handshake_on_connect=False, **kwargs)  # type: ignore[misc]
        self._doubt = doubt or self._noted or doubt_about(context)
        self.do_handshake_on_connect = wanted
        if wanted and self._connected:
            try:
                if self.gettimeout() == 0.0:
                    raise ValueError(
                        "do_handshake_on_connect should not be specified for non-blocking sockets"
                    )
                self.do_handshake()
            except BaseException:
                self.close()
                raise
        return self

    def _real_connect(self, addr: Any, connect_ex: bool) -> Any:
        tls: Any = self
        self._keep_refusing()
        doubt = doubt_about(tls.context)
        wanted, tls.do_handshake_on_connect = tls.do_handshake_on_connect, False
        try:
            refused = super()._real_connect(addr, connect_ex)  # type: ignore[misc]
        finally:
            tls.do_handshake_on_connect = wanted
        self._doubt = doubt or self._noted or doubt_about(tls.context)
        if wanted and not refused:
            self.do_handshake()
        return refused

    def _before_data(self) -> None:
        if self._settled():
            return
        self._keep_refusing()
        tls: Any = self
        if tls.server_side:
            return
        if tls._sslobj is None:
            # After a failed or unfinished connect() ssl itself goes on in plain text.
            if not self._unwrapped and hasattr(tls, "_connected"):
                raise OSError(errno.ENOTCONN, "no TLS connection, and nothing is said without")
        elif self._checked is None:
            self.do_handshake()
        else:
            self._check()

    def _port(self) -> int | None:
        try:
            return int(self.getpeername()[1])
        except (OSError, LookupError, TypeError, ValueError):
            return None

    def do_handshake(self, block: bool = False) -> None:
        self._keep_refusing()
        super().do_handshake(block)
        self._check()

    def unwrap(self) -> Any:
        self._keep_refusing()
        plain = super().unwrap()
        self._unwrapped = True
        return plain

    def send(self, data: Any, flags: int = 0) -> int:
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().send(data, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._before_data()
        return super().sendall(data, flags)

    def sendto(self, *args: Any, **kwargs: Any) -> Any:
        self._before_data()
        return super().sendto(*args, **kwargs)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        self._before_data()
        return super().sendfile(file, offset, count)

    def write(self, data: Any) -> int:
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().write(data)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().recv(buflen, flags)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().recv_into(buffer, nbytes, flags)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's name
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().read(len, buffer)


class _GuardedObject(Guard, SSLObject):
    @classmethod
    def _create(cls, *args: Any, **kwargs: Any) -> Any:
        context = kwargs["context"]
        if kwargs.get("server_side"):
            return super()._create(*args, **kwargs)  # type: ignore[misc]
        forbid_renegotiation(context)
        doubt = doubt_about(context)
        self: Any = super()._create(*args, **kwargs)  # type: ignore[misc]
        self._doubt = doubt or self._noted or doubt_about(context)
        return self

    def _before_data(self) -> None:
        if self._settled():
            return
        self._keep_refusing()
        if self.server_side:
            return
        if self._checked is None:
            self.do_handshake()
        else:
            self._check()

    def do_handshake(self) -> None:
        self._keep_refusing()
        super().do_handshake()
        self._check()

    def write(self, data: Any) -> int:
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().write(data)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's name
        if self._checked is not self._live.current or self._until is not None:
            self._before_data()
        return super().read(len, buffer)


def guarded_socket(base: type[SSLSocket], held: Held) -> type[SSLSocket]:
    """A class for `SSLContext.sslsocket_class` that keeps pins and else does as `base`."""
    bases = (_GuardedSocket,) if base is SSLSocket else (_GuardedSocket, base)
    return type("GuardedSocket", bases, {"_held": held, "_live": held.live})


def guarded_object(base: type[SSLObject], held: Held) -> type[SSLObject]:
    """A class for `SSLContext.sslobject_class` that keeps pins and else does as `base`."""
    bases = (_GuardedObject,) if base is SSLObject else (_GuardedObject, base)
    return type("GuardedObject", bases, {"_held": held, "_live": held.live})

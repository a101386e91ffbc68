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
from datetime import UTC, datetime
from typing import Any

from pinwarden.clients.live import NOT_MET, InForce, LivePins, Met
from pinwarden.clients.mismatch import PinMismatch
from pinwarden.clients.named import is_named_by
from pinwarden.clients.ssl_classes import UNNAMED, SSLObject, SSLSocket
from pinwarden.clients.telling import Held
from pinwarden.pinning.peer_chain import in_der, sent_chain, verified_certificates
from pinwarden.pinning.result import PinResult, PinVerdict

__all__ = ["Guard", "guarded_object", "guarded_socket"]

_RESUMED = "the TLS session was resumed, and that brings no certificates to compare"
_NO_HOST = "the connection was made without server_hostname"
_NO_TLS = "no TLS connection, and nothing is said without"
_UNKNOWN = "how the connection was made is not known"


class Guard:
    """What both kinds have in common; `_held` is set by `guarded_socket` and its sister."""

    _held: Held
    _live: LivePins
    # Under which set this connection was last found in order, and until when.
    _met: Met = NOT_MET
    _refused: PinResult | None = None
    # Set by the context in the moment when OpenSSL takes over its settings: what it says of
    # itself at any other time can be a lie.
    _doubt = _UNKNOWN

    def _settled(self) -> bool:
        """Whether data may flow without another look."""
        met = self._met
        return met.current is self._live.current and (met.until is None or time.time() < met.until)

    def _keep_refusing(self) -> None:
        if self._refused is not None:
            raise PinMismatch(self._refused)

    def _check(self) -> None:
        # What runs here runs in every handshake, and with cold caches: so it is little.
        current = self._live.current
        tls: Any = self
        inner = tls._sslobj
        if inner is None:
            # Another thread has shut it down.
            if tls.server_side:
                return
            raise OSError(errno.ENOTCONN, _NO_TLS)
        # Whoever listens hears of each comparison.
        if self._held.on_result is None:
            for known in current.known.get(inner.server_hostname, ()):
                if known.until is not None and time.time() >= known.until:
                    continue
                # With no policy about the host the chain does not count.
                if known.chain is None or not (
                    self._doubt or inner.session_reused or inner.get_verified_chain() != known.chain
                ):
                    self._met = known
                    if self._refused is not None:
                        self._met = NOT_MET
                        raise PinMismatch(self._refused)
                    return
        if not inner.server_side and not self._settled():
            self._compare(current, inner)

    def _compare(self, current: InForce, inner: Any) -> None:
        # Not the attribute of a socket, which anybody can set after the handshake.
        host = inner.server_hostname or ""
        doubt = self._doubt
        if inner.session_reused and doubt in ("", UNNAMED):
            doubt = _RESUMED
        certificates = verified_certificates(inner) if doubt in ("", UNNAMED) else []
        if doubt and certificates and is_named_by(certificates[0], host):
            doubt = ""
        chain = () if doubt else in_der(certificates)
        result = current.pins.check(chain, host, at=datetime.fromtimestamp(time.time(), UTC))
        if not result.allowed or result.failed:
            result = _explained(result, doubt or ("" if host else _NO_HOST))
        if not result.allowed:
            self._refused, self._met = result, NOT_MET
        if result.failed:
            self._held.tell(result, self._port(), sent_chain(inner))
        elif self._held.on_result is not None:
            self._held.tell(result)
        self._keep_refusing()
        ends = current.pins.ends(result)
        until = None if ends is None else ends.timestamp()
        self._met = Met(current, until, None if result.policy is None else certificates)
        if host and not doubt and (result.policy is None or result.verdict is PinVerdict.MATCH):
            current.remember(host, self._met)

    def _port(self) -> int | None:
        return None


def _explained(result: PinResult, problem: str) -> PinResult:
    return replace(result, problem=problem) if problem else result


class _GuardedSocket(Guard, SSLSocket):
    # Whether TLS was ended by `unwrap`: only then is anything sent in plain text.
    _unwrapped = False
    # Not `server_side`, which anybody can set.
    _serves = False

    @classmethod
    def _create(cls, sock: Any, *args: Any, **kwargs: Any) -> Any:
        wanted = kwargs.pop("do_handshake_on_connect", True)
        if kwargs.get("server_side"):
            server: Any = super()._create(sock, *args, do_handshake_on_connect=wanted, **kwargs)  # type: ignore[misc]
            server._serves = True
            return server
        self: Any = super()._create(sock, *args, do_handshake_on_connect=False, **kwargs)  # type: ignore[misc]
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
        self._doubt = _UNKNOWN
        wanted, tls.do_handshake_on_connect = tls.do_handshake_on_connect, False
        try:
            refused = super()._real_connect(addr, connect_ex)  # type: ignore[misc]
        finally:
            tls.do_handshake_on_connect = wanted
        if wanted and not refused:
            self.do_handshake()
        return refused

    def _before_data(self) -> None:
        if self._settled():
            return
        self._keep_refusing()
        tls: Any = self
        if self._serves:
            return
        if tls._sslobj is None:
            # After a failed or unfinished connect() ssl itself goes on in plain text.
            if not self._unwrapped and hasattr(tls, "_connected"):
                raise OSError(errno.ENOTCONN, _NO_TLS)
        elif self._met is NOT_MET:
            self.do_handshake()
        else:
            self._check()

    def _port(self) -> int | None:
        try:
            return int(self.getpeername()[1])
        except (OSError, LookupError, TypeError, ValueError):
            return None

    def do_handshake(self, block: bool = False) -> None:
        if self._refused is not None:
            raise PinMismatch(self._refused)
        super().do_handshake(block)
        self._check()

    def unwrap(self) -> Any:
        self._keep_refusing()
        plain = super().unwrap()
        self._unwrapped = True
        return plain

    def shutdown(self, how: int) -> None:
        try:
            super().shutdown(how)
        finally:
            # ssl forgets TLS then, and would send in plain text what comes after.
            self._met = NOT_MET

    def send(self, data: Any, flags: int = 0) -> int:
        met = self._met
        if met.current is not self._live.current or met.until is not None:
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
        met = self._met
        if met.current is not self._live.current or met.until is not None:
            self._before_data()
        return super().write(data)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        met = self._met
        if met.current is not self._live.current or met.until is not None:
            self._before_data()
        return super().recv(buflen, flags)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        met = self._met
        if met.current is not self._live.current or met.until is not None:
            self._before_data()
        return super().recv_into(buffer, nbytes, flags)

    def recvfrom(self, *args: Any, **kwargs: Any) -> Any:
        self._before_data()
        return super().recvfrom(*args, **kwargs)

    def recvfrom_into(self, *args: Any, **kwargs: Any) -> Any:
        self._before_data()
        return super().recvfrom_into(*args, **kwargs)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's name
        met = self._met
        if met.current is not self._live.current or met.until is not None:
            self._before_data()
        return super().read(len, buffer)


class _GuardedObject(Guard, SSLObject):
    def _before_data(self) -> None:
        if self._settled():
            return
        self._keep_refusing()
        if self.server_side:
            return
        if self._met is NOT_MET:
            self.do_handshake()
        else:
            self._check()

    def do_handshake(self) -> None:
        if self._refused is not None:
            raise PinMismatch(self._refused)
        super().do_handshake()
        self._check()

    def write(self, data: Any) -> int:
        met = self._met
        if met.current is not self._live.current or met.until is not None:
            self._before_data()
        return super().write(data)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's name
        met = self._met
        if met.current is not self._live.current or met.until is not None:
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

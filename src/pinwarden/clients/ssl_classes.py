"""The classes of Python's own ssl module, as they were before anybody replaced them.

truststore puts a class of its own in the place of `ssl.SSLContext`, and then the setters
of the module's class call themselves without end; what is below goes past them. gevent
and eventlet replace the sockets, by some that no pins are kept with.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from pinwarden.errors import ConfigError, quoted

__all__ = [
    "SSLContext",
    "SSLObject",
    "SSLSocket",
    "checks_names",
    "forbid_renegotiation",
    "refuse_without_chains",
    "set_plainly",
    "verifies",
]

# The last but one of the order of resolution is the class in C.
_IN_C: Any = ssl.SSLContext.__mro__[-2]
_NO_RENEGOTIATION = int(ssl.OP_NO_RENEGOTIATION)


def _genuine() -> Any:
    ours = [each for each in ssl.SSLContext.__mro__ if each.__module__ == "ssl"]
    return ours[0] if ours else ssl.SSLContext


if TYPE_CHECKING:
    from ssl import SSLContext, SSLObject, SSLSocket
else:
    SSLContext = _genuine()
    SSLSocket, SSLObject = SSLContext.sslsocket_class, SSLContext.sslobject_class


_verify_mode, _check_hostname, _options = (
    getattr(_IN_C, name).__get__ for name in ("verify_mode", "check_hostname", "options")
)


def verifies(context: ssl.SSLContext) -> bool:
    """Whether connections that are made now will have their certificates verified."""
    return bool(_verify_mode(context) != ssl.CERT_NONE)


def checks_names(context: ssl.SSLContext) -> bool:
    """Whether connections that are made now will have their host names verified."""
    return bool(_check_hostname(context))


def forbid_renegotiation(context: ssl.SSLContext) -> None:
    """Hold connections to the certificate with which they began.

    A renegotiation of TLS 1.2 may bring another one, at which nobody would look.
    """
    # As numbers, since ssl's flags cost more than the rest of the check.
    options = int(_options(context))
    if not options & _NO_RENEGOTIATION:
        _IN_C.options.__set__(context, options | _NO_RENEGOTIATION)


def set_plainly(context: ssl.SSLContext, name: str, value: object) -> None:
    """Set an attribute of a context, whatever classes lie over the one in C."""
    getattr(_IN_C, name).__set__(context, value)


def refuse_without_chains() -> None:
    """Raises `ConfigError` where the verified chain of a connection cannot be known.

    On another interpreter than CPython, or where a library has replaced ssl's sockets.
    """
    if ssl.SSLSocket is not SSLSocket:
        other = f"{ssl.SSLSocket.__module__}.{ssl.SSLSocket.__qualname__}"
        raise ConfigError(
            f"ssl.SSLSocket was replaced by {quoted(other, 80)}, which does not keep pins",
            hint="pin in a process that is not patched for green threads",
        )
    in_c = getattr(getattr(ssl, "_ssl", None), "_SSLSocket", None)
    if not any(hasattr(each, "get_verified_chain") for each in (SSLSocket, in_c)):
        raise ConfigError(
            "this Python does not tell the verified chain of a connection, so it cannot pin",
            hint="use CPython 3.11 or later",
        )

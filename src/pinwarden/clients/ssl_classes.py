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
    "UNNAMED",
    "UNVERIFIED",
    "SSLContext",
    "SSLObject",
    "SSLSocket",
    "doubt_about",
    "forbid_renegotiation",
    "refuse_without_chains",
    "set_plainly",
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


# Straight from the class in C: these run in every handshake.
_verify_mode, _options = (getattr(_IN_C, name).__get__ for name in ("verify_mode", "options"))
_checks_names = _IN_C.check_hostname.__get__
_NOT_VERIFYING = int(ssl.CERT_NONE)

UNVERIFIED = "certificates were not verified (verify=False, or a context with CERT_NONE)"
UNNAMED = "the host name was not verified (a context with check_hostname off)"


def doubt_about(context: ssl.SSLContext) -> str:
    """Why the chains of connections made now cannot be believed; empty if they can.

    Without verification OpenSSL calls a chain verified although its signatures are false,
    and without the name a pinned authority's certificate for any host would do.
    """
    if _verify_mode(context) == _NOT_VERIFYING:
        return UNVERIFIED
    return "" if _checks_names(context) else UNNAMED


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

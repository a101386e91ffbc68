"""The classes of Python's own ssl module, as they were before anybody replaced them.

truststore puts a class of its own in the place of `ssl.SSLContext`, and then the setters
of the module's class call themselves without end; what is below goes past them.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from pinwarden.errors import ConfigError

__all__ = ["SSLContext", "refuse_without_chains", "set_plainly"]

# The last but one of the order of resolution is the class in C.
_IN_C: Any = ssl.SSLContext.__mro__[-2]


def _genuine() -> Any:
    ours = [each for each in ssl.SSLContext.__mro__ if each.__module__ == "ssl"]
    return ours[0] if ours else ssl.SSLContext


if TYPE_CHECKING:
    from ssl import SSLContext
else:
    SSLContext = _genuine()


def set_plainly(context: ssl.SSLContext, name: str, value: object) -> None:
    """Set an attribute of a context, whatever classes lie over the one in C."""
    getattr(_IN_C, name).__set__(context, value)


def refuse_without_chains() -> None:
    """Raises `ConfigError` on an interpreter that does not tell the verified chain."""
    in_c = getattr(getattr(ssl, "_ssl", None), "_SSLSocket", None)
    if not any(hasattr(each, "get_verified_chain") for each in (ssl.SSLSocket, in_c)):
        raise ConfigError(
            "this Python does not tell the verified chain of a connection, so it cannot pin",
            hint="use CPython 3.11 or later",
        )

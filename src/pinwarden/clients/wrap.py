"""Takes over a context that somebody else made, and holds it to pins."""

from __future__ import annotations

import ssl
import sys
from functools import cache
from typing import Any, TypeVar

from pinwarden.clients.held_context import HeldContext
from pinwarden.clients.hidden_pins import warn_of_hidden_pins
from pinwarden.clients.live import LivePins
from pinwarden.clients.ssl_classes import (
    SSLContext,
    forbid_renegotiation,
    refuse_without_chains,
    set_plainly,
)
from pinwarden.clients.telling import Held, OnResult, Reporter
from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.pinset import PinSet

__all__ = ["pin_context"]

_C = TypeVar("_C", bound=ssl.SSLContext)


def pin_context(
    context: _C,
    pins: PinSet | LivePins,
    *,
    reporter: Reporter | None = None,
    on_result: OnResult | None = None,
) -> _C:
    """Hold an existing client context to pins from now on; changes it, and returns it.

    For the contexts of certifi, urllib3, a custom CA and (on Linux and the BSDs)
    truststore. The context keeps its trust store and everything else that was set, and
    becomes as unbending as a `PinnedContext`; TLS before 1.2 is switched off, and so is
    renegotiation. Connections that it has made already stay as they are.

    Raises `ConfigError` for what is no client context of the ssl module, for one that
    does not verify certificates and names, and for one that is pinned already.
    """
    refuse_without_chains()
    inner = _openssl_context(context)
    _refuse_unfit(inner)
    held = Held(LivePins.of(pins), reporter, on_result)
    classes = inner.sslsocket_class, inner.sslobject_class
    # Otherwise what a library set on the instance would be shadowed, but still stand there.
    for name in ("sslsocket_class", "sslobject_class"):
        vars(inner).pop(name, None)
    kind: Any = type(inner)
    inner.__class__ = _held_kind(kind)
    inner._hold(held, *classes)
    if inner.minimum_version < ssl.TLSVersion.TLSv1_2:
        set_plainly(inner, "minimum_version", ssl.TLSVersion.TLSv1_2)
    forbid_renegotiation(inner)
    warn_of_hidden_pins(inner, held.live.pins)
    return context


@cache
def _held_kind(kind: Any) -> Any:
    if kind is SSLContext:
        return HeldContext
    return type(f"Held{kind.__name__}", (HeldContext, kind), {})


def _openssl_context(context: Any) -> Any:
    """The context that makes the connections: truststore has one inside."""
    kind = type(context)
    if "truststore" in kind.__module__.split("."):
        if sys.platform in ("darwin", "win32"):
            raise ConfigError(
                "truststore context: here the system verifies after OpenSSL did not, so that "
                "there is no verified chain to compare",
                hint="give PinnedContext the authorities of your pins with cafile=",
            )
        return context._ctx
    if not isinstance(context, SSLContext):
        raise ConfigError(
            f"context: {quoted(f'{kind.__module__}.{kind.__qualname__}', 80)} is not an "
            "ssl.SSLContext, so its connections cannot be looked at",
            hint="`pinwarden pin doctor` says what to do about other TLS libraries",
        )
    return context


def _refuse_unfit(context: Any) -> None:
    if isinstance(context, HeldContext):
        raise ConfigError("context: is pinned already", hint="set its `pins` instead")
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        raise ConfigError("context: is a server's, and pins are for clients")
    if context.verify_mode != ssl.CERT_REQUIRED:
        raise ConfigError(
            "context: does not require certificates to verify, and pins mean nothing without that",
            hint="make it with ssl.create_default_context()",
        )
    if not context.check_hostname:
        raise ConfigError(
            "context: does not check host names, and pins add to that check",
            hint="set check_hostname = True, or begin with ssl.create_default_context()",
        )

"""What a row of the matrix (a client) and a column of it (a behaviour) are made of.

A row is a `Client`: how to open a session that is held to a context, and a server that
speaks its protocol. A column is a function under `@behaviour`, in columns.py and its
neighbours. test_matrix.py runs every column on every row; a row that has no such thing
says why in `skips`.

The server of every row counts bytes of application data. `refused` is the one way to say
that a connection was ended by its pins: the client raised, our error is inside, and the
server was told nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.lab.tls import Credentials
from pinwarden.pinning.result import PinResult, Reason
from support.pin_world import HOST, UNPINNED, World

__all__ = [
    "BEHAVIOURS",
    "PINNED",
    "UNPINNED",
    "Ask",
    "Client",
    "ResumingContext",
    "Server",
    "Target",
    "Wiring",
    "behaviour",
    "failure",
    "refused",
]

# The pinned origin goes by its name, unpinned ones (the proxies too) by their address.
PINNED = HOST


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to ask for where a protocol has such a thing."""

    host: str
    port: int
    path: str = "/"
    userinfo: str = ""

    @property
    def url(self) -> str:
        """As an HTTPS URL."""
        return f"https://{self.userinfo}{self.host}:{self.port}{self.path}"


class Server(Protocol):
    """A TLS server that counts; `support.origin.Origin` is one."""

    port: int
    visits: Sequence[object]

    @property
    def said(self) -> int:
        """Bytes of application data of all visitors."""

    @property
    def resumed(self) -> int:
        """How many visitors resumed a session."""

    def drained(self) -> int:
        """`said` when every visitor so far has hung up."""


# Asks once, on a connection that may be kept for the next time; returns what was answered.
# Raises whatever the client raises.
Ask = Callable[[Target], bytes]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a session is to be wired.

    `context` is what to hand to the client. It is None only in columns about `install()`:
    then the client makes its own context, trusting `cafile`. Without `verify` the client is
    told not to verify, in whatever words it has for that, besides all the rest.
    `proxy` is the URL of an HTTP proxy; one with https: is itself spoken to over TLS, with
    `context` too where the client wants a context for that.
    """

    context: ssl.SSLContext | None
    cafile: str
    proxy: str | None = None
    verify: bool = True

    @property
    def held(self) -> ssl.SSLContext:
        """The context, in columns that have one."""
        assert self.context is not None
        return self.context


class Client(Protocol):
    """A row. Make a frozen dataclass or a plain class of it, and list it in a rows module.

    `skips` maps the name of a column to why this client has no such cell. `hides` maps the
    name of a column to why our error cannot be found inside of what this client raises
    there (the zero bytes are still demanded).
    """

    name: str
    skips: Mapping[str, str]
    hides: Mapping[str, str]

    def server(
        self,
        shown: Credentials,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        location: str | None = None,
    ) -> AbstractContextManager[Server]:
        """A server of the client's protocol; `location` redirects every request there."""

    def session(self, wiring: Wiring) -> AbstractContextManager[Ask]:
        """A client; leaving closes every connection that it kept."""


_Column = Callable[[Client, World], None]

# Each asserts.
BEHAVIOURS: dict[str, _Column] = {}


def behaviour(name: str) -> Callable[[_Column], _Column]:
    """Enter a function as a column of the matrix."""

    def enter(run: _Column) -> _Column:
        assert name not in BEHAVIOURS
        BEHAVIOURS[name] = run
        return run

    return enter


def refused(
    client: Client,
    ask: Ask,
    target: Target,
    *,
    reason: Reason = Reason.NO_PIN_MATCHED,
    column: str = "",
) -> PinResult | None:
    """Asking must fail with our error inside, for this reason. Count with `drained()` after."""
    error = failure(ask, target)
    found = find_mismatch(error)
    if column in client.hides:
        return None
    assert found is not None, f"our error is not in {error!r}"
    assert found.result.reason is reason, str(found)
    return found.result


def failure(ask: Ask, target: Target) -> BaseException:
    """Asking must fail; with what."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - every client has its own
        ask(target)
    return caught.value


class ResumingContext(PinnedContext):
    """Resumes whenever it can: what a client does that keeps sessions, for all clients.

    Keeps the newest session of any connection, and offers it to the next one.
    """

    kept: ssl.SSLSession | None = None

    @property  # type: ignore[misc]
    def sslsocket_class(self) -> Any:  # type: ignore[override]
        return _keeping(super().sslsocket_class, self)

    @property  # type: ignore[misc]
    def sslobject_class(self) -> Any:  # type: ignore[override]
        return _keeping(super().sslobject_class, self)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **{"session": self.kept} | kwargs)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(
            incoming, outgoing, server_side, server_hostname, session or self.kept
        )


def _keeping(kind: Any, context: ResumingContext) -> Any:
    """The same class, but what it reads may bring a session to keep (RFC 8446 section 4.6.1)."""

    def read(self: Any, *args: Any) -> Any:
        got = kind.read(self, *args)
        if self.session is not None:
            context.kept = self.session
        return got

    return type(kind.__name__, (kind,), {"read": read})

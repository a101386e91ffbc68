"""A row of a client that opens one connection to one server and keeps it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    contextmanager,
)
from dataclasses import dataclass, field
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from clients.matrix.harness import Ask, Target, Wiring
from pinwarden.lab.tls import Credentials
from support.origin import Conversation, Origin

__all__ = ["PATIENCE", "AsyncRow", "KeptRow", "own_context", "skipping"]

PATIENCE = 20

# Asks once more on the connection.
Again = Callable[[], bytes]
Connect = Callable[[Wiring, Target], AbstractContextManager[Again]]
AsyncAgain = Callable[[], Awaitable[bytes]]
AsyncConnect = Callable[[Wiring, Target], AbstractAsyncContextManager[AsyncAgain]]


def own_context(wiring: Wiring) -> ssl.SSLContext:
    """What a client is handed; if nothing, what its user would make."""
    context = wiring.context or ssl.create_default_context(cafile=wiring.cafile)
    if not wiring.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


_NO_URL = "has hosts and ports, no URLs"
_WITHOUT_HTTP = {
    "redirect": "its protocol has no redirects",
    "userinfo": _NO_URL,
    "http-proxy": "does not know HTTP proxies",
    "https-proxy": "does not know HTTP proxies",
}


def skipping(**more: str) -> dict[str, str]:
    """The skips of a client that is not one of HTTP, and others."""
    return _WITHOUT_HTTP | {name.replace("_", "-"): why for name, why in more.items()}


@dataclass(frozen=True)
class KeptRow:
    """A client that is described by how it connects.

    `connect` is a `Connect`. `speak` makes what its server says, perhaps from where to
    redirect; `before_tls` is what the server says before TLS.
    """

    name: str
    connect: Any
    speak: Callable[[str | None], Callable[[Conversation], None]]
    before_tls: Callable[[socket.socket], None] | None = None
    alpn: tuple[str, ...] = ()
    skips: Mapping[str, str] = field(default_factory=skipping)
    hides: Mapping[str, str] = field(default_factory=dict)

    def server(
        self,
        shown: Credentials,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        location: str | None = None,
    ) -> Origin:
        """A server of the client's protocol."""
        return Origin(
            shown,
            self.speak(location),
            newest=newest,
            alpn=self.alpn,
            before_tls=self.before_tls,
        )

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        """Keeps the connection to each place; what failed is closed, and made anew."""
        kept: dict[Target, tuple[ExitStack, Again]] = {}

        def ask(target: Target) -> bytes:
            if target not in kept:
                stack = ExitStack()
                kept[target] = stack, stack.enter_context(self.connect(wiring, target))
            try:
                return kept[target][1]()
            except BaseException:
                kept.pop(target)[0].close()
                raise

        try:
            yield ask
        finally:
            for stack, _ in kept.values():
                stack.close()


@dataclass(frozen=True)
class AsyncRow(KeptRow):
    """The same for a client with an event loop: `connect` is an `AsyncConnect`.

    `backend` is anyio's word for the loop.
    """

    backend: str = "asyncio"
    backend_options: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        """In a loop of its own, in another thread."""
        with start_blocking_portal(self.backend, dict(self.backend_options)) as portal:
            plain = KeptRow(self.name, _through(portal, self.connect), self.speak)
            with plain.session(wiring) as ask:
                yield ask


def _through(portal: BlockingPortal, connect: AsyncConnect) -> Connect:
    @contextmanager
    def connection(wiring: Wiring, target: Target) -> Iterator[Again]:
        with portal.wrap_async_context_manager(connect(wiring, target)) as again:
            yield lambda: portal.call(again)

    return connection

"""redis-py, which makes a context of its own for each connection: connections that do not.

    pool = redis.ConnectionPool.from_url(
        "rediss://cache.example.com", connection_class=pinned_connection(context)
    )
    client = redis.Redis(connection_pool=pool)

and for `redis.asyncio` the same with `pinned_async_connection`. Trust, client certificates
and versions are the context's: arguments that begin with `ssl_` are refused.
"""

from __future__ import annotations

import ssl
from importlib import import_module
from typing import Any

from pinwarden.errors import ConfigError

__all__ = ["pinned_async_connection", "pinned_connection"]


def pinned_connection(context: ssl.SSLContext) -> Any:
    """A connection class for `redis.ConnectionPool`."""
    parent: Any = import_module("redis.connection").SSLConnection

    class PinnedConnection(parent):  # type: ignore[misc]
        """A connection over TLS with the one context that it was made for."""

        def __init__(self, **options: Any) -> None:
            _refuse_tls_options(options)
            super().__init__(**options)

        def _wrap_socket_with_ssl(self, sock: Any) -> Any:
            return context.wrap_socket(sock, server_hostname=self.host)

        def _connect(self) -> Any:
            # Whatever a later redis-py calls: nothing may go over another context's socket.
            sock = super()._connect()
            if getattr(sock, "context", None) is not context:
                sock.close()
                raise _other_way()
            return sock

    return PinnedConnection


def pinned_async_connection(context: ssl.SSLContext) -> Any:
    """A connection class for `redis.asyncio.ConnectionPool`."""
    parent: Any = import_module("redis.asyncio.connection").SSLConnection

    class PinnedAsyncConnection(parent):  # type: ignore[misc]
        """A connection over TLS with the one context that it was made for."""

        def __init__(self, **options: Any) -> None:
            _refuse_tls_options(options)
            super().__init__(**options)

        def _connection_arguments(self) -> Any:
            return {**super()._connection_arguments(), "ssl": context}

        async def _connect(self) -> None:
            await super()._connect()
            if self._writer.get_extra_info("sslcontext") is not context:
                await self.disconnect(nowait=True)
                raise _other_way()

    return PinnedAsyncConnection


def _refuse_tls_options(options: dict[str, Any]) -> None:
    for name in sorted(options):
        if name.startswith("ssl_"):
            raise ConfigError(
                f"redis: {name} has no effect on a pinned connection",
                hint="set it on the context: cafile= when it is made, or load_cert_chain()",
            )


def _other_way() -> ConfigError:
    return ConfigError(
        "redis: this version does not make its connections with the pinned context",
        hint="use pinwarden.clients.install(pins)",
    )

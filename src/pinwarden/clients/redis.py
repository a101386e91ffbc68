"""redis-py, which makes a context of its own for each connection: connections that do not.

    client = redis.Redis.from_pool(pinned_pool(context, "rediss://cache.example.com"))

and for `redis.asyncio` the same with `pinned_async_pool`. Trust, client certificates and
versions are the context's: arguments that begin with `ssl_` are refused.
"""

from __future__ import annotations

import ssl
from importlib import import_module
from typing import Any

from pinwarden.errors import ConfigError

__all__ = [
    "pinned_async_connection",
    "pinned_async_pool",
    "pinned_connection",
    "pinned_pool",
]


def pinned_pool(context: ssl.SSLContext, url: str, **options: Any) -> Any:
    """A `redis.ConnectionPool` for a `rediss:` URL; `options` are those of the pool.

    Raises `ConfigError` for another URL, and for options about TLS when it connects.
    """
    return _pool(import_module("redis"), pinned_connection(context), url, options)


def pinned_async_pool(context: ssl.SSLContext, url: str, **options: Any) -> Any:
    """A `redis.asyncio.ConnectionPool`; as `pinned_pool` otherwise."""
    return _pool(import_module("redis.asyncio"), pinned_async_connection(context), url, options)


def _pool(redis: Any, pinned: Any, url: str, options: dict[str, Any]) -> Any:
    if not url.lower().startswith("rediss://"):
        raise ConfigError(
            "redis: a pinned connection needs a URL that begins with rediss://",
            hint="redis:// is without TLS, and so without pins",
        )
    pool = redis.ConnectionPool.from_url(url, **options)
    # Not as an argument: redis.asyncio passes over it for the class that the URL implies.
    pool.connection_class = pinned
    return pool


def pinned_connection(context: ssl.SSLContext) -> Any:
    """A connection class for `redis.ConnectionPool(connection_class=…)`, without a URL."""
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
            # truststore's contexts make connections of the one that they hold.
            ours = (context, getattr(context, "_ctx", context))
            if getattr(sock, "context", None) not in ours:
                sock.close()
                raise _other_way()
            return sock

    return PinnedConnection


def pinned_async_connection(context: ssl.SSLContext) -> Any:
    """A connection class for `redis.asyncio.ConnectionPool`, without a URL."""
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

"""aiohttp, held to pins: a connector that no single request can take out of its context."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp

from pinwarden.errors import ConfigError

__all__ = ["PinnedConnector"]


class PinnedConnector(aiohttp.TCPConnector):
    """A connector whose TLS connections all use one context, through proxies too.

    aiohttp lets each request say `ssl=` again; here that is an error unless it says the
    same. Other options are those of `aiohttp.TCPConnector`.
    """

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(ssl=context, **options)
        self._context = context

    async def connect(self, req: Any, *args: Any, **options: Any) -> Any:
        """As aiohttp does; raises `ConfigError` for a request with a context of its own."""
        if req.is_ssl() and req.ssl is not True and req.ssl is not self._context:
            raise ConfigError(
                "ssl= of the request: takes it out of the pins of its connector",
                hint="leave ssl= out, or use a session with another connector",
            )
        return await super().connect(req, *args, **options)

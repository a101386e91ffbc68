"""botocore and boto3, held to pins, one client at a time.

botocore has no option for a context. What it has is the event `before-send`, whose
handler may send the request itself and return the answer.
"""

from __future__ import annotations

import ssl
from typing import Any

from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]

from pinwarden.errors import ConfigError

__all__ = ["hold"]

_OURS = "pinwarden-pins"


class _PinnedSession(URLLib3Session):  # type: ignore[misc]
    """botocore's own HTTP session, with a context that is given."""

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        self._context = context
        super().__init__(**options)

    def _get_pool_manager_kwargs(self, **options: Any) -> Any:
        # Not by `_get_ssl_context`: botocore gives the anchors and the client certificate
        # that are meant for a proxy to what that returns.
        return super()._get_pool_manager_kwargs(**options, ssl_context=self._context)

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)
        # The context alone says which trust anchors count.
        conn.ca_certs = None


def hold(client: Any, context: ssl.SSLContext) -> None:
    """From now on this client sends every HTTPS request over connections of this context.

    Timeouts, proxies and pool size are those of the client's configuration. The context
    alone says which trust anchors count; `verify=False` of the client changes nothing any
    more. TLS to a proxy itself stays botocore's own, which no pins are about. Doing it again
    puts another context in force. Raises `ConfigError` for a client with a certificate of its
    own, or whose proxy is to speak TLS with the service in its place.
    """
    config = client.meta.config
    if (config.proxies_config or {}).get("proxy_use_forwarding_for_https"):
        raise ConfigError(
            "proxy_use_forwarding_for_https: then the proxy speaks TLS with the service, and its "
            "chain is not seen here",
            hint="leave it out, so that the proxy opens tunnels",
        )
    if config.client_cert is not None:
        raise ConfigError(
            "client_cert: would be shown to every server that the context is used for",
            hint="load it with load_cert_chain() into a context that only this client has",
        )
    http = _PinnedSession(
        context,
        proxies=config.proxies,
        timeout=(config.connect_timeout, config.read_timeout),
        max_pool_connections=config.max_pool_connections,
        proxies_config=config.proxies_config,
    )
    close = client.close

    def send(request: Any, **_: Any) -> Any:
        return http.send(request) if request.url.lower().startswith("https:") else None

    def close_both() -> None:
        http.close()
        close()

    events = client.meta.events
    events.unregister("before-send", unique_id=_OURS)
    events.register("before-send", send, unique_id=_OURS)
    client.close = close_both

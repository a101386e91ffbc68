"""botocore and boto3, held to pins, one client at a time.

botocore has no option for a context. What it has is the event `before-send`, whose
handler may send the request itself and return the answer.
"""

from __future__ import annotations

import ssl
from typing import Any

from botocore.httpsession import URLLib3Session

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
        # The context alone says which trust anchors count, and that it verifies.
        if url.lower().startswith("https:"):
            super()._setup_ssl_cert(conn, url, True)
            conn.ca_certs = None


def hold(client: Any, context: ssl.SSLContext) -> None:
    """From now on this client sends every HTTPS request over connections of this context.

    Timeouts, proxies, pool size and client certificate are those of the client's
    configuration. The context alone says which trust anchors count; `verify=False` of the
    client changes nothing any more. TLS to a proxy itself stays botocore's own, which no pins
    are about. Doing it again puts another context in force.
    """
    config = client.meta.config
    http = _PinnedSession(
        context,
        proxies=config.proxies,
        timeout=(config.connect_timeout, config.read_timeout),
        max_pool_connections=config.max_pool_connections,
        client_cert=config.client_cert,
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

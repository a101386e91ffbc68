"""Requests, held to pins: a session, and the transport adapter that it consists of.

An adapter is chosen by the beginning of the URL, so one that is mounted for
`https://api.example.com` is gone around by `https://user@api.example.com/`, by another
spelling of the host and by a redirect. The session has one adapter for all of HTTPS.
"""

from __future__ import annotations

import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from pinwarden.errors import ConfigError, quoted

__all__ = ["PinnedAdapter", "PinnedSession"]


class PinnedAdapter(HTTPAdapter):
    """A transport adapter whose connections all use one context, through proxies too.

    The context alone says which trust anchors count: certifi's are not added to it.
    `proxy_context` is for proxies that are spoken to over TLS; without it they are held to
    `context`. Other options are those of `requests.adapters.HTTPAdapter`.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        proxy_context: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self._context = context
        self._proxy_context = proxy_context or context
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Direct connections: with our context."""
        super().init_poolmanager(*args, **(options | {"ssl_context": self._context}))

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Connections through a proxy: with our context inside the tunnel."""
        options["ssl_context"] = self._context
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._proxy_context
        return super().proxy_manager_for(proxy, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves the trust anchors to the context, which others may share."""
        super().cert_verify(conn, url, verify, cert)
        conn.ca_certs = conn.ca_cert_dir = None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """As the adapter of Requests does.

        Raises `ConfigError` if `verify` is not True, or a client certificate is given.
        """
        if (request.url or "").lower().startswith("https:"):
            if verify is not True:
                raise _not_verified(verify)
            if cert is not None:
                raise ConfigError(
                    "cert=: would be shown to every server that the context is used for",
                    hint="load it with load_cert_chain() into a context for these servers alone",
                )
        return super().send(request, stream, timeout, verify, cert, proxies)


class PinnedSession(requests.Session):
    """A session that speaks HTTPS through `PinnedAdapter` and nothing else.

    `options` are those of the adapter, `max_retries` for example. REQUESTS_CA_BUNDLE and
    CURL_CA_BUNDLE are not read.
    """

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__()
        self.mount("https://", PinnedAdapter(context, **options))

    def get_adapter(self, url: str) -> Any:
        """The adapter for a URL; raises `ConfigError` for HTTPS that is not held to pins."""
        adapter = super().get_adapter(url)
        if url.lower().startswith("https:") and not isinstance(adapter, PinnedAdapter):
            raise ConfigError(
                f"{quoted(url)}: another adapter is mounted for it, which keeps no pins",
                hint="mount a PinnedAdapter there, or use a session of its own",
            )
        return adapter

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Proxies from the environment, and no trust anchors: the context alone has those."""
        settings: Any = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "verify": self.verify if verify is None else verify}


def _not_verified(verify: object) -> ConfigError:
    if not verify:
        return ConfigError(
            "verify=False: a connection that is not verified cannot be held to pins",
            hint="use another session for hosts that are not to be verified",
        )
    return ConfigError(
        f"verify={quoted(str(verify))}: the trust anchors are those of the context",
        hint="give it to the context, PinnedContext(pins, cafile=…); if you did not say it, it is "
        "from REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, which PinnedSession does not read",
    )

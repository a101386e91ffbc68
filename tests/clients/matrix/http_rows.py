"""Rows: HTTP clients without an event loop."""

from __future__ import annotations

import http.client
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
import requests
import urllib3

from clients.matrix.harness import Ask, Target, Wiring
from clients.matrix.http_row import HTTPRow
from pinwarden.clients.requests import PinnedSession

_PATIENCE = 20

NO_URL = "takes a host and a port, no URL"
NO_REDIRECTS = "does not follow redirects"
NO_TLS_TO_PROXIES = "does not speak TLS to a proxy"


def own_context(wiring: Wiring) -> ssl.SSLContext:
    """What a client is handed; if nothing, what its user would make."""
    context = wiring.context or ssl.create_default_context(cafile=wiring.cafile)
    if not wiring.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class HTTPClient(HTTPRow):
    name = "http.client"
    skips: ClassVar[Mapping[str, str]] = {
        "redirect": NO_REDIRECTS,
        "userinfo": NO_URL,
        "https-proxy": NO_TLS_TO_PROXIES,
    }

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        context, kept = own_context(wiring), dict[tuple[str, int], http.client.HTTPSConnection]()

        def connection(target: Target) -> http.client.HTTPSConnection:
            if wiring.proxy is None:
                return http.client.HTTPSConnection(
                    target.host, target.port, context=context, timeout=_PATIENCE
                )
            proxy = urlsplit(wiring.proxy)
            made = http.client.HTTPSConnection(
                str(proxy.hostname), proxy.port, context=context, timeout=_PATIENCE
            )
            made.set_tunnel(target.host, target.port)
            return made

        def ask(target: Target) -> bytes:
            key = (target.host, target.port)
            if key not in kept:
                kept[key] = connection(target)
            try:
                kept[key].request("GET", target.path)
                return kept[key].getresponse().read()
            except BaseException:
                kept.pop(key).close()
                raise

        try:
            yield ask
        finally:
            for each in kept.values():
                each.close()


class UrllibRequest(HTTPRow):
    name = "urllib.request"
    skips: ClassVar[Mapping[str, str]] = {
        "changed-set": "closes every connection after one answer; see changed-back",
        "userinfo": "takes user and password for a part of the host's name, and does not find it",
        "https-proxy": NO_TLS_TO_PROXIES,
    }

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        proxies = {} if wiring.proxy is None else {"https": wiring.proxy}
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=own_context(wiring)),
            urllib.request.ProxyHandler(proxies),
        )

        def ask(target: Target) -> bytes:
            with opener.open(target.url, timeout=_PATIENCE) as answer:
                body: bytes = answer.read()
                return body

        yield ask


class Urllib3(HTTPRow):
    name = "urllib3"

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        options = {
            "ssl_context": wiring.context,
            "ca_certs": None if wiring.context else wiring.cafile,
            "cert_reqs": None if wiring.verify else "CERT_NONE",
        }
        if wiring.proxy is None:
            pool = urllib3.PoolManager(**options)
        else:
            proxied = {"proxy_ssl_context": wiring.context} | options
            pool = urllib3.ProxyManager(wiring.proxy, **proxied)
        try:
            yield lambda target: pool.request("GET", target.url, timeout=_PATIENCE).data
        finally:
            # `clear()` leaves this to the collector.
            for key in pool.pools.keys():  # noqa: SIM118 - it is no mapping
                pool.pools[key].close()
            pool.clear()


class Requests(HTTPRow):
    name = "requests"

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        if wiring.context is None:
            session = requests.Session()
            session.verify = wiring.cafile if wiring.verify else False
        else:
            session = PinnedSession(wiring.context)
            session.verify = wiring.verify
        session.trust_env = False
        if wiring.proxy is not None:
            session.proxies = {"https": wiring.proxy}
        with session:
            yield lambda target: session.get(target.url, timeout=_PATIENCE).content


class Httpx(HTTPRow):
    name = "httpx"
    http2 = False
    skips: ClassVar[Mapping[str, str]] = {
        "verify-false": "verify= is where the context goes; see installed-verify-false",
    }

    @contextmanager
    def session(self, wiring: Wiring) -> Iterator[Ask]:
        context = wiring.context or httpx_context(wiring)
        client = httpx.Client(
            verify=context,
            proxy=httpx_proxy(wiring),
            http2=self.http2,
            follow_redirects=True,
            timeout=_PATIENCE,
            trust_env=False,
        )
        with closing(client):
            yield lambda target: client.get(target.url).content


class Httpx2(Httpx):
    name = "httpx, HTTP/2"
    http2 = True
    alpn = ("h2", "http/1.1")


def httpx_context(wiring: Wiring) -> ssl.SSLContext | bool:
    """What goes to `verify=` of a client that is not handed a pinned context."""
    return wiring.verify and ssl.create_default_context(cafile=wiring.cafile)


def httpx_proxy(wiring: Wiring) -> httpx.Proxy | None:
    """The proxy; it takes a context only if it is spoken to over TLS."""
    if wiring.proxy is None:
        return None
    context = wiring.context if wiring.proxy.startswith("https:") else None
    return httpx.Proxy(wiring.proxy, ssl_context=context)


HTTP_ROWS = (HTTPClient(), UrllibRequest(), Urllib3(), Requests(), Httpx(), Httpx2())

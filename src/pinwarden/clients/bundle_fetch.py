"""Getting a bundle over HTTPS: bounded in size and in time, over a connection of its own.

The connection keeps no pins and shares no pool with those that do: it must come about
exactly when they are wrong. It needs none, since a bundle is believed for its signatures.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pinwarden import __version__
from pinwarden.errors import ConfigError, OutsideError, PinwardenError, quoted
from pinwarden.pinning.bundle import LARGEST_FILE

__all__ = ["URLFetch", "verify_bundle_url", "within"]

_T = TypeVar("_T")
_LOOPBACK = re.compile(
    r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(?:/|$)", re.IGNORECASE
)
_HTTPS = re.compile(r"https://[A-Za-z0-9._\[\]:-]+(?:/|$)", re.IGNORECASE)
_LONGEST_URL = 2000
_MOST_REDIRECTS = 5
_CHUNK = 65536


def verify_bundle_url(url: str) -> None:
    """Raises `ConfigError` unless it is https without a user name, or http on this machine."""
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if not plain or not (_HTTPS.match(url) or _LOOPBACK.match(url)):
        raise ConfigError(
            f"bundle address {quoted(url)}: is not https",
            hint="signatures make a bundle true; TLS keeps others from withholding it",
        )


class URLFetch:
    """Gets one address; `cafile` names trust anchors other than the system's."""

    def __init__(self, url: str, *, cafile: str | None = None, seconds: float) -> None:
        verify_bundle_url(url)
        self.url = url
        self._cafile = cafile
        self._seconds = seconds
        self._connections: list[Any] = []

    def __call__(self) -> bytes:
        """The body; raises `OutsideError`."""
        self._connections.clear()
        try:
            return within(self._seconds, self._get, f"bundle {quoted(self.url)}")
        except OutsideError:
            self._cut()
            raise

    def _cut(self) -> None:
        """End what a server keeps alive by a byte now and then."""
        for connection in tuple(self._connections):
            sock = connection.sock
            if sock is not None:
                with contextlib.suppress(OSError):
                    # Not the TLS socket's own method: the other thread still reads from it.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _get(self) -> bytes:
        import http.client
        import urllib.error
        import urllib.request

        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            self.url,
            headers={"User-Agent": f"pinwarden/{__version__}", "Accept-Encoding": "identity"},
        )
        who = f"bundle {quoted(self.url)}"
        try:
            with self._opener().open(request, timeout=self._seconds) as response:
                encoding = response.headers.get("Content-Encoding", "identity")
                if encoding.lower() != "identity":
                    raise self._error(f"came compressed ({quoted(encoding, 40)}), unasked")
                return _read(response, who, self.url)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._error(f"the server answers {error.code}") from None
        except urllib.error.URLError as error:
            raise self._error(f"cannot be fetched: {quoted(str(error.reason))}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(f"cannot be fetched: {quoted(str(error))}") from None

    def _error(self, why: str) -> OutsideError:
        return OutsideError(f"bundle {quoted(self.url)}: {why}", target=self.url)

    def _opener(self) -> Any:
        import http.client
        import ssl
        import urllib.request

        context = ssl.create_default_context(cafile=self._cafile)
        # Pins that were installed for the whole process are not for this connection.
        context.sslsocket_class = ssl.SSLSocket
        kept, url, who = self._connections, self.url, f"bundle {quoted(self.url)}"

        class HTTP(urllib.request.HTTPHandler):
            def http_open(self, req: Any) -> Any:
                return self.do_open(_keeping(http.client.HTTPConnection, kept), req)

        class HTTPS(urllib.request.HTTPSHandler):
            def https_open(self, req: Any) -> Any:
                made = _keeping(http.client.HTTPSConnection, kept)
                return self.do_open(made, req, context=context)

        class Redirects(urllib.request.HTTPRedirectHandler):
            max_redirections = _MOST_REDIRECTS

            def redirect_request(self, *args: Any) -> Any:
                # Nobody outside may have us ask what listens on this machine.
                if not _HTTPS.match(args[-1]) and not _LOOPBACK.match(url):
                    raise OutsideError(f"{who}: redirects away from https", target=url)
                verify_bundle_url(args[-1])
                return super().redirect_request(*args)

        opener = urllib.request.OpenerDirector()
        for handler in (
            *(urllib.request.ProxyHandler(), HTTP(), HTTPS(context=context), Redirects()),
            *(urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor()),
        ):
            opener.add_handler(handler)
        return opener


def _keeping(kind: Any, kept: list[Any]) -> Any:
    def make(*args: Any, **kwargs: Any) -> Any:
        connection = kind(*args, **kwargs)
        kept.append(connection)
        return connection

    return make


def _read(response: Any, who: str, target: str) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST_FILE:
            raise OutsideError(f"{who}: is larger than {LARGEST_FILE >> 20} MiB", target=target)
    if response.length:
        raise OutsideError(f"{who}: was cut off", target=target)
    return bytes(body)


def within(seconds: float, work: Callable[[], _T], who: str) -> _T:
    """What `work` returns or raises, if it does so in time; else raises `OutsideError`.

    It runs in a thread, which is left to itself when the time is over.
    """
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="pinwarden-bundle-fetch", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if not errors:
        raise OutsideError(f"{who}: took longer than {seconds:g} seconds", target=who)
    if isinstance(errors[0], PinwardenError):
        raise errors[0]
    raise OutsideError(
        f"{who}: cannot be fetched: {type(errors[0]).__name__}: {quoted(str(errors[0]))}",
        target=who,
    ) from errors[0]

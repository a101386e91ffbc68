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
from pinwarden.clients.context import PinnedContext
from pinwarden.errors import ConfigError, OutsideError, PinwardenError, quoted
from pinwarden.pinning.bundle import LARGEST_FILE
from pinwarden.pinning.pinset import PinSet

__all__ = ["URLFetch", "verify_bundle_url", "within"]

_T = TypeVar("_T")
_LOOPBACK = re.compile(
    r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(?:/|$)", re.IGNORECASE
)
_HTTPS = re.compile(r"https://[A-Za-z0-9._\[\]:-]+(?:/|$)", re.IGNORECASE)
_LONGEST_URL = 2000
_USER = re.compile(r"//[^/]*@")
# Where in its source Python's ssl module met an error.
_PLACE = re.compile(r" \(_ssl\.c:\d+\)$")
_MOST_REDIRECTS = 5
_CHUNK = 65536
_THREAD, _MOST_THREADS = "pinwarden-bundle-fetch", 16


def verify_bundle_url(url: str) -> None:
    """Raises `ConfigError` unless it is https without a user name, or http on this machine."""
    if _asked(url) is None:
        # A password in it must not get into a log.
        shown = f"bundle address {quoted(_USER.sub('//…@', url[:_LONGEST_URL]), 200)}"
        if _USER.search(url):
            raise ConfigError(f"{shown}: names a user", hint="a bundle is fetched without one")
        raise ConfigError(
            f"{shown}: is not https",
            hint="signatures make a bundle true; TLS keeps others from withholding it",
        )


def _asked(url: str) -> re.Pattern[str] | None:
    """As which of the two an address may be asked, if at all."""
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST_URL:
        return None
    return next((each for each in (_HTTPS, _LOOPBACK) if each.match(url)), None)


class URLFetch:
    """Gets one address; `cafile` names trust anchors other than the system's."""

    def __init__(self, url: str, *, cafile: str | None = None, seconds: float) -> None:
        verify_bundle_url(url)
        self.url = url
        self._cafile = cafile
        self._seconds = seconds

    def __call__(self) -> bytes:
        """The body; raises `OutsideError`."""
        connections = _Connections()
        try:
            return within(
                self._seconds, lambda: self._get(connections), f"bundle {quoted(self.url)}"
            )
        finally:
            connections.cut()

    def _get(self, connections: _Connections) -> bytes:
        import http.client
        import urllib.error
        import urllib.request

        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            self.url,
            headers={"User-Agent": f"pinwarden/{__version__}", "Accept-Encoding": "identity"},
        )
        who = f"bundle {quoted(self.url)}"
        try:
            with self._opener(connections).open(request, timeout=self._seconds) as response:
                encoding = response.headers.get("Content-Encoding", "identity")
                if encoding.lower() != "identity":
                    raise self._error(f"came compressed ({quoted(encoding, 40)}), unasked")
                return _read(response, who, self.url)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._error(f"the server answers {error.code}") from None
        except urllib.error.URLError as error:
            raise self._error(f"cannot be fetched: {_words(error.reason)}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(f"cannot be fetched: {_words(error)}") from None

    def _error(self, why: str) -> OutsideError:
        return OutsideError(f"bundle {quoted(self.url)}: {why}", target=self.url)

    def _opener(self, connections: _Connections) -> Any:
        import http.client
        import urllib.request

        # A context of ours without a policy: pins for the whole process do not reach it.
        context = PinnedContext(PinSet(), cafile=self._cafile)
        url, who = self.url, f"bundle {quoted(self.url)}"

        class HTTP(urllib.request.HTTPHandler):
            def http_open(self, req: Any) -> Any:
                return self.do_open(connections.kind(http.client.HTTPConnection), req)

        class HTTPS(urllib.request.HTTPSHandler):
            def https_open(self, req: Any) -> Any:
                made = connections.kind(http.client.HTTPSConnection)
                return self.do_open(made, req, context=context)

        class Redirects(urllib.request.HTTPRedirectHandler):
            max_redirections = _MOST_REDIRECTS

            def redirect_request(self, *args: Any) -> Any:
                # Nobody outside may have us ask what listens on this machine.
                if not _asked(args[-1]) or (_asked(url) is _HTTPS) > (_asked(args[-1]) is _HTTPS):
                    args[1].close()
                    raise OutsideError(f"{who}: redirects away from https", target=url)
                return super().redirect_request(*args)

        opener = urllib.request.OpenerDirector()
        for handler in (
            *(urllib.request.ProxyHandler(), HTTP(), HTTPS(context=context), Redirects()),
            *(urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor()),
        ):
            opener.add_handler(handler)
        return opener


def _words(error: object) -> str:
    words = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return quoted(_PLACE.sub("", str(words)), 200)[1:-1]


class _Connections:
    """Those of one fetch, which end with it: a server must not keep its thread by dripping.

    Held by a second handle, since TLS takes the first one over while it shakes hands.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._over = False

    def cut(self) -> None:
        """End all of them, and each that is still to come."""
        with self._lock:
            self._over = True
            while self._held:
                with contextlib.suppress(OSError), self._held.pop() as sock:
                    sock.shutdown(socket.SHUT_RDWR)

    def connect(self, *arguments: Any, **options: Any) -> socket.socket:
        """As `socket.create_connection`; raises TimeoutError when it is too late."""
        sock = socket.create_connection(*arguments, **options)
        try:
            with self._lock:
                if self._over:
                    raise TimeoutError("connected too late")
                self._held.append(sock.dup())
        except OSError:
            sock.close()
            raise
        return sock

    def kind(self, kind: Any) -> Any:
        """A class of `http.client` whose connections are held here."""
        connect = self.connect

        class Cuttable(kind):  # type: ignore[misc]
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self._create_connection = connect

        return Cuttable


def _read(response: Any, who: str, target: str) -> bytes:
    body = bytearray()
    while chunk := response.read(_CHUNK):
        body += chunk
        if len(body) > LARGEST_FILE:
            raise OutsideError(f"{who}: is larger than {LARGEST_FILE >> 20} MiB", target=target)
    if response.length:
        raise OutsideError(f"{who}: was cut off", target=target)
    return bytes(body)


def within(seconds: float, work: Callable[[], _T], who: str) -> _T:
    """What `work` returns or raises, if it does so in time; else raises `OutsideError`.

    It runs in a thread, which is left to itself when the time is over; of such threads
    there are only so many, since something that hangs once may hang each time.
    """
    if sum(each.name == _THREAD for each in threading.enumerate()) >= _MOST_THREADS:
        raise OutsideError(f"{who}: {_MOST_THREADS} earlier fetches have not ended", target=who)
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=_THREAD, daemon=True)
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

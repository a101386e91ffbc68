"""The one HTTP client: bounded, polite, over TLS, and never following a redirect.

Every answer is read under a time limit and a size limit, because the server
may be hostile: it can at most delay us. A request that fails for a passing
reason is repeated with full jitter, and Retry-After is honoured. Who we are
and whom to write to is in every request that leaves this machine.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from pinwarden import __version__
from pinwarden.ct.logurl import is_loopback_url
from pinwarden.errors import ConfigError, MalformedError, OutsideError, quoted
from pinwarden.net.address import verify_contact, verify_url
from pinwarden.net.body import TooLargeError, TruncatedError, decode_body, read_bounded
from pinwarden.net.politeness import HostGate, HostStats, Limits, PausedError, parse_retry_after

__all__ = [
    "BodyTooLargeError",
    "HTTPClient",
    "HostStats",
    "Limits",
    "Response",
    "verify_contact",
]

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_OVERLOADED = frozenset({429, 502, 503, 504})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_READ_BUFFER = 256 * 1024
_EXCERPT = 200
_MOST_EVIDENCE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """An answer the caller asked for: the body is whole, bounded and decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BodyTooLargeError(OutsideError):
    """The answer is larger than the caller allowed: ask for less, if that is possible."""


@dataclass(slots=True)
class _Host:
    gate: HostGate
    accept_encoding: str
    requests: int = 0
    failures: int = 0
    bytes_received: int = 0
    last_failure: str | None = None


@dataclass(frozen=True, slots=True)
class _Ask:
    url: str
    headers: dict[str, str]
    max_bytes: int
    accept: Collection[int]


class _Again(Exception):  # noqa: N818 - not an error yet: the reason to ask once more
    def __init__(
        self, reason: str, *, retry_after: float | None = None, overloaded: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.overloaded = overloaded


class HTTPClient:
    """GET over a pool of kept-alive connections; an async context manager.

    `contact` may be absent only while nothing but loopback is asked.
    """

    def __init__(
        self,
        contact: str | None = None,
        *,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        jitter: Callable[[float], float] = lambda most: random.uniform(0, most),  # noqa: S311
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if contact is not None:
            verify_contact(contact)
        self.contact = contact
        self.limits = limits or Limits()
        self._ssl_context = ssl_context
        self._jitter = jitter
        self._now = now
        self._hosts: dict[str, _Host] = {}
        self._session: aiohttp.ClientSession | None = None

    @property
    def user_agent(self) -> str:
        """How we introduce ourselves."""
        contact = f" (+{self.contact})" if self.contact else ""
        return f"pinwarden/{__version__}{contact}"

    async def __aenter__(self) -> Self:
        limits = self.limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, ssl=True if self._ssl_context is None else self._ssl_context
            ),
            headers={"User-Agent": self.user_agent},
            timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=_READ_BUFFER,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def stats(self) -> dict[str, HostStats]:
        """What happened so far, by scheme and authority of the host."""
        return {
            origin: HostStats(
                requests=host.requests,
                failures=host.failures,
                bytes_received=host.bytes_received,
                in_flight=host.gate.in_flight,
                concurrency=host.gate.concurrency,
                paused_for=host.gate.paused_for,
                last_failure=host.last_failure,
            )
            for origin, host in self._hosts.items()
        }

    async def get(
        self,
        url: str,
        *,
        max_bytes: int,
        accept_encoding: str | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Response:
        """Fetch `url`; only a 200, or a status in `accept`, is returned.

        A 304 is also returned when `headers` ask for it with a condition. The
        default of `accept_encoding` is gzip for the network and identity
        within this machine; whatever the server chose is decoded.

        Raises OutsideError for any other answer, and when nothing usable came
        after the allowed attempts; ConfigError for a URL that may not be
        asked, or when the contact is missing.
        """
        host = self._host(url)
        sent = {"Accept-Encoding": accept_encoding or host.accept_encoding}
        if headers:
            sent.update(headers)
            if not _CONDITIONS.isdisjoint(name.lower() for name in headers):
                accept = {*accept, 304}
        ask = _Ask(url, sent, max_bytes, accept)
        entered = await self._enter(host, url, self.limits.patience)
        deadline = entered + self.limits.patience
        attempt = 1
        while True:
            try:
                return await self._attempt(host, ask, entered)
            except _Again as again:
                await self._back_off(url, again, attempt, deadline)
            # A balancer chooses the front end by connection: while one refuses
            # us, connections to it are not kept.
            sent["Connection"] = "close"
            entered = await self._enter(host, url, deadline - time.monotonic())
            attempt += 1

    async def _enter(self, host: _Host, url: str, patience: float) -> float:
        try:
            return await host.gate.enter(patience)
        except PausedError as pause:
            raise OutsideError(
                f"{quoted(url)}: asked not to be asked for {pause.seconds:.0f} s",
                target=url,
                retry_after=pause.seconds,
            ) from None

    async def _attempt(self, host: _Host, ask: _Ask, entered: float) -> Response:
        """One request in the slot that was entered, its failure counted and classified."""
        gate = host.gate
        host.requests += 1
        try:
            response = await self._request(host, ask)
        except _Again as again:
            host.failures += 1
            host.last_failure = again.reason
            if again.overloaded:
                gate.overloaded(entered)
            if again.retry_after is not None:
                gate.pause(again.retry_after)
            raise
        except OutsideError as error:
            host.failures += 1
            host.last_failure = str(error)
            raise
        else:
            gate.succeeded()
            return response
        finally:
            gate.leave()

    async def _request(self, host: _Host, ask: _Ask) -> Response:
        """The one place where foreign exceptions become ours."""
        assert self._session is not None, "used outside `async with`"
        limit = self.limits.timeout
        named = quoted(ask.url)
        try:
            async with (
                asyncio.timeout(limit),
                self._session.get(
                    URL(ask.url, encoded=True), headers=ask.headers, allow_redirects=False
                ) as answer,
            ):
                return await self._read(host, ask, answer)
        except TimeoutError:
            raise _Again(f"no whole answer within {limit:g} s", overloaded=True) from None
        except TooLargeError:
            raise BodyTooLargeError(
                f"{named}: body is larger than {ask.max_bytes} bytes", target=ask.url
            ) from None
        except (TruncatedError, aiohttp.ClientPayloadError):
            raise _Again("body ends too early") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise OutsideError(
                f"{named}: TLS certificate does not verify: {_reason(error)}", target=ask.url
            ) from None
        except aiohttp.InvalidURL:
            raise ConfigError(f"URL {named} cannot be asked") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _Again(_reason(error)) from None

    async def _read(self, host: _Host, ask: _Ask, answer: aiohttp.ClientResponse) -> Response:
        # Leaving without having read to the end closes the connection.
        status = answer.status
        if status != 200 and status not in ask.accept:
            text = await _excerpt(answer) if 400 <= status < 500 else ""
            raise self._refusal(ask.url, answer, text)
        if answer.content_length is not None and answer.content_length > ask.max_bytes:
            raise TooLargeError
        wire = await read_bounded(answer.content, ask.max_bytes)
        host.bytes_received += len(wire)
        encoding = answer.headers.get("Content-Encoding")
        try:
            body = decode_body(wire, encoding, ask.max_bytes) if wire else b""
        except MalformedError as error:
            broken = OutsideError(f"{quoted(ask.url)}: {error}", target=ask.url)
            # It did answer, and not in its protocol: that is another finding than silence.
            broken.evidence = wire[:_MOST_EVIDENCE]
            raise broken from None
        return Response(status, answer.headers, body)

    def _refusal(self, url: str, answer: aiohttp.ClientResponse, text: str) -> Exception:
        """What an answer that is not wanted means: ask again, or give up."""
        status = answer.status
        shown = f"answered {status} {_phrase(status)}".rstrip() + text
        if status in _AGAIN:
            return _Again(
                shown, retry_after=self._retry_after(answer), overloaded=status in _OVERLOADED
            )
        location = answer.headers.get("Location")
        if 300 <= status < 400 and location is not None:
            return OutsideError(
                f"{quoted(url)}: {shown} to {quoted(location)}, which is not followed",
                target=url,
                permanent=True,
                hint="if the redirect is right, give the address it leads to instead",
            )
        return OutsideError(f"{quoted(url)}: {shown}", target=url, permanent=status == 410)

    def _retry_after(self, answer: aiohttp.ClientResponse) -> float | None:
        value = answer.headers.get("Retry-After")
        seconds = parse_retry_after(value, self._now()) if value else None
        return None if seconds is None else min(seconds, self.limits.retry_after_most)

    async def _back_off(self, url: str, again: _Again, attempt: int, deadline: float) -> None:
        """Wait before the next attempt, or raise OutsideError when enough was tried."""
        limits = self.limits
        ceiling = min(limits.backoff_most, limits.backoff_first * 2.0 ** min(attempt - 1, 30))
        # Full jitter, also after a pause the host asked for: not everybody at its end at once.
        wait = (again.retry_after or 0.0) + self._jitter(ceiling)
        if attempt >= limits.attempts or time.monotonic() + wait > deadline:
            tries = "1 attempt" if attempt == 1 else f"{attempt} attempts"
            raise OutsideError(
                f"{quoted(url)}: {again.reason}; {tries}",
                target=url,
                retry_after=again.retry_after,
            )
        await asyncio.sleep(wait)

    def _host(self, url: str) -> _Host:
        scheme, _, rest = url.partition("://")
        authority = rest.partition("/")[0]
        known = self._hosts.get(f"{scheme}://{authority}")
        if known is not None and url.isascii() and url.isprintable() and " " not in url:
            return known
        origin = verify_url(url, self.contact)
        # Inflating costs more than a copy within the machine.
        encoding = "identity" if is_loopback_url(url) else "gzip"
        host = _Host(HostGate(self.limits, time.monotonic), encoding)
        return self._hosts.setdefault(origin, host)


def _reason(error: BaseException) -> str:
    """A foreign exception as one bounded printable line, without quotes."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        # The library's own words repeat the address, in the form of a Python tuple.
        error = error.os_error
        words = os.strerror(error.errno) if error.errno else str(error.strerror)
        return f"cannot be connected to: {quoted(words.lower())[1:-1]}"
    text = " ".join(str(error).split()) or type(error).__name__
    return quoted(text)[1:-1]


async def _excerpt(answer: aiohttp.ClientResponse) -> str:
    """The beginning of an error body: often it says what the operator wants of us."""
    if answer.headers.get("Content-Encoding"):
        return ""
    text = " ".join((await answer.content.read(_EXCERPT)).decode("utf-8", "replace").split())
    return f": {quoted(text)}" if text else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

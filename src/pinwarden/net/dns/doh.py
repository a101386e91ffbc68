"""Questions over HTTPS (RFC 8484), each a POST."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
from yarl import URL

from pinwarden import __version__
from pinwarden.caa.lookup import Failure
from pinwarden.caa.message import LONGEST_MESSAGE, Response, read_response
from pinwarden.errors import MalformedError, quoted
from pinwarden.net.body import TooLargeError, TruncatedError, read_bounded
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.server import Transport

_CONTENT_TYPE = "application/dns-message"
# HTTP/1.1 answers one question after the other on each connection.
_CONNECTIONS = 16


class HTTPSExchange:
    """Asks one URL over a few kept-alive connections; `timeout` is in seconds."""

    transport = Transport.HTTPS

    def __init__(self, url: str, *, timeout: float, parallel: int, tls: ssl.SSLContext) -> None:
        self._url = URL(url, encoded=True)
        self._shown = url
        self._timeout = timeout
        self._slots = asyncio.Semaphore(parallel)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=min(parallel, _CONNECTIONS), ssl=tls),
            headers={
                "User-Agent": f"pinwarden/{__version__}",
                "Accept": _CONTENT_TYPE,
                "Accept-Encoding": "identity",
                "Content-Type": _CONTENT_TYPE,
            },
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def ask(self, query: bytes) -> Response:
        """See `Exchange.ask`; the id is 0, as RFC 8484 section 4.1 wants it."""
        async with self._slots:
            try:
                return await asyncio.wait_for(self._ask(b"\0\0" + query[2:]), self._timeout)
            except TimeoutError:
                problem = f"sent no answer within {self._timeout:g} s"
                raise self._failed(Failure.TIMEOUT, problem) from None

    async def close(self) -> None:
        """See `Exchange.close`."""
        await self._session.close()

    async def _ask(self, query: bytes) -> Response:
        try:
            async with self._session.post(self._url, data=query, allow_redirects=False) as answer:
                if answer.status != 200:
                    problem = f"answered with HTTP status {answer.status}"
                    raise self._failed(Failure.UNREACHABLE, problem)
                if answer.content_type != _CONTENT_TYPE:
                    problem = f"answered with {quoted(answer.content_type)} and no DNS message"
                    raise self._failed(Failure.MALFORMED, problem)
                wire = await read_bounded(answer.content, LONGEST_MESSAGE)
            return read_response(wire, query)
        except MalformedError as error:
            raise self._failed(Failure.MALFORMED, str(error)) from None
        except TooLargeError:
            problem = f"answer is larger than {LONGEST_MESSAGE} octets"
            raise self._failed(Failure.MALFORMED, problem) from None
        except (TruncatedError, aiohttp.ClientPayloadError):
            raise self._failed(Failure.MALFORMED, "answer ends too early") from None
        except aiohttp.ClientConnectorCertificateError as error:
            problem = f"TLS certificate does not verify: {_plain(error)}"
            raise self._failed(Failure.UNREACHABLE, problem) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._failed(Failure.UNREACHABLE, f"cannot be asked: {_plain(error)}") from None

    def _failed(self, failure: Failure, problem: str) -> AskError:
        return AskError(failure, problem, target=self._shown)


def _plain(error: Exception) -> str:
    """A foreign exception as a part of one line."""
    return quoted(" ".join(str(error).split()) or type(error).__name__)[1:-1]

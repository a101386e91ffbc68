"""The head of an answer over plain HTTP, which tells what a host says to whoever asks without TLS.

Nothing that comes this way is believed; it is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.response import HEAD_NOT_KNOWN, HeadFinder, encode_request, status_of

__all__ = ["PlainAnswer", "fetch_plain_heads"]

_RECORD = 65536
_MOST_ADDRESSES = 32


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """The head that one address answered with, or in `problem` why there is none."""

    address: str
    response: bytes = b""
    problem: str = ""


async def fetch_plain_heads(
    endpoint: Endpoint,
    path: str,
    *,
    addresses: Sequence[tuple[str, int]] = (),
    seconds: float,
    family: int = socket.AF_UNSPEC,
    admit: Callable[[str], str | None] | None = None,
) -> tuple[PlainAnswer, ...]:
    """What a host answers at each of its addresses, or at these, to HEAD for a path.

    `admit` says why an address must not be asked, or None. `seconds` is how long to wait for
    each address. Raises nothing for what a host does.
    """
    found = tuple(addresses)
    if not found:
        loop = asyncio.get_running_loop()
        looking = loop.getaddrinfo(
            endpoint.host, endpoint.port, family=family, type=socket.SOCK_STREAM
        )
        try:
            resolved = await asyncio.wait_for(looking, seconds)
        except TimeoutError:
            return (PlainAnswer("", problem="its addresses were not found in time"),)
        except (OSError, UnicodeError) as error:
            return (PlainAnswer("", problem=f"has no address: {_words(error)}"),)
        found = tuple(dict.fromkeys((str(each[4][0]), endpoint.port) for each in resolved))
    answers = await asyncio.gather(
        *(
            _fetch(endpoint, path, address, port, seconds, admit)
            for address, port in found[:_MOST_ADDRESSES]
        )
    )
    left_out = len(found) - _MOST_ADDRESSES
    if left_out > 0:
        answers.append(PlainAnswer("", problem=f"{left_out} more addresses were not asked"))
    return tuple(answers)


async def _fetch(
    endpoint: Endpoint,
    path: str,
    address: str,
    port: int,
    seconds: float,
    admit: Callable[[str], str | None] | None,
) -> PlainAnswer:
    refused = admit(address) if admit is not None else None
    if refused is not None:
        return PlainAnswer(address, problem=f"is not asked: {refused}")
    try:
        head = await asyncio.wait_for(_ask(endpoint, path, address, port, "HEAD"), seconds)
        if status_of(head) in HEAD_NOT_KNOWN:
            head = await asyncio.wait_for(_ask(endpoint, path, address, port, "GET"), seconds)
    except TimeoutError:
        return PlainAnswer(address, problem=f"did not answer within {seconds:g} s")
    except (OSError, MalformedError) as error:
        return PlainAnswer(address, problem=_words(error))
    return PlainAnswer(address, response=head)


async def _ask(endpoint: Endpoint, path: str, address: str, port: int, method: str) -> bytes:
    """The head; raises OSError and `MalformedError`."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(encode_request(endpoint, method, path))
        await writer.drain()
        answer = HeadFinder()
        while data := await reader.read(_RECORD):
            head = answer.feed(data)
            if head is not None:
                return head
        raise ConnectionError("closed the connection before its answer was whole")
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _words(error: Exception) -> str:
    if isinstance(error, MalformedError):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        # A resolver's error has numbers of its own.
        words = error.strerror if error.errno < 0 else os.strerror(error.errno)
        return f"cannot be connected to: {str(words).lower()}"
    return quoted(" ".join(str(error).split()))[1:-1] or type(error).__name__

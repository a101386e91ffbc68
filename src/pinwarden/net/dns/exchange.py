"""One question and its answer, whatever carries them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from typing import Protocol

from pinwarden.caa.lookup import Failure
from pinwarden.caa.message import Response
from pinwarden.errors import OutsideError
from pinwarden.net.dns.server import Transport

_IDS_AT_ONCE = 512


class AskError(OutsideError):
    """A question got no answer that can be read; `failure` says in which way.

    `suspicious`: something came that was no answer to it, so that a transport which
    nobody can write into from aside should be tried.
    """

    def __init__(
        self, failure: Failure, problem: str, *, target: str, suspicious: bool = False
    ) -> None:
        super().__init__(problem, target=target)
        self.failure = failure
        self.suspicious = suspicious


class Exchange(Protocol):
    """Carries questions to one server."""

    @property
    def transport(self) -> Transport:
        """How."""
        ...

    def ask(self, query: bytes) -> Awaitable[Response]:
        """The answer to one message, whose id is chosen anew.

        Raises AskError when none comes, or none that can be read.
        """
        ...

    async def close(self) -> None:
        """Close every socket; questions under way end in AskError."""
        ...


class RandomIds:
    """Ids that nobody can guess (RFC 5452 section 4.3), drawn many at a time."""

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0

    def draw(self) -> bytes:
        """Two octets."""
        at = self._at
        if at >= len(self._drawn):
            self._drawn, at = secrets.token_bytes(2 * _IDS_AT_ONCE), 0
        self._at = at + 2
        return self._drawn[at : at + 2]

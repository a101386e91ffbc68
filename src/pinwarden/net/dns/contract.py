"""Whoever answers CAA questions."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from pinwarden.caa.lookup import Lookup


class CAAResolver(Protocol):
    """Answers CAA questions; each name once, from then on from memory.

    A question that fails is a `Lookup` that says so: nothing is raised for what DNS
    does. An asynchronous context manager: leaving it closes every socket.
    """

    @property
    def description(self) -> str:
        """Whom it asks and how, such as `127.0.0.1:53 (udp)`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def look_up(self, name: str) -> Lookup:
        """The CAA records at `name` (lower case, A-labels, no final dot), through its aliases."""
        ...

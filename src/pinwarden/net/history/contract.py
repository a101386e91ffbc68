"""What a source of history promises, and what every one of them needs.

A source tells all it knows, or says that it did not: an answer that is cut, a row that
cannot be read or a page that does not come is an error, raised after whatever could be
told. Silence of a source is never "nothing was issued".
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from pinwarden.errors import MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.names import ip_reading, name_touches, normalise_name

__all__ = ["HistorySource", "concerns", "is_wanted", "searched_name"]


class HistorySource(Protocol):
    """Whoever tells of past issuances; an asynchronous context manager.

    `description` names it for people. `notes` holds what is to be known of the answers so
    far, which is no failure: one line each, foreign text escaped.
    """

    description: str
    notes: list[str]

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def search(
        self, name: str, *, below: bool, since: datetime | None, expired: bool, at: datetime
    ) -> AsyncIterator[PastIssuance]:
        """Every issuance known that concerns a name, in any order, perhaps more than once.

        `name` is from `searched_name`. With `below` also what concerns names below it.
        Left out is what ended before `since`, and before `at` unless `expired`.

        Raises `OutsideError`, `StoreError` or `MalformedError`, perhaps after some were
        told, where not everything could be.
        """
        ...


def searched_name(text: str) -> str:
    """A name, or an IP address, that history can be searched for, as sources compare it.

    Raises `MalformedError`. A dot or a wildcard in front is no part of a name.
    """
    address = ip_reading(text)
    if address is not None:
        return str(address)
    try:
        return normalise_name(text)
    except MalformedError as error:
        hint = "give the name alone, and --below for everything below it"
        odd = text.strip().startswith((".", "*"))
        raise MalformedError(str(error), hint=hint if odd else error.hint) from error


def concerns(names: Iterable[str], name: str, *, below: bool) -> bool:
    """Whether any of the names in a certificate concerns the one searched for."""
    if is_address(name):
        return name in names
    return any(name_touches(each, name, below) for each in names)


def is_wanted(
    issuance: PastIssuance, *, since: datetime | None, expired: bool, at: datetime
) -> bool:
    """Whether its validity touches the time that is asked for."""
    if since is not None and issuance.not_after < since:
        return False
    return expired or issuance.not_after >= at


def is_address(name: str) -> bool:
    """Whether what is searched for is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

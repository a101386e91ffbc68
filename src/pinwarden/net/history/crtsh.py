"""crt.sh: names and dates of everything ever logged, when it answers.

It is run as a kindness to everybody, and often overloaded: it answers with an error, with a
page that says so under status 200, with an empty list, or with the first 10,000 rows and no
word of the others. Each of these is told, and none is taken for "nothing was issued".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from pinwarden.errors import MalformedError, OutsideError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.contract import concerns, is_address, is_wanted
from pinwarden.net.history.crtsh_rows import parse_rows
from pinwarden.net.http import BodyTooLargeError, HTTPClient

__all__ = ["CrtShSource"]

_LARGEST_ANSWER = 64 << 20
MOST_ROWS = 10_000
_ATTEMPTS = 3
_WAIT = 5.0


class CrtShSource:
    """The search of crt.sh, or of a copy of it, by HTTP."""

    def __init__(self, http: HTTPClient, base: str, *, wait: float = _WAIT) -> None:
        """`base` ends in a slash; `wait` is the pause, in seconds, after an unusable answer."""
        self.description = "crt.sh"
        self.notes: list[str] = []
        self._http = http
        self._base = base
        self._wait = wait

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    async def search(
        self, name: str, *, below: bool, since: datetime | None, expired: bool, at: datetime
    ) -> AsyncIterator[PastIssuance]:
        """Every row that concerns a name; see `HistorySource`."""
        faults: list[str] = []
        rows = 0
        for query in _queries(name, below=below):
            found, problems = await self._rows(query, expired=expired)
            rows += len(found) + len(problems)
            faults += _faults(query, len(found) + len(problems), problems)
            for each in found:
                if concerns(each.names, name, below=below) and is_wanted(
                    each, since=since, expired=expired, at=at
                ):
                    yield each
        if not rows:
            self.notes.append(
                f"crt.sh: answered for {quoted(name)} with an empty list, as it also does"
                " when it fails"
            )
        if faults:
            more = f", and {len(faults) - 1} more like it" if len(faults) > 1 else ""
            raise OutsideError(
                f"crt.sh: {faults[0]}{more}",
                target=self._base,
                hint="narrower names, or certspotter, which answers in pages",
            )

    async def _rows(
        self, query: dict[str, str], *, expired: bool
    ) -> tuple[list[PastIssuance], list[str]]:
        asked = query | {"output": "json", "deduplicate": "Y"}
        if not expired:
            asked["exclude"] = "expired"
        url = f"{self._base}?{urlencode(asked)}"
        attempt = 1
        while True:
            try:
                answer = await self._http.get(url, max_bytes=_LARGEST_ANSWER)
                return await asyncio.to_thread(parse_rows, answer.body, self._base)
            except BodyTooLargeError:
                raise OutsideError(
                    f"crt.sh: its answer is larger than {_LARGEST_ANSWER >> 20} MiB",
                    target=url,
                    permanent=True,
                ) from None
            except MalformedError as error:
                # The page of an overloaded server, under status 200.
                if attempt == _ATTEMPTS:
                    raise OutsideError(f"crt.sh: {error}", target=url) from error
            await asyncio.sleep(self._wait * attempt)
            attempt += 1


def _queries(name: str, *, below: bool) -> Iterator[dict[str, str]]:
    """What is to be asked so that nothing that concerns the name is missed."""
    if is_address(name):
        yield {"iPAddress": name}
        return
    yield {"q": name}
    if below:
        # The wildcard for the name itself is one of these.
        yield {"q": f"%.{name}"}
    parent = name.partition(".")[2]
    if "." in parent:
        yield {"q": f"*.{parent}"}


def _faults(query: dict[str, str], rows: int, problems: list[str]) -> Iterator[str]:
    shown = quoted(next(iter(query.values())))
    if rows >= MOST_ROWS:
        yield f"the answer for {shown} is cut at {rows} rows"
    if problems:
        yield f"{len(problems)} of {rows} rows for {shown} cannot be read: {problems[0]}"

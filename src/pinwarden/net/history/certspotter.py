"""Cert Spotter's API: every issuance that has not ended, with the hashes of its keys.

Pages follow each other by the id of the last issuance, until one is empty. Without a key of
the service few questions an hour are allowed; with one, more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from pinwarden.errors import MalformedError, OutsideError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.certspotter_page import Page, error_of, parse_page
from pinwarden.net.history.contract import concerns, is_address, is_wanted
from pinwarden.net.http import HTTPClient

__all__ = ["CertSpotterSource"]

_LARGEST_PAGE = 32 << 20
_MOST_PAGES = 2_000
_EXPANDED = ("dns_names", "issuer", "issuer.caa_domains", "cert_der", "revocation")
# Their body says, in JSON, what the service does not like.
_TELLING = (400, 401, 402, 403, 404, 410, 422)
_KEY_HINT = "a key is read from PINWARDEN_CERTSPOTTER_KEY or --key-file"


class CertSpotterSource:
    """The issuances endpoint of the API, version 1."""

    def __init__(self, http: HTTPClient, base: str, *, key: str | None = None) -> None:
        """`base` ends in a slash; `key` is sent to it, and never shown."""
        self.description = "Cert Spotter"
        self.notes: list[str] = []
        self._http = http
        self._base = base
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {key}"} if key else {}

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
        """Every unexpired issuance that concerns a name; see `HistorySource`."""
        if is_address(name):
            raise OutsideError(
                f"Cert Spotter: has no search for addresses, so not for {quoted(name)}",
                target=self._base,
                permanent=True,
            )
        if expired:
            self._note("Cert Spotter: tells only of certificates that have not ended")
        problems: list[str] = []
        async for page in self._pages(name, below=below):
            problems += page.problems
            for each in page.issuances:
                # Without a name it was told for our question and nothing rules it out.
                concerned = not each.names or concerns(each.names, name, below=below)
                if concerned and is_wanted(each, since=since, expired=expired, at=at):
                    yield each
        if problems:
            raise OutsideError(
                f"Cert Spotter: {len(problems)} issuances cannot be read: {problems[0]}",
                target=self._base,
            )

    async def _pages(self, name: str, *, below: bool) -> AsyncIterator[Page]:
        query: list[tuple[str, str]] = [("domain", name), ("match_wildcards", "true")]
        if below:
            query.append(("include_subdomains", "true"))
        query += [("expand", each) for each in _EXPANDED]
        passed: set[str] = set()
        after = ""
        for _ in range(_MOST_PAGES):
            asked = [*query, ("after", after)] if after else query
            page = await self._page(f"{self._base}issuances?{urlencode(asked)}")
            yield page
            after = page.last
            if not after:
                return
            if after in passed:
                raise OutsideError("Cert Spotter: its pages go in a circle", target=self._base)
            passed.add(after)
        raise OutsideError(f"Cert Spotter: has more than {_MOST_PAGES} pages", target=self._base)

    async def _page(self, url: str) -> Page:
        answer = await self._http.get(
            url, max_bytes=_LARGEST_PAGE, headers=self._headers, accept=_TELLING
        )
        try:
            if answer.status == 200:
                return parse_page(answer.body)
        except MalformedError as error:
            raise OutsideError(f"Cert Spotter: {error}", target=url) from error
        told = error_of(answer.body) or f"answered {answer.status}"
        hint = _KEY_HINT if answer.status in (401, 402, 403) else None
        raise OutsideError(f"Cert Spotter: {told}", target=url, permanent=True, hint=hint)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

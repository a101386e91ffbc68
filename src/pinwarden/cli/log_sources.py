"""Which logs a run follows: the lists it names, fetched, verified and joined."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pinwarden.cli.kept_logs import cache_folder
from pinwarden.ct.log import Log, LogList
from pinwarden.ct.loglist import logs_to_follow, merge_log_lists
from pinwarden.errors import ConfigError
from pinwarden.findings import Finding
from pinwarden.monitor.health import PASSING_OF_LISTS
from pinwarden.net.address import verify_url
from pinwarden.net.http import HTTPClient


@dataclass(frozen=True, slots=True)
class Sources:
    """The logs to follow, the lists they are from and what was wrong with those."""

    logs: tuple[Log, ...]
    log_list: LogList
    findings: tuple[Finding, ...]
    places: tuple[str, ...]

    @property
    def passed(self) -> tuple[tuple[str, str], ...]:
        """The findings, as (kind id, subject), that would be there if they still held."""
        found = {(finding.id, finding.subject) for finding in self.findings}
        possible = ((kind.id, place) for place in self.places for kind in PASSING_OF_LISTS)
        return tuple(each for each in possible if each not in found)


async def load_sources(
    http: HTTPClient, lists: tuple[str, ...], *, refresh_after: timedelta = timedelta(0)
) -> Sources:
    """Fetch every list. Raises ConfigError if there is nothing to follow, or no contact for it.

    A browser program's list that was checked within `refresh_after` is not asked
    for again: a run every few minutes must not be a burden on its server.
    """
    from pinwarden.ct.log import Program
    from pinwarden.net.loglists.fetch import fetch_log_list
    from pinwarden.net.loglists.sources import list_source

    at = datetime.now(UTC)
    sources = [list_source(each) for each in lists]
    fetched = await asyncio.gather(
        *(
            fetch_log_list(
                http,
                source,
                cache_folder(),
                at=at,
                refresh_after=timedelta(0) if source.program is Program.USER else refresh_after,
            )
            for source in sources
        )
    )
    findings = tuple(finding for each in fetched for finding in each.findings)
    log_list = merge_log_lists([each.log_list for each in fetched])
    logs = logs_to_follow(log_list, at)
    if not logs:
        raise ConfigError(
            f"no log to follow in {', '.join(lists)}",
            hint="`pinwarden log-list show` says why each was left out",
        )
    for log in logs if http.contact is None else ():
        # Here, and not at each log: it is one mistake of the user, and no log's.
        verify_url(log.url, None)
    return Sources(logs, log_list, findings, tuple(source.place for source in sources))

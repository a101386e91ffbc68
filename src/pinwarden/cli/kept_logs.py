"""The logs that commands check against: what is kept here, asked from nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from pinwarden.findings import LOG_LIST_STALE, Finding
from pinwarden.names import display

if TYPE_CHECKING:
    from pinwarden.ct.log import LogList
    from pinwarden.net.loglists.sources import ListInUse, ListSource

__all__ = ["KeptLogs", "cache_folder", "kept_logs", "log_list_option"]

# As `Program` has them; Firefox compiles its list from that of Chrome.
_PROGRAMS = ("chrome", "apple")

_MOST_NOTES = 4

log_list_option = click.option(
    "--log-list",
    "log_lists",
    multiple=True,
    metavar="NAME|FILE|URL",
    help="Check against this log list alone; may be repeated [default: all that are kept].",
)


def cache_folder() -> Path:
    """Where fetched log lists are kept."""
    return platformdirs.user_cache_path("pinwarden") / "log-lists"


@dataclass(frozen=True, slots=True)
class KeptLogs:
    """All logs known, and what is wrong with the lists they are from."""

    logs: LogList
    findings: tuple[Finding, ...]
    stale: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of the lists: all their ages in one line, and not every log refused."""
        others = [each.message for each in self.findings if each.kind is not LOG_LIST_STALE]
        if len(others) > _MOST_NOTES:
            more = len(others) - _MOST_NOTES + 1
            others[_MOST_NOTES - 1 :] = [f"{more} more: `pinwarden log-list show` has them"]
        return (*((self.stale,) if self.stale else ()), *others)


def kept_logs(named: Sequence[str], at: datetime) -> KeptLogs:
    """The logs of the lists that are named, or else every log that is or was known.

    Nothing is fetched. Raises `ConfigError` for a file that is no log list, `OutsideError`
    for a list that was never fetched.
    """
    from pinwarden.ct.known_logs import known_logs
    from pinwarden.ct.loglist import merge_log_lists
    from pinwarden.net.loglists.known import load_log_list
    from pinwarden.net.loglists.sources import list_source

    sources = [list_source(each) for each in named or _PROGRAMS]
    used = [load_log_list(source, cache_folder(), at=at) for source in sources]
    lists = [each.log_list for each in used]
    if not named:
        # What a log is called that is in no list any more, and when it was retired.
        lists.append(known_logs())
    findings = tuple(finding for each in used for finding in each.findings)
    return KeptLogs(merge_log_lists(lists), findings, _stale(used, at))


def _stale(used: Sequence[ListInUse], at: datetime) -> str:
    """All old lists in one line, or ""."""
    from pinwarden.ct.programs import is_stale

    old = [
        f"{_name(each.source)}: {each.dated:%Y-%m-%d}, {(at - each.dated).days} days"
        for each in used
        if each.dated is not None and is_stale(each.dated, at)
    ]
    if not old:
        return ""
    return (
        f"old log lists ({'; '.join(old)}): newer logs are not known; "
        "`pinwarden log-list update` fetches the newest"
    )


def _name(source: ListSource) -> str:
    from pinwarden.ct.log import Program

    return display(source.place) if source.program is Program.USER else str(source.program)

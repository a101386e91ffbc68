"""Which lists are used, and what is known about the copy of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pinwarden.ct.known_logs import chrome_list_key
from pinwarden.ct.log import LogList, Program
from pinwarden.errors import ConfigError
from pinwarden.findings import Finding

_CHROME_LISTS = "https://www.gstatic.com/ct/log_list/"
_APPLE_LISTS = "https://valid.apple.com/ct/log_list/"
CHROME_URL = _CHROME_LISTS + "v3/all_logs_list.json"
APPLE_URL = _APPLE_LISTS + "current_log_list.json"


@dataclass(frozen=True, slots=True)
class ListSource:
    """Where one list comes from; with a `key` (PEM), it must be signed."""

    place: str
    program: Program = Program.USER
    key: bytes | None = field(default=None, repr=False)

    @property
    def is_file(self) -> bool:
        """Whether `place` is a path and no URL."""
        return "://" not in self.place


class Origin(StrEnum):
    """Which copy of a list is in use."""

    NETWORK = "network"
    COPY = "copy"
    SHIPPED = "shipped"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInUse:
    """One list, where this copy of it is from, and what is wrong with it.

    `signed` says that a signature was required and verified; `checked` is when
    the server last said that the copy is its newest.
    """

    source: ListSource
    log_list: LogList
    origin: Origin
    signed: bool = False
    fetched: datetime | None = None
    checked: datetime | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def dated(self) -> datetime | None:
        """The date of the list; for a list without one, when it was last current."""
        return self.log_list.timestamp or self.checked


def list_source(named: str) -> ListSource:
    """The list that a user names: `chrome`, `apple`, a URL or a file. Raises ConfigError."""
    if not named:
        raise ConfigError("log list: no file or URL is given")
    place = {"chrome": CHROME_URL, "apple": APPLE_URL}.get(named, named)
    if place.startswith(_CHROME_LISTS):
        return ListSource(place, Program.CHROME, chrome_list_key())
    if place.startswith(_APPLE_LISTS):
        return ListSource(place, Program.APPLE)
    return ListSource(place)

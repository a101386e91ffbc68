"""The facts about one Certificate Transparency log, and a list of such logs.

Logs are told apart by their id, the SHA-256 of their key (RFC 6962 section
3.2), and never by name: programs disagree about names, operators and states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pinwarden.ct.head import LogID
from pinwarden.ct.merkle import RootHash

DEFAULT_MMD = timedelta(hours=24)


class LogKind(StrEnum):
    """The protocol a log is read with."""

    RFC6962 = "rfc6962"
    STATIC = "static-ct"


class LogState(StrEnum):
    """Where a log stands in a program's life cycle.

    `unknown` means that no state is given, as for test logs and private logs;
    `unreadable` that one is given which we do not understand.
    """

    PENDING = "pending"
    QUALIFIED = "qualified"
    USABLE = "usable"
    READONLY = "readonly"
    RETIRED = "retired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


class Program(StrEnum):
    """Whose list says so; `user` is a list that the user names."""

    CHROME = "chrome"
    APPLE = "apple"
    MOZILLA = "mozilla"
    USER = "user"


@dataclass(frozen=True, slots=True)
class PreviousOperator:
    """Who ran a log before `until`."""

    name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one program says about one log.

    `earlier` holds the states before the present one, oldest first, as far as
    dated lists tell; `as_of` is the date of the list that says so.
    """

    program: Program
    operator: str
    state: LogState
    since: datetime | None = None
    earlier: tuple[tuple[LogState, datetime | None], ...] = ()
    as_of: datetime | None = None

    @property
    def states(self) -> tuple[tuple[LogState, datetime | None], ...]:
        """All states that are known with their beginnings, oldest first."""
        return (*self.earlier, (self.state, self.since))

    def state_at(self, at: datetime) -> LogState:
        """The state at a time: unknown before the first, and one without a date is as old."""
        begun = [state for state, since in self.states if since is None or since <= at]
        return begun[-1] if begun else LogState.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log.

    `url` is where it is read: the base URL of an RFC 6962 log, the monitoring
    prefix of a static-ct one. It ends with a slash, or is empty for a log that
    can only be checked against. `origin` is the name on the checkpoints of a
    static-ct log: its submission prefix without scheme and trailing slash.
    `interval` is half open and bounds the notAfter of what the log accepts.
    `final_size` and `final_root` are the last tree head of a read-only log.
    `state` is the liveliest that any program gives; `listings` has them all.
    """

    log_id: LogID
    key: bytes
    description: str
    operator: str = ""
    kind: LogKind
    url: str
    submission_url: str = ""
    origin: str = ""
    mmd: timedelta = DEFAULT_MMD
    state: LogState = LogState.UNKNOWN
    state_since: datetime | None = None
    interval: tuple[datetime, datetime] | None = None
    final_size: int | None = None
    final_root: RootHash | None = None
    log_type: str = ""
    previous_operators: tuple[PreviousOperator, ...] = ()
    listings: tuple[Listing, ...] = ()

    def operator_at(self, at: datetime, programs: Iterable[Program] = ()) -> str:
        """Who ran the log at a time: logs change hands.

        Who runs it now goes by the name that the first of the programs gives which lists it.
        """
        before = (each for each in self.previous_operators if at < each.until)
        first = min(before, key=lambda each: each.until, default=None)
        if first is not None:
            return first.name
        listings = (self.listing(program) for program in programs)
        return next((each.operator for each in listings if each is not None), self.operator)

    def listing(self, program: Program) -> Listing | None:
        """What `program` says about the log, if it lists it."""
        return next((each for each in self.listings if each.program is program), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogList:
    """Logs as one source lists them.

    `problems` names each log that was refused and each field that could not be
    read, one line each, safe to show.
    """

    logs: tuple[Log, ...]
    version: str = ""
    timestamp: datetime | None = None
    source: str = ""
    problems: tuple[str, ...] = ()
    by_id: dict[LogID, Log] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {log.log_id: log for log in self.logs})

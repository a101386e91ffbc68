"""What a log is to a program at a time, as far as its lists tell.

A state that no list tells is never guessed to be a good one: it is unknown, and a policy that
would need it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pinwarden.ct.log import Listing, Log, LogState, Program

__all__ = ["ListDates", "Standing", "list_dates", "standing_of_log", "standing_of_unlisted"]

ListDates = Mapping[Program, datetime | None]
"""The date of the newest list in use of each program; None for a list without a date."""

_APPROVED = frozenset((LogState.QUALIFIED, LogState.USABLE, LogState.READONLY))
# A log comes to these from an approved state only (Chrome's CT log lifecycle).
_AFTER_APPROVAL = frozenset((LogState.RETIRED, LogState.READONLY))
# Nobody signs for the public in the first day after a program has taken a log in, and lists
# are dated by the second or the day.
_MARGIN = timedelta(days=1)
_TITLES = {Program.CHROME: "Chrome", Program.APPLE: "Apple", Program.MOZILLA: "Mozilla"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a log is approved now, and if it is retired, since when.

    `approved` is None where no list tells. `why` says in a few words what it is.
    """

    approved: bool | None
    retired_at: datetime | None
    why: str


def list_dates(logs: Iterable[Log]) -> dict[Program, datetime | None]:
    """Which programs' lists these logs are from, and how new the lists are.

    The logs of a whole list tell it; those of a few SCTs tell what can be known from them.
    A list without a date in it is taken for one of today.
    """
    dates: dict[Program, datetime | None] = {}
    for log in logs:
        for listing in log.listings:
            program, date = listing.program, listing.as_of
            known = dates.get(program, date)
            dates[program] = None if date is None or known is None else max(date, known)
    return dates


def standing_of_log(
    log: Log, programs: Sequence[Program], lists: ListDates, at: datetime, signed: datetime
) -> Standing:
    """What `log` is at `at` to the first of the programs whose list tells.

    A list that the user names stands for every program that does not list the log itself.
    `signed` is the time of the SCT: a list that is older may lack a log that was approved
    since.
    """
    told: Standing | None = None
    for program in (*programs, Program.USER):
        listing = log.listing(program)
        if listing is None:
            continue
        standing = _standing(listing, lists.get(program), at)
        if standing.approved is not None:
            return standing
        told = told or standing
    return told or standing_of_unlisted(programs, lists, signed)


def standing_of_unlisted(
    programs: Sequence[Program], lists: ListDates, signed: datetime
) -> Standing:
    """What a log is that no list of the programs names."""
    for program in (*programs, Program.USER):
        if program in lists:
            return _unlisted(program, lists[program], signed)
    return Standing(None, None, f"no log list of {_TITLES[programs[0]]} is at hand")


def _unlisted(program: Program, date: datetime | None, signed: datetime) -> Standing:
    whose = f"{_TITLES[program]}'s list" if program in _TITLES else "the list"
    if date is not None and signed - date > _MARGIN:
        return Standing(
            None, None, f"not in {whose} of {date:%Y-%m-%d}, which is older than the SCT"
        )
    return Standing(False, None, f"not in {whose}" + (f" of {date:%Y-%m-%d}" if date else ""))


def _standing(listing: Listing, newest: datetime | None, at: datetime) -> Standing:
    gone = _gone(listing, newest, at)
    if gone is not None:
        return gone
    states = listing.states
    known = [(state, since) for state, since in states if since is None or since <= at]
    if known:
        return _in_state(*known[-1], listing.program)
    state, since = states[0]
    assert since is not None
    told_then = listing.as_of is None or listing.as_of <= at
    if state in _AFTER_APPROVAL and told_then:
        return Standing(True, None, f"approved, and {state} from {since:%Y-%m-%d} on")
    return Standing(
        None, None, f"{state} since {since:%Y-%m-%d}, and no list tells what it was before"
    )


def _gone(listing: Listing, newest: datetime | None, at: datetime) -> Standing | None:
    """What a log is of which the program's newer lists say nothing any more."""
    last = listing.as_of
    if listing.program is Program.USER or last is None or last == newest or at <= last:
        return None
    if listing.state is LogState.REJECTED:
        # Chrome drops those in time, and nothing comes after.
        return None
    if newest is not None and at < newest:
        return Standing(None, None, f"dropped from the list some time after {last:%Y-%m-%d}")
    return Standing(False, None, f"in no list since that of {last:%Y-%m-%d}")


def _in_state(state: LogState, since: datetime | None, program: Program) -> Standing:
    why = f"{state} since {since:%Y-%m-%d}" if since else str(state)
    if state in _APPROVED:
        return Standing(True, None, why)
    if state is LogState.RETIRED:
        # Without the day nothing can be said to be from before it.
        return Standing(False, since, why)
    if state is LogState.UNREADABLE:
        return Standing(None, None, "in a state that cannot be read")
    if state is LogState.UNKNOWN and program is Program.USER:
        return Standing(None, None, "in the list without a state")
    if state is LogState.UNKNOWN:
        return Standing(False, None, f"in {_TITLES[program]}'s list without a state")
    return Standing(False, None, why)

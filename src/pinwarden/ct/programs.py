"""Which logs a monitor follows, and how lists of several programs are merged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pinwarden.ct.log import Listing, Log, LogList, LogState, Program
from pinwarden.ct.logurl import is_loopback_url

# A browser stops believing in its list after ten weeks (Chrome's CT policy).
STALE_AFTER = timedelta(days=70)
# A retired log takes nothing new, but what it took may still have to be read.
_RETIRED_FOLLOWED = timedelta(days=90)
# All that a shard took has expired at the end of its interval.
_EXPIRED_FOLLOWED = timedelta(days=30)

_LIVELINESS = (
    LogState.UNKNOWN,
    LogState.REJECTED,
    LogState.RETIRED,
    LogState.UNREADABLE,
    LogState.PENDING,
    LogState.READONLY,
    LogState.QUALIFIED,
    LogState.USABLE,
)
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")


def logs_to_follow(log_list: LogList, at: datetime) -> tuple[Log, ...]:
    """The logs in which a certificate that is valid at `at` may newly appear."""
    return tuple(log for log in log_list.logs if why_not_followed(log, at) is None)


def why_not_followed(log: Log, at: datetime) -> str | None:
    """Why a monitor need not follow `log`; None if it must.

    A log is dropped only for what a list says about it. Whatever is
    unreadable, or looks live to any program, is followed.
    """
    if not log.url:
        return "no URL is given"
    if log.state is LogState.REJECTED:
        return "it is rejected"
    if is_loopback_url(log.url):
        # Only a list that the user gives can name one, and then it is meant.
        return None
    if log.log_type not in {"", "prod"}:
        return f"it is for {log.log_type.replace('_', ' ')} purposes"
    if log.interval is not None and log.interval[1] + _EXPIRED_FOLLOWED <= at:
        return "all it took has expired"
    if log.state is LogState.RETIRED and log.state_since is not None:
        return "it is retired" if log.state_since + _RETIRED_FOLLOWED <= at else None
    if log.state is LogState.UNKNOWN and not _is_ours(log):
        return "no program gives it a state"
    return None


def _is_ours(log: Log) -> bool:
    return not log.listings or log.listing(Program.USER) is not None or is_loopback_url(log.url)


def is_stale(date: datetime | None, at: datetime) -> bool:
    """Whether a list of `date` is so old that new logs are probably missing in it."""
    return date is not None and date + STALE_AFTER < at


def is_older(offered: LogList, known: LogList) -> bool:
    """Whether `offered` was made before `known`: by its date, else by its version."""
    if offered.timestamp is not None and known.timestamp is not None:
        return offered.timestamp < known.timestamp
    ours, theirs = _version(known), _version(offered)
    return ours is not None and theirs is not None and theirs < ours


def _version(log_list: LogList) -> tuple[int, ...] | None:
    if _VERSION.fullmatch(log_list.version) is None:
        return None
    return tuple(int(part) for part in log_list.version.split("."))


def merge_log_lists(lists: Iterable[LogList]) -> LogList:
    """One list with every log of `lists`, matched by log id.

    Earlier lists win for names, addresses and times. The state is the
    liveliest that any program gives, because a log which one program trusts
    can still hurt; for two lists of one program, the newer one speaks for it.
    """
    given = tuple(lists)
    merged: dict[bytes, Log] = {}
    for log_list in given:
        for log in log_list.logs:
            known = merged.get(log.log_id)
            merged[log.log_id] = log if known is None else merge_logs(known, log)
    dates = [each.timestamp for each in given if each.timestamp is not None]
    return LogList(
        logs=tuple(merged.values()),
        version=", ".join(each.version for each in given if each.version),
        timestamp=min(dates, default=None),
        source=", ".join(each.source for each in given if each.source),
        problems=tuple(dict.fromkeys(line for each in given for line in each.problems)),
    )


def merge_logs(first: Log, second: Log) -> Log:
    """What two entries with the same log id say together; `first` is preferred."""
    if not first.url and second.url:
        first, second = second, first
    listings = _merge_listings(first.listings, second.listings)
    state, since = merged_state(listings) if listings else (first.state, first.state_since)
    final = first if first.final_size is not None else second
    return replace(
        first,
        state=state,
        state_since=since,
        interval=first.interval or second.interval,
        final_size=final.final_size,
        final_root=final.final_root,
        log_type=first.log_type or second.log_type,
        previous_operators=first.previous_operators or second.previous_operators,
        listings=listings,
    )


def _merge_listings(first: tuple[Listing, ...], second: tuple[Listing, ...]) -> tuple[Listing, ...]:
    merged = {listing.program: listing for listing in first}
    for listing in second:
        known = merged.get(listing.program)
        if known is None or _is_newer(listing, known):
            merged[listing.program] = listing
    return tuple(merged.values())


def _is_newer(offered: Listing, known: Listing) -> bool:
    return offered.as_of is not None and known.as_of is not None and known.as_of < offered.as_of


def merged_state(listings: Iterable[Listing]) -> tuple[LogState, datetime | None]:
    """The liveliest state that any program gives a log, and since when."""
    states = [(each.state, each.since) for each in listings]
    return max(
        states, key=lambda pair: _LIVELINESS.index(pair[0]), default=(LogState.UNKNOWN, None)
    )

"""Logs with what each program thinks of them: as a table, as plain lines, as JSON."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.cli.table import counted
from pinwarden.ct.log import Listing, Log, LogState, Program
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment

__all__ = ["StatedLog", "logs_json", "logs_text", "stated"]

_HEADS = ("log", "operator", "protocol", "chrome", "apple", "mozilla", "takes notAfter", "read at")
# On a narrower terminal a column is left out, as its cells would be folded to nothing.
_LEAST_WIDTHS = {"operator": 110, "read at": 160}
_PROGRAMS = (Program.CHROME, Program.APPLE, Program.MOZILLA)


@dataclass(frozen=True, slots=True)
class StatedLog:
    """A log, who ran it, and its state in each program that lists it, as of one time."""

    log: Log
    operator: str
    states: tuple[tuple[Program, LogState], ...]


def stated(log: Log, at: datetime) -> StatedLog:
    """A log as of a time, as far as dated lists tell."""
    before = (each for each in log.previous_operators if at < each.until)
    earliest = min(before, key=lambda each: each.until, default=None)
    return StatedLog(
        log,
        log.operator if earliest is None else earliest.name,
        tuple((each.program, _state_at(each, at)) for each in log.listings),
    )


def _state_at(listing: Listing, at: datetime) -> LogState:
    """A state without a date is as old as what is known; before the first one none is known."""
    state = LogState.UNKNOWN
    for each, since in (*listing.earlier, (listing.state, listing.since)):
        if since is None or since <= at:
            state = each
    return state


def logs_text(logs: Sequence[StatedLog], total: int, *, rich: bool) -> str:
    """The logs, a table on a terminal and else plain lines, and how many they are."""
    if rich:
        body = _table([(*_names(each), *_columns(each), *_place(each)) for each in logs])
    else:
        body = "\n".join("  ".join((*_names(each), _states(each), *_place(each))) for each in logs)
    operators = len({each.operator for each in logs})
    return f"{body}\n{counted(len(logs), 'log')} of {total}, {counted(operators, 'operator')}"


def _names(each: StatedLog) -> tuple[str, ...]:
    return display(each.log.description, 60), display(each.operator, 40), str(each.log.kind)


def _columns(each: StatedLog) -> tuple[str, ...]:
    """A cell for each program; a list of the user's own speaks for all of them."""
    states = dict(each.states)
    own = states.get(Program.USER)
    return tuple(str(states.get(program, own or "-")) for program in _PROGRAMS)


def _states(each: StatedLog) -> str:
    return ", ".join(f"{program} {state}" for program, state in each.states) or "in no list"


def _place(each: StatedLog) -> tuple[str, ...]:
    return _interval(each.log), each.log.url or "no URL"


def _interval(log: Log) -> str:
    if log.interval is None:
        return "any"
    start, end = log.interval
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, force_terminal=True)
    shown = [at for at, head in enumerate(_HEADS) if console.width >= _LEAST_WIDTHS.get(head, 0)]
    table = Table(*(_HEADS[at] for at in shown), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # Text, because a str would be read as markup.
        table.add_row(*(Text(row[at], overflow="fold") for at in shown))
    console.print(table)
    return out.getvalue().rstrip("\n")


def logs_json(each: StatedLog, at: datetime) -> dict[str, Any]:
    """One log, as docs/command-line-ct.md has it."""
    log = each.log
    return {
        "log_id": b64encode(log.log_id).decode(),
        "key": b64encode(log.key).decode(),
        "description": log.description,
        "operator": each.operator,
        "protocol": str(log.kind),
        "url": log.url or None,
        "submission_url": log.submission_url or None,
        "mmd_seconds": int(log.mmd.total_seconds()),
        "not_after": None if log.interval is None else [to_moment(end) for end in log.interval],
        "at": to_moment(at),
        "states": {str(program): str(state) for program, state in each.states},
        "final_size": log.final_size,
        "log_type": log.log_type or None,
    }

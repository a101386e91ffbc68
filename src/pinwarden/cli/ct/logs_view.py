"""Logs with what each program thinks of them: as a table, as plain lines, as JSON."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.ct.log import Log, LogState, Program
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.render.account import counted

__all__ = ["StatedLog", "logs_json", "logs_text", "stated"]

_HEADS = ("log", "operator", "protocol", "chrome", "apple", "mozilla", "takes notAfter", "read at")
# On a narrower terminal a column is left out, as its cells would be folded to nothing.
_LEAST_WIDTHS = {"operator": 110, "read at": 160, "submit to": 160}
_LONGEST_URL = 300
_PROGRAMS = (Program.CHROME, Program.APPLE, Program.MOZILLA)


@dataclass(frozen=True, slots=True)
class StatedLog:
    """A log, who ran it, and its state in each program that lists it, as of one time."""

    log: Log
    operator: str
    states: tuple[tuple[Program, LogState], ...]


def stated(log: Log, at: datetime) -> StatedLog:
    """A log as of a time, as far as dated lists tell."""
    states = tuple((each.program, each.state_at(at)) for each in log.listings)
    return StatedLog(log, log.operator_at(at), states)


def logs_text(logs: Sequence[StatedLog], total: int, *, rich: bool, submit: bool = False) -> str:
    """The logs, a table on a terminal and else plain lines, and how many they are.

    With `submit` the address is that which takes certificates: of a static log it is another
    than that where the log is read.
    """
    places = [(_interval(each.log), _address(each.log, submit=submit)) for each in logs]
    rows = zip(logs, places, strict=True)
    if rich:
        heads = (*_HEADS[:-1], "submit to" if submit else _HEADS[-1])
        body = _table(heads, [(*_names(each), *_columns(each), *place) for each, place in rows])
    else:
        body = "\n".join("  ".join((*_names(each), _states(each), *place)) for each, place in rows)
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


def _address(log: Log, *, submit: bool) -> str:
    return display((log.submission_url if submit else log.url) or "no URL", _LONGEST_URL)


def _interval(log: Log) -> str:
    if log.interval is None:
        return "any"
    start, end = log.interval
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"


def _table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, force_terminal=True)
    shown = [at for at, head in enumerate(heads) if console.width >= _LEAST_WIDTHS.get(head, 0)]
    table = Table(*(heads[at] for at in shown), box=None, pad_edge=False, header_style="bold")
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

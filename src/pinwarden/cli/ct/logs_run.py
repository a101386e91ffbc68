"""The work of `pinwarden ct logs`: which logs of the lists that are kept fit the question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden.cli.ct.logs_view import StatedLog, logs_json, logs_text, stated
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import ExitCode, answer, answer_json, on_terminal, say, say_notes
from pinwarden.cli.reading import parse_moment
from pinwarden.ct.log import Log, LogState, Program

__all__ = ["Order", "show_logs"]

_OPEN = (LogState.PENDING, LogState.QUALIFIED, LogState.USABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `logs` was asked for."""

    log_lists: tuple[str, ...]
    usable: bool
    accepts: str | None
    operator: str | None
    at: str | None
    as_json: bool


def show_logs(order: Order) -> int:
    """Show the logs that fit, and return the exit code."""
    now = datetime.now(UTC)
    at = parse_moment(order.at, "--at") or now
    not_after = parse_moment(order.accepts, "--accepts")
    kept = kept_logs(order.log_lists, now)
    say_notes(kept.notes)
    found = list(_fitting(order, kept.logs.logs, at, not_after))
    if order.as_json:
        for each in found:
            answer_json(logs_json(each, at))
    elif found:
        total = len(kept.logs.logs)
        answer(logs_text(found, total, rich=on_terminal(), submit=not_after is not None))
    if not found:
        say(f"none of {len(kept.logs.logs)} logs is such a log")
    return ExitCode.OK if found else ExitCode.FINDINGS


def _fitting(
    order: Order, logs: tuple[Log, ...], at: datetime, not_after: datetime | None
) -> Iterator[StatedLog]:
    for log in logs:
        each = stated(log, at)
        if order.usable and not _is_usable(each):
            continue
        if not_after is not None and not _accepts(each, not_after):
            continue
        if order.operator and order.operator.casefold() not in each.operator.casefold():
            continue
        yield each


def _is_usable(each: StatedLog) -> bool:
    """Whether a program calls it so; in a list of the user's own, a log without a state too."""
    return any(
        state is LogState.USABLE or (program is Program.USER and state is LogState.UNKNOWN)
        for program, state in each.states
    )


def _accepts(each: StatedLog, not_after: datetime) -> bool:
    """Whether the log takes new certificates that end at a time, as far as lists tell."""
    interval = each.log.interval
    if interval is not None and not interval[0] <= not_after < interval[1]:
        return False
    states = {state for _, state in each.states}
    if any(state in _OPEN for state in states):
        return True
    return all(program is Program.USER for program, _ in each.states) and states == {
        LogState.UNKNOWN
    }

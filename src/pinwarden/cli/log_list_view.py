"""Log lists as tables, as plain lines and as JSON."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.ct.log import Log, LogList
from pinwarden.ct.loglist import is_stale, why_not_followed
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.net.loglists.sources import ListInUse, Origin

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One list before and after an update."""

    before: ListInUse | None
    after: ListInUse

    @property
    def added(self) -> list[Log]:
        """The logs that are new in the list."""
        return [log for log in self.after.log_list.logs if log.log_id not in self._known]

    @property
    def removed(self) -> list[Log]:
        """The logs that are listed no more."""
        if self.before is None:
            return []
        now = self.after.log_list.by_id
        return [log for log in self.before.log_list.logs if log.log_id not in now]

    @property
    def moved(self) -> list[tuple[Log, Log]]:
        """The logs that came to another state, as they were and as they are."""
        known = self._known
        return [
            (known[log.log_id], log)
            for log in self.after.log_list.logs
            if log.log_id in known and known[log.log_id].state is not log.state
        ]

    @property
    def _known(self) -> dict[Any, Log]:
        return self.before.log_list.by_id if self.before is not None else {}


def show_document(
    lists: Sequence[ListInUse], merged: LogList, at: datetime, everything: bool
) -> dict[str, Any]:
    """The JSON of `log-list show`."""
    logs = [_log(log, at) for log in merged.logs]
    return {
        "type": "log-lists",
        "version": _VERSION,
        "at": _time(at),
        "lists": [_list(each, at) for each in lists],
        "logs": [log for log in logs if everything or log["followed"]],
        "findings": [_finding(finding) for each in lists for finding in each.findings],
    }


def update_document(changes: Sequence[Change], at: datetime) -> dict[str, Any]:
    """The JSON of `log-list update`."""
    return {
        "type": "log-list-update",
        "version": _VERSION,
        "at": _time(at),
        "lists": [
            {
                **_list(change.after, at),
                "added": [_log(log, at) for log in change.added],
                "removed": [_log(log, at) for log in change.removed],
                "moved": [
                    {**_log(now, at), "before": str(before.state)} for before, now in change.moved
                ],
            }
            for change in changes
        ],
        "findings": [_finding(finding) for each in changes for finding in each.after.findings],
    }


def render_lists(
    lists: Sequence[ListInUse], merged: LogList, at: datetime, everything: bool, *, rich: bool
) -> str:
    """The lists and their logs: tables on a terminal, else plain lines."""
    list_rows = [_list_row(each, at) for each in lists]
    log_rows = [
        _log_row(log, at) for log in merged.logs if everything or why_not_followed(log, at) is None
    ]
    followed = sum(why_not_followed(log, at) is None for log in merged.logs)
    total = f"{len(merged.logs)} logs, {followed} followed"
    if rich:
        body = _tables(list_rows, log_rows)
    else:
        body = "\n".join("  ".join(row) for row in (*list_rows, *log_rows))
    return "\n".join(part for part in (body, *_finding_lines(lists), total) if part)


def render_changes(changes: Sequence[Change], at: datetime) -> str:
    """What an update changed, one line a list and one a log."""
    lines = []
    for change in changes:
        lines.append("  ".join(_list_row(change.after, at)))
        lines += [f"  new: {_log_line(log)}" for log in change.added]
        lines += [f"  gone: {_log_line(log)}" for log in change.removed]
        lines += [f"  {was.state} before: {_log_line(log)}" for was, log in change.moved]
        if not (change.added or change.removed or change.moved):
            lines.append("  no log changed")
    return "\n".join((*lines, *_finding_lines([change.after for change in changes])))


def _list_row(each: ListInUse, at: datetime) -> tuple[str, ...]:
    version = display(each.log_list.version)
    return (
        display(each.source.place),
        f"version {version}" if version else "no version",
        _age_text(each, at),
        f"{len(each.log_list.logs)} logs",
        _signature_text(each),
        _origin_text(each),
    )


def _age_text(each: ListInUse, at: datetime) -> str:
    days = _age(each, at)
    if each.dated is None:
        return "no date"
    return f"{each.dated:%Y-%m-%d} ({days} day{'' if days == 1 else 's'} old)"


def _signature_text(each: ListInUse) -> str:
    if each.signed:
        return "signature verified"
    if each.origin is Origin.SHIPPED:
        return "part of this version of Pinwarden"
    return "not signed"


def _origin_text(each: ListInUse) -> str:
    if each.origin is Origin.COPY and each.checked is not None:
        return f"copy checked {each.checked:%Y-%m-%d %H:%M}"
    return {Origin.NETWORK: "fetched now", Origin.FILE: "file"}.get(each.origin, "never fetched")


def _log_row(log: Log, at: datetime) -> tuple[str, ...]:
    reason = why_not_followed(log, at)
    return (
        f"{log.state:<10}",
        f"{log.kind:<9}",
        display(log.operator),
        display(log.description),
        log.url or "no URL",
        f"not followed: {display(reason)}" if reason else "followed",
    )


def _log_line(log: Log) -> str:
    return f"{log.state}  {display(log.description)}  {log.url or 'no URL'}"


def _tables(list_rows: list[tuple[str, ...]], log_rows: list[tuple[str, ...]]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, force_terminal=True)
    for heads, rows in (
        (("list", "version", "date", "logs", "signature", "from"), list_rows),
        (("state", "protocol", "operator", "log", "read at", ""), log_rows),
    ):
        table = Table(*heads, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            # Text, because a str would be read as markup.
            table.add_row(*(Text(cell.strip(), overflow="fold") for cell in row))
        console.print(table)
    return out.getvalue().rstrip("\n")


def _finding_lines(lists: Iterable[ListInUse]) -> list[str]:
    return [
        f"{finding.severity}: {finding.id}: {display(finding.message, 1000)}"
        for each in lists
        for finding in each.findings
    ]


def _list(each: ListInUse, at: datetime) -> dict[str, Any]:
    log_list = each.log_list
    return {
        "source": each.source.place,
        "program": str(each.source.program),
        "origin": str(each.origin),
        "signature": "verified" if each.signed else "none",
        "list_version": log_list.version or None,
        "date": _time(log_list.timestamp),
        "fetched": _time(each.fetched),
        "checked": _time(each.checked),
        "age_days": _age(each, at),
        "stale": is_stale(each.dated, at) if each.dated else None,
        "logs": len(log_list.logs),
        "followed": sum(why_not_followed(log, at) is None for log in log_list.logs),
        "problems": list(log_list.problems),
    }


def _log(log: Log, at: datetime) -> dict[str, Any]:
    reason = why_not_followed(log, at)
    interval = log.interval
    return {
        "log_id": b64encode(log.log_id).decode(),
        "description": log.description,
        "operator": log.operator,
        "kind": str(log.kind),
        "url": log.url,
        "state": str(log.state),
        "state_since": _time(log.state_since),
        "interval": [_time(interval[0]), _time(interval[1])] if interval else None,
        "final_size": log.final_size,
        "programs": {
            str(each.program): {
                "operator": each.operator,
                "state": str(each.state),
                "since": _time(each.since),
            }
            for each in log.listings
        },
        "followed": reason is None,
        "why_not": reason,
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "subject": finding.subject,
        "message": finding.message,
    }


def _age(each: ListInUse, at: datetime) -> int | None:
    return (at - each.dated).days if each.dated is not None else None


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")

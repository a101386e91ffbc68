"""Makes `src/pinwarden/data/known_logs.json` from log lists that the maintainer names.

    scripts/make_known_logs.py \
        --chrome all_logs_list.json --chrome older/*.json.gz \
        --apple current_log_list.json@2026-08-22 \
        --mozilla known_logs_list.json --mimics log_mimics_list.json

The newest list of each program gives the present facts, older ones the states
a log went through and the logs that are listed no more. A list without a date
in it needs one: `FILE@YYYY-MM-DD`, or a file name that begins with it.

Only facts are kept: key, name, URLs, interval, merge delay, final tree head,
and operator and dated states by program. Left out are logs that never had a state and
whose interval is over, and logs under names reserved for examples.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pinwarden.ct.log import DEFAULT_MMD, Listing, Log, LogKind, LogList, LogState, Program
from pinwarden.ct.loglist import parse_log_list
from pinwarden.errors import PinwardenError

TARGET = Path(__file__).parents[1] / "src" / "pinwarden" / "data" / "known_logs.json"
PROGRAMS = (Program.CHROME, Program.APPLE, Program.MOZILLA)
_DATED_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_")


@dataclass(frozen=True, slots=True)
class DatedList:
    """One list of one program."""

    program: Program
    name: str
    date: datetime
    logs: LogList


def main() -> int:
    """Make the table."""
    options = _options()
    try:
        lists = [
            load_list(program, text)
            for program in PROGRAMS
            for text in getattr(options, program.value)
        ]
        mimics = [mimic for text in options.mimics for mimic in load_mimics(Path(text))]
        table = make_table(lists, mimics)
    except (OSError, ValueError, PinwardenError) as error:
        print(f"make_known_logs: error: {error}", file=sys.stderr)
        return 2
    options.output.write_text(render_table(table), encoding="ascii")
    print(f"{options.output}: {len(table['logs'])} logs, {len(table['mimics'])} mimics")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes the table of known logs.")
    for program in PROGRAMS:
        parser.add_argument(f"--{program}", metavar="FILE", action="extend", nargs="+", default=[])
    parser.add_argument("--mimics", metavar="FILE", action="extend", nargs="+", default=[])
    parser.add_argument("--output", type=Path, default=TARGET)
    return parser.parse_args()


def load_list(program: Program, text: str) -> DatedList:
    """One list; the date in the list outranks the one that the maintainer gives."""
    name, _, given = text.partition("@")
    path = Path(name)
    logs = parse_log_list(_read(path), path.name, program)
    for problem in logs.problems:
        print(f"{path.name}: {problem}", file=sys.stderr)
    date = logs.timestamp
    if date is None:
        match = _DATED_NAME.match(path.name)
        given = given or (match[1] if match else "")
        if not given:
            raise ValueError(f"{path.name} has no date: name it as {path.name}@YYYY-MM-DD")
        date = datetime.fromisoformat(given).replace(tzinfo=UTC)
    return DatedList(program, path.name, date, logs)


def load_mimics(path: Path) -> list[tuple[str, str]]:
    """Name and key of each log in a list of mimics."""
    # Not by parse_log_list, which refuses the mimics that are known already.
    operators = json.loads(_read(path))["operators"]
    logs = [log for operator in operators for log in operator["logs"]]
    return [(log["description"], log["key"]) for log in logs]


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def make_table(lists: Iterable[DatedList], mimics: list[tuple[str, str]]) -> dict[str, Any]:
    """The table as JSON values."""
    ordered = sorted(lists, key=lambda each: each.date)
    mimic_keys = {key for _, key in mimics}
    logs: dict[bytes, list[tuple[DatedList, Log]]] = {}
    for each in ordered:
        for log in each.logs.logs:
            logs.setdefault(log.log_id, []).append((each, log))
    newest = {each.program: each.date for each in ordered}
    rows = [
        _row(seen, newest)
        for seen in logs.values()
        if b64encode(seen[0][1].key).decode() not in mimic_keys and _is_wanted(seen, newest)
    ]
    return {
        "format": 1,
        "sources": [_source(each) for each in reversed(ordered)],
        "mimics": [list(mimic) for mimic in mimics],
        "logs": sorted(rows, key=_order),
    }


def _is_wanted(seen: list[tuple[DatedList, Log]], newest: dict[Program, datetime]) -> bool:
    latest = seen[-1][1]
    if (urlsplit(latest.url).hostname or "").endswith(".example.com"):
        return False
    if any(log.state is not LogState.UNKNOWN for _, log in seen):
        return True
    return latest.interval is None or latest.interval[1] > max(newest.values())


def _source(each: DatedList) -> dict[str, str]:
    source = {"program": each.program.value, "name": each.name, "date": _stamp(each.date)}
    return source | ({"version": each.logs.version} if each.logs.version else {})


def _row(seen: list[tuple[DatedList, Log]], newest: dict[Program, datetime]) -> dict[str, Any]:
    log = _speaker(seen)
    row: dict[str, Any] = {"name": log.description, "key": b64encode(log.key).decode()}
    if log.kind is LogKind.STATIC:
        row |= {"kind": log.kind.value, "submission_url": log.submission_url}
    row["url"] = log.url
    if log.mmd != DEFAULT_MMD:
        row["mmd"] = int(log.mmd.total_seconds())
    if log.interval is not None:
        row["interval"] = [_stamp(time) for time in log.interval]
    final = next((each for _, each in reversed(seen) if each.final_root is not None), None)
    if final is not None and final.final_root is not None:
        row["final"] = [final.final_size, b64encode(final.final_root).decode()]
    if log.log_type:
        row["type"] = log.log_type
    if log.previous_operators:
        row["operators_before"] = [
            [each.name, _stamp(each.until)] for each in log.previous_operators
        ]
    row["programs"] = {
        program.value: _program(own, newest[program])
        for program in PROGRAMS
        if (own := [(each, log) for each, log in seen if each.program is program])
    }
    return row


def _speaker(seen: list[tuple[DatedList, Log]]) -> Log:
    """The entry whose facts are taken: the newest one with a URL, Chrome's before Apple's."""
    for program in PROGRAMS:
        for each, log in reversed(seen):
            if each.program is program and log.url:
                return log
    return seen[-1][1]


def _program(own: list[tuple[DatedList, Log]], newest: datetime) -> dict[str, Any]:
    last, log = own[-1]
    states: dict[tuple[str, str | None], None] = {}
    for _, each in own:
        for listing in each.listings:
            _add_states(states, listing)
    value: dict[str, Any] = {"operator": log.operator, "states": [list(pair) for pair in states]}
    if last.date != newest:
        value["until"] = _stamp(last.date)
    return value


def _add_states(states: dict[tuple[str, str | None], None], listing: Listing) -> None:
    if listing.state is LogState.UNKNOWN:
        return
    pair = (listing.state.value, _stamp(listing.since) if listing.since else None)
    states.pop(pair, None)
    states[pair] = None


def _stamp(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z").replace("T00:00:00Z", "T00Z")


def _order(row: dict[str, Any]) -> tuple[str, str]:
    operators = [program["operator"] for program in row["programs"].values()]
    return operators[0], row["name"]


def render_table(table: dict[str, Any]) -> str:
    """One line a fact, so that a change of the table can be reviewed."""
    parts = [f'"format": {table["format"]}']
    for name in ("sources", "mimics", "logs"):
        lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in table[name])
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    raise SystemExit(main())

"""The dated table of known logs that ships with Pinwarden.

`scripts/make_known_logs.py` makes it from the lists of the programs. It also
holds logs that no list names any more, because certificates with their SCTs
are still met, and the mimic logs, whose private keys are public.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from pinwarden.ct.head import LogID
from pinwarden.ct.log import (
    DEFAULT_MMD,
    Listing,
    Log,
    LogKind,
    LogList,
    LogState,
    PreviousOperator,
    Program,
)
from pinwarden.ct.logurl import origin_of
from pinwarden.ct.merkle import RootHash
from pinwarden.ct.programs import merged_state

SOURCE = "the table of known logs in this version of Pinwarden"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """A list that the table was made from."""

    program: Program
    name: str
    version: str
    date: datetime


def known_logs() -> LogList:
    """Every log in the table, with what each program says or last said about it."""
    return _known_logs()


def listed_logs(program: Program) -> LogList:
    """The table's copy of the newest list of `program`: its logs, as this program sees them."""
    newest = newest_source(program)
    logs = []
    for log in known_logs().logs:
        listing = log.listing(program)
        if newest is not None and listing is not None and listing.as_of == newest.date:
            logs.append(
                replace(
                    log,
                    operator=listing.operator,
                    state=listing.state,
                    state_since=listing.since,
                    listings=(listing,),
                )
            )
    return LogList(
        logs=tuple(logs),
        version=newest.version if newest else "",
        timestamp=newest.date if newest else None,
        source=SOURCE,
    )


def newest_source(program: Program) -> TableSource | None:
    """The newest list of `program` that the table was made from."""
    own = [source for source in table_sources() if source.program is program]
    return max(own, key=lambda source: source.date, default=None)


def mimic_logs() -> Mapping[LogID, str]:
    """The names of the mimic logs by log id.

    Chrome's lists for enforcement libraries contain them to make those
    libraries fail: anybody can sign with their keys.
    """
    return _mimic_logs()


def chrome_list_key() -> bytes:
    """The public key, as PEM, that Chrome's log lists are signed with."""
    return _resource("chrome_log_list_key.pem")


@cache
def table_sources() -> tuple[TableSource, ...]:
    """The lists that the table was made from."""
    return tuple(
        TableSource(
            program=Program(raw["program"]),
            name=raw["name"],
            version=raw.get("version", ""),
            date=_time(raw["date"]),
        )
        for raw in _table()["sources"]
    )


def _resource(name: str) -> bytes:
    return files("pinwarden").joinpath("data", name).read_bytes()


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_resource("known_logs.json"))
    if table["format"] != _FORMAT:
        raise RuntimeError(f"known_logs.json has format {table['format']}, not {_FORMAT}")
    return table


@cache
def _mimic_logs() -> Mapping[LogID, str]:
    mimics = {LogID(sha256(b64decode(key)).digest()): name for name, key in _table()["mimics"]}
    return MappingProxyType(mimics)


@cache
def _known_logs() -> LogList:
    newest = {program: source.date for program in Program if (source := newest_source(program))}
    return LogList(
        logs=tuple(_log(raw, newest) for raw in _table()["logs"]),
        timestamp=min(newest.values(), default=None),
        source=SOURCE,
    )


def _log(raw: dict[str, Any], newest: dict[Program, datetime]) -> Log:
    key = b64decode(raw["key"])
    kind = LogKind(raw.get("kind", LogKind.RFC6962))
    submission = raw.get("submission_url", raw["url"])
    interval = raw.get("interval")
    final_size, final_root = raw.get("final", (None, None))
    listings = tuple(
        _listing(Program(program), value, newest) for program, value in raw["programs"].items()
    )
    state, since = merged_state(listings)
    return Log(
        log_id=LogID(sha256(key).digest()),
        key=key,
        description=raw["name"],
        operator=listings[0].operator,
        kind=kind,
        url=raw["url"],
        submission_url=submission,
        origin=origin_of(submission) if kind is LogKind.STATIC else "",
        mmd=timedelta(seconds=raw["mmd"]) if "mmd" in raw else DEFAULT_MMD,
        state=state,
        state_since=since,
        interval=(_time(interval[0]), _time(interval[1])) if interval else None,
        final_size=final_size,
        final_root=RootHash(b64decode(final_root)) if final_root else None,
        log_type=raw.get("type", ""),
        previous_operators=tuple(
            PreviousOperator(name, _time(until)) for name, until in raw.get("operators_before", ())
        ),
        listings=listings,
    )


def _listing(program: Program, raw: dict[str, Any], newest: dict[Program, datetime]) -> Listing:
    """`states` is oldest first; `until` is the date of the last list with the log."""
    states = [(LogState(name), _time(since) if since else None) for name, since in raw["states"]]
    state, since = states[-1] if states else (LogState.UNKNOWN, None)
    return Listing(
        program=program,
        operator=raw["operator"],
        state=state,
        since=since,
        earlier=tuple(states[:-1]),
        as_of=_time(raw["until"]) if "until" in raw else newest[program],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

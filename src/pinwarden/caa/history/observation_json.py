"""Observations as JSON: what `pinwarden caa history --json` writes can be read again.

One look has `at`, an observation of several looks `first_seen` and `last_seen`; `failure`
says that the lookup failed, in place of `records`, and so do records that are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwarden.caa.history.observation import Observation, record_text
from pinwarden.caa.lookup import DNSSECState, Failure
from pinwarden.caa.presentation import read_presentation
from pinwarden.errors import MalformedError, quoted
from pinwarden.names import normalise_name

_FAILURES = {failure.value: failure for failure in Failure}
_MOST = 1_000_000


def observation_json(observation: Observation) -> dict[str, Any]:
    """The documented object of one observation; texts are as they were seen."""
    return {
        "name": observation.name,
        "first_seen": _moment(observation.first_seen),
        "last_seen": _moment(observation.last_seen),
        "count": observation.count,
        "longest_gap_seconds": int(observation.longest_gap.total_seconds()),
        "relevant_name": observation.relevant_name,
        "records": list(observation.records),
        "ttl": observation.ttl,
        "dnssec": observation.dnssec.value,
        "failure": None if observation.failure is None else observation.failure.value,
        "problem": observation.problem,
        "resolver": observation.resolver,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_observations(text: str) -> tuple[Observation, ...]:
    """Observations from a JSON array, or one object a line.

    Raises `MalformedError` naming the observation and what is wrong with it.
    """
    found = []
    for number, value in enumerate(_values(text), 1):
        if number > _MOST:
            raise MalformedError(f"observations: more than {_MOST}")
        try:
            found.append(_observation(value))
        except MalformedError as error:
            raise MalformedError(f"observation {number}: {error}", hint=error.hint) from error
    return tuple(found)


def _values(text: str) -> Iterator[Any]:
    if text.lstrip()[:1] == "[":
        yield from _loaded(text, "observations")
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _loaded(line, f"line {number}")


def _loaded(text: str, subject: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise MalformedError(f"{subject}: not JSON: {error}") from error
    except RecursionError as error:
        raise MalformedError(f"{subject}: JSON nested too deeply") from error


def _observation(value: Any) -> Observation:
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    first = _time(value, "at" if "at" in value else "first_seen")
    last = _time(value, "last_seen") if "last_seen" in value else first
    if last < first:
        raise MalformedError("last_seen is before first_seen")
    failure = _failure(value)
    return Observation(
        name=_name(value, "name") or "",
        relevant_name=_name(value, "relevant_name"),
        records=() if failure is not None else _records(value.get("records")),
        ttl=_number(value, "ttl"),
        dnssec=_dnssec(value.get("dnssec")),
        failure=failure,
        problem=_text(value, "problem"),
        resolver=_text(value, "resolver"),
        first_seen=first,
        last_seen=last,
        count=_number(value, "count") or 1,
        longest_gap=timedelta(seconds=_number(value, "longest_gap_seconds") or 0),
    )


def _time(value: dict[str, Any], key: str) -> datetime:
    text = value.get(key)
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise MalformedError(f"{key}: {quoted(str(text))} is no time such as 2026-11-24T08:00:00Z")
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise MalformedError(f"{key}: {quoted(str(text))} is out of range") from None


def _name(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is None and key != "name":
        return None
    if not isinstance(text, str):
        raise MalformedError(f"{key}: not a name")
    return normalise_name(text.removeprefix("*."))


def _records(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedError("records: not a list of records in presentation form")
    return tuple(dict.fromkeys(record_text(read_presentation(each)) for each in value))


def _failure(value: dict[str, Any]) -> Failure | None:
    failure = value.get("failure")
    if failure is None or failure is False:
        unknown = "records" in value and value["records"] is None
        return Failure.OTHER_RCODE if unknown else None
    return _FAILURES.get(str(failure).lower(), Failure.OTHER_RCODE)


def _dnssec(value: Any) -> DNSSECState:
    try:
        return DNSSECState(value or DNSSECState.INDETERMINATE)
    except ValueError:
        raise MalformedError(f"dnssec: {quoted(str(value))} is no state of DNSSEC") from None


def _number(value: dict[str, Any], key: str) -> int | None:
    number = value.get(key)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**32:
        raise MalformedError(f"{key}: not a number from 0 to 4294967295")
    return number


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise MalformedError(f"{key}: not text")
    return text

"""How far a rotation is: the table `[policy.rotation]` that a pin set file keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pinwarden.errors import MalformedError, quoted
from pinwarden.pinning.pin import Pin, parse_pin

__all__ = ["LONGEST_LAG", "NewWas", "Rotation", "Stage", "parse_rotation"]

LONGEST_LAG = 3650
"""Days; whoever needs more has clients that are never updated."""

_MOST_OLD = 100
_KEYS = frozenset(
    {"stage", "old", "new", "client_lag_days", "new_was"}
    | {"prepared", "published", "switching", "promoted"}
)


class Stage(StrEnum):
    """The last step done.

    PREPARED: the new pin is in the file. PUBLISHED: clients are being given that file.
    SWITCHING: all of them have it, so servers may change. PROMOTED: all servers have.
    """

    PREPARED = "prepared"
    PUBLISHED = "published"
    SWITCHING = "switching"
    PROMOTED = "promoted"


class NewWas(StrEnum):
    """What the new pin was to the policy before the rotation."""

    UNKNOWN = "unknown"
    BACKUP = "backup"
    IN_USE = "in-use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A rotation under way, with the day of each step in UTC.

    `old` are the keys to be replaced: several where a whole CA is left.
    `client_lag` is the number of days after which no client has an older set than the one
    published.
    """

    stage: Stage
    old: tuple[Pin, ...]
    new: Pin
    client_lag: int
    new_was: NewWas
    prepared: date
    published: date | None = None
    switching: date | None = None
    promoted: date | None = None

    @property
    def switch_from(self) -> date | None:
        """The first day on which every client has the new pin; None before publication.

        The set may have been published late on its day, so that a whole day more is waited.
        """
        if self.published is None:
            return None
        return self.published + timedelta(days=self.client_lag + 1)

    def table(self) -> dict[str, object]:
        """As the file keeps it."""
        found: dict[str, object] = {
            "stage": str(self.stage),
            "old": [str(pin) for pin in self.old],
            "new": str(self.new),
            "client_lag_days": self.client_lag,
            "new_was": str(self.new_was),
        }
        for step in Stage:
            if (day := getattr(self, step.value)) is not None:
                found[step.value] = day
        return found


def parse_rotation(table: Mapping[str, Any]) -> Rotation:
    """The rotation in a table of a file; raises `MalformedError` in one line."""
    for key in table:
        if key not in _KEYS:
            raise MalformedError(f"rotation: has no key {quoted(str(key))}")
    stage = table.get("stage")
    if not isinstance(stage, str) or stage not in list(Stage):
        raise MalformedError(f"rotation: has no stage {quoted(str(stage))}")
    lag, was = table.get("client_lag_days"), table.get("new_was")
    if isinstance(lag, bool) or not isinstance(lag, int) or not 0 <= lag <= LONGEST_LAG:
        raise MalformedError(f"rotation: client_lag_days is not a number from 0 to {LONGEST_LAG}")
    if not isinstance(was, str) or was not in list(NewWas):
        raise MalformedError(f"rotation: new_was is not one of {', '.join(NewWas)}")
    days = {step: _day(table, step.value) for step in Stage}
    _refuse_disorder(Stage(stage), days)
    prepared = days[Stage.PREPARED]
    assert prepared is not None
    return Rotation(
        stage=Stage(stage),
        old=_old(table.get("old")),
        new=_pin(table.get("new"), "new"),
        client_lag=lag,
        new_was=NewWas(was),
        prepared=prepared,
        published=days[Stage.PUBLISHED],
        switching=days[Stage.SWITCHING],
        promoted=days[Stage.PROMOTED],
    )


def _refuse_disorder(stage: Stage, days: Mapping[Stage, date | None]) -> None:
    """Every step up to the last one has its day, and none after it."""
    steps = list(Stage)
    for number, step in enumerate(steps):
        if number <= steps.index(stage) and days[step] is None:
            raise MalformedError(f"rotation: is {stage}, and does not say when it was {step}")
        if number > steps.index(stage) and days[step] is not None:
            raise MalformedError(f"rotation: is only {stage}, and says when it was {step}")


def _old(value: object) -> tuple[Pin, ...]:
    found = tuple(_pin(each, "old") for each in value) if isinstance(value, list) else ()
    if not 0 < len(found) <= _MOST_OLD or len(set(found)) < len(found):
        raise MalformedError("rotation: old is not a list of pins")
    return found


def _pin(text: object, key: str) -> Pin:
    if not isinstance(text, str):
        raise MalformedError(f"rotation: {key} is not a pin")
    return parse_pin(text)


def _day(table: Mapping[str, Any], key: str) -> date | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise MalformedError(f"rotation: {key} is not a date such as 2027-06-30")
    # Whoever counts days from it must not leave the calendar.
    if not 1900 <= value.year <= 9900:
        raise MalformedError(f"rotation: {key} is not a date of this age")
    return value

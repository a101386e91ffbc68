"""The editions of the policies, as `data/ct_policies.json` has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from pinwarden.ct.log import Program
from pinwarden.ct.policy.result import BrowserPolicy
from pinwarden.ct.sct import SCTSource

__all__ = ["Edition", "Lifetime", "Operators", "Policy", "Pool", "Requirement", "edition_at"]

_FORMAT = 1
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Pool(StrEnum):
    """Which SCTs stand together where operators are counted.

    `own` are those that came in the same way, and count. `current` are those of logs approved
    now, however they came; `all` takes embedded ones of retired logs in as well, which Chrome
    does and its written policy does not say.
    """

    OWN = "own"
    CURRENT = "current"
    ALL = "all"


class Operators(StrEnum):
    """How different the operators have to be."""

    ANY = "any"
    TWO = "two"
    GOOGLE_AND_ANOTHER = "google-and-another"


class Lifetime(StrEnum):
    """How a lifetime is measured.

    `months` are calendar months of which a part counts as more than the whole ones;
    `whole-months` drop it. RFC 5280 (section 4.1.2.5) has the last second belong to the
    validity, and `days-inclusive` counts it.
    """

    DAYS = "days"
    DAYS_INCLUSIVE = "days-inclusive"
    MONTHS = "months"
    WHOLE_MONTHS = "whole-months"

    @property
    def unit(self) -> str:
        """What the numbers of the table count."""
        return "days" if self in (Lifetime.DAYS, Lifetime.DAYS_INCLUSIVE) else "months"

    def measure(self, start: datetime, end: datetime) -> float:
        """The lifetime from `start` to `end` in units; negative ones are as short as any.

        What is over a whole number of months counts as a half, however much it is.
        """
        if self is Lifetime.DAYS:
            return (end - start) / _DAY
        if self is Lifetime.DAYS_INCLUSIVE:
            return (end - start + _SECOND) / _DAY
        if end < start:
            return 0
        months = (end.year - start.year) * 12 + end.month - start.month
        if end.day < start.day:
            months -= 1
        # As Chrome did it: the time of day is not looked at.
        over = 0.5 if self is Lifetime.MONTHS and end.day != start.day else 0
        return months + over


@dataclass(frozen=True, slots=True)
class Requirement:
    """How many embedded SCTs of distinct logs, and how many of one operator count."""

    scts: int
    per_operator: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of the rules of one policy, and when it is in force.

    It is for checks from `since` on, of certificates issued from `issued_from` on, or of all
    from `all_from` on. `external` are the ways outside the certificate that count. With
    `interval` a log counts only inside its temporal interval; with `static_index` the SCT of a
    static-ct log counts only if it has a leaf index.
    """

    name: str
    since: datetime
    source: str
    issued_from: datetime | None
    all_from: datetime | None
    issued_by_sct: bool
    lifetime: Lifetime
    table: tuple[tuple[float, bool, Requirement], ...]
    external: frozenset[SCTSource]
    pool: Pool
    operators: Operators
    rfc6962_log: bool
    interval: bool
    static_index: bool

    def requirement(self, lifetime: float) -> Requirement:
        """What a certificate of this lifetime, in the units of the table, needs."""
        return self.table[self._row(lifetime)][2]

    def span(self, lifetime: float) -> str:
        """The lifetimes for which as much is asked, in words such as `up to 180 days`."""
        row = self._row(lifetime)
        limit, inclusive, _ = self.table[row]
        if row == len(self.table) - 1:
            limit, word = self.table[row - 1][0], "more than"
        else:
            word = "up to" if inclusive else "less than"
        return f"{word} {limit:g} {self.lifetime.unit}"

    def _row(self, lifetime: float) -> int:
        return next(
            row
            for row, (limit, inclusive, _) in enumerate(self.table)
            if lifetime < limit or (inclusive and lifetime == limit)
        )

    def covers(self, issued: datetime, at: datetime) -> bool:
        """Whether a check at `at` of what was issued then is under this edition."""
        if at < self.since:
            return False
        by_issue = self.issued_from is None or issued >= self.issued_from
        return by_issue or (self.all_from is not None and at >= self.all_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whose rules they are, which programs' lists they look at, and the editions, oldest first.

    `asked_from` is when certificates began to need it: the browser asks nothing of older
    ones. `list_lasts` is how old a list may be before the browser stops asking.
    """

    name: str
    programs: tuple[Program, ...]
    asked_from: datetime | None
    list_lasts: timedelta | None
    editions: tuple[Edition, ...]


def edition_at(
    policy: Policy, at: datetime, not_before: datetime | None, earliest_sct: datetime | None
) -> Edition | None:
    """The edition for a check at `at`; None before the first one.

    When a certificate was issued is told by its first SCT or by its notBefore, as the edition
    says; where that is not there, the other one is taken, and else the time of the check.
    """
    for edition in reversed(policy.editions):
        told = (earliest_sct, not_before) if edition.issued_by_sct else (not_before, earliest_sct)
        issued = next((each for each in told if each is not None), at)
        if edition.covers(issued, at):
            return edition
    return next((each for each in policy.editions[:1] if at >= each.since), None)


def policy_rules(policy: BrowserPolicy) -> Policy:
    """The rules of a policy."""
    return _policies()[policy]


@cache
def _policies() -> Mapping[BrowserPolicy, Policy]:
    data = json.loads(files("pinwarden").joinpath("data", "ct_policies.json").read_bytes())
    if data["format"] != _FORMAT:
        raise RuntimeError(f"ct_policies.json has format {data['format']}, not {_FORMAT}")
    return {policy: _policy(data["policies"][policy.value]) for policy in BrowserPolicy}


def _policy(raw: Mapping[str, Any]) -> Policy:
    days = raw.get("list_lasts_days")
    return Policy(
        name=raw["name"],
        programs=tuple(map(Program, raw["programs"])),
        asked_from=_time(raw.get("asked_from")),
        list_lasts=timedelta(days=days) if days else None,
        editions=tuple(map(_edition, raw["editions"])),
    )


def _edition(raw: Mapping[str, Any]) -> Edition:
    since = _time(raw["from"])
    assert since is not None
    return Edition(
        name=raw["name"],
        since=since,
        source=raw["source"],
        issued_from=_time(raw.get("issued_from")),
        all_from=_time(raw.get("all_from")),
        issued_by_sct=raw["issued_by"] == "earliest-sct",
        lifetime=Lifetime(raw["lifetime"]),
        table=tuple(map(_row, raw["table"])),
        external=frozenset(map(SCTSource, raw["external"])),
        pool=Pool(raw["pool"]),
        operators=Operators(raw.get("operators", Operators.ANY)),
        rfc6962_log=raw.get("rfc6962_log", False),
        interval=raw.get("interval", False),
        static_index=raw.get("static_index", False),
    )


def _row(raw: Mapping[str, Any]) -> tuple[float, bool, Requirement]:
    """The limit of a row, whether it belongs to the row, and what the row asks for."""
    required = Requirement(raw["scts"], raw.get("per_operator"))
    if "less_than" in raw:
        return raw["less_than"], False, required
    return raw.get("up_to", float("inf")), True, required


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None

"""What every part of the lint is given, and the form in which it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pinwarden.findings import Finding, FindingKind
from pinwarden.names import display
from pinwarden.pinning.draft import DraftPolicy
from pinwarden.pinning.policy import PinRole
from pinwarden.pinning.served import Served

__all__ = ["LintSetting", "days", "found", "shown_keys", "shown_set"]

_LONGEST_HOST = 260
_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintSetting:
    """The moment of the lint (an aware time), and what is known besides the set.

    `served` has the hosts that were asked. `anchors` are the certificates in DER that the
    clients trust; empty if that is not known. `is_public_suffix` tells for a name whether
    strangers register below it; `is_own` whether a host is the author's own. None leaves
    the check out. `soon` is how long before an end it is told of.
    """

    at: datetime
    served: Served = field(default_factory=dict)
    anchors: tuple[bytes, ...] = ()
    is_public_suffix: Callable[[str], bool] | None = None
    is_own: Callable[[str], bool] | None = None
    soon: timedelta = _SOON

    @property
    def today(self) -> date:
        """The day of the lint in UTC."""
        return self.at.date()


def found(kind: FindingKind, policy: DraftPolicy | None, message: str, where: str = "") -> Finding:
    """One finding about a policy, or about the set as a whole."""
    details: Mapping[str, str] = {"where": where} if where else {}
    subject = "" if policy is None else policy.host
    return Finding(kind=kind, subject=subject, message=message, details=tuple(details.items()))


def shown_keys(policy: DraftPolicy) -> list[str]:
    """Where each key of a policy stands, for people: the list that it is in, and its comment."""
    places: Counter[PinRole] = Counter()
    shown = []
    for key in policy.keys:
        places[key.role] += 1
        note = f" ({display(key.comment, 80)})" if key.comment else ""
        shown.append(f"{key.role} pin {places[key.role]}{note}")
    return shown


def shown_set(policy: DraftPolicy) -> str:
    """The host of a policy, and what it covers besides."""
    host = display(policy.host, _LONGEST_HOST)
    return f"{host} and what is below it" if policy.include_subdomains else host


def days(until: date, today: date) -> str:
    """How far off a day is, in words."""
    left = (until - today).days
    if left == 0:
        return "today"
    return (
        f"in {left} day{'s' * (left != 1)}" if left > 0 else f"{-left} day{'s' * (left != -1)} ago"
    )

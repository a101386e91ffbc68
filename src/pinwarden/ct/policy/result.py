"""What a CT policy says of one certificate at one time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["BrowserPolicy", "Forecast", "PolicyResult", "RuleResult"]


class BrowserPolicy(StrEnum):
    """Whose policy."""

    CHROME = "chrome"
    APPLE = "apple"
    FIREFOX = "firefox"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule: passed, failed, or None where it cannot be told.

    `rule` is a stable word such as `distinct-operators`, `reason` one line with the
    numbers that decided, `source` where the rule is written.
    """

    rule: str
    passed: bool | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """What one policy says at one time; `compliant` is None where it cannot be told.

    `edition` names the version of the rules, such as `chrome 2026-04-15`; `way` says which
    of several ways was met or came nearest: `embedded` or `tls-or-ocsp`. `notes` is what
    else there is to know, one line each, and decides nothing.
    """

    policy: BrowserPolicy
    at: datetime
    compliant: bool | None
    edition: str
    way: str
    rules: tuple[RuleResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What decided, in words: every rule that failed, or else every one that passed."""
        failed = tuple(rule.reason for rule in self.rules if rule.passed is not True)
        return failed or tuple(rule.reason for rule in self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A day from which the answer will be another one, as far as is known today."""

    policy: BrowserPolicy
    at: datetime
    compliant: bool | None
    because: str

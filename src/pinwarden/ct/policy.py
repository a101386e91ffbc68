"""What browsers ask of the SCTs of a certificate: dated rules, and what they come to.

The rules are data (`data/ct_policies.json`), each with the time in which it was in force
and its source, so that the question can be asked for any day. Chrome, Apple and Firefox
count differently, and each looks at its own log list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.ct.presented import JudgedSCT
from pinwarden.x509.certificate import CertificateView

__all__ = [
    "BrowserPolicy",
    "Forecast",
    "PolicyResult",
    "RuleResult",
    "evaluate_policies",
    "evaluate_policy",
    "forecast_policy",
]


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
    of several ways was met or came nearest: `embedded` or `tls-or-ocsp`.
    """

    policy: BrowserPolicy
    at: datetime
    compliant: bool | None
    edition: str
    way: str
    rules: tuple[RuleResult, ...]

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


def evaluate_policy(
    policy: BrowserPolicy,
    certificate: CertificateView,
    scts: Sequence[JudgedSCT],
    at: datetime,
) -> PolicyResult:
    """Whether the SCTs of a certificate meet one policy at a time.

    What each log was to the program at that time comes from the listings of `JudgedSCT.log`.
    Never raises.
    """
    raise NotImplementedError


def evaluate_policies(
    certificate: CertificateView, scts: Sequence[JudgedSCT], at: datetime
) -> tuple[PolicyResult, ...]:
    """All policies, in the order of `BrowserPolicy`."""
    return tuple(evaluate_policy(policy, certificate, scts, at) for policy in BrowserPolicy)


def forecast_policy(
    policy: BrowserPolicy,
    certificate: CertificateView,
    scts: Sequence[JudgedSCT],
    at: datetime,
) -> tuple[Forecast, ...]:
    """The days after `at`, and before the certificate ends, on which the answer changes."""
    raise NotImplementedError

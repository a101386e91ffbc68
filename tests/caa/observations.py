"""Observations and certificates, each with a sensible default for what a test is not about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pinwarden.caa.history.issuance import HistoryVerdict, Issuance, evaluate_at_issuance
from pinwarden.caa.history.observation import Observation
from pinwarden.caa.lookup import Failure

CA1 = '0 issue "ca1.example.net"'
CA2 = '0 issue "ca2.example.org"'
NOBODY = '0 issue ";"'

ISSUED = datetime(2026, 5, 2, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    """A time so many hours before (negative) or after the issuance."""
    return ISSUED + timedelta(hours=number)


def look(at: float, *records: str, **other: Any) -> Observation:
    """One look, `at` hours from the issuance."""
    values: dict[str, Any] = {
        "name": "example.com",
        "relevant_name": "example.com" if records else None,
        "records": records,
        "ttl": 300,
        "first_seen": hours(at),
        "last_seen": hours(at),
    }
    return Observation(**(values | other))


def failure(at: float, **other: Any) -> Observation:
    """One look that failed."""
    values = {"relevant_name": "example.com", "failure": Failure.SERVFAIL, "ttl": None}
    return look(at, **(values | {"problem": "SERVFAIL"} | other))


def certificate(*names: str, **other: Any) -> Issuance:
    """A certificate of ca1.example.net for example.com."""
    values: dict[str, Any] = {
        "names": names or ("example.com",),
        "issuers": ("ca1.example.net",),
        "earliest_sct": ISSUED,
        "not_before": ISSUED,
    }
    return Issuance(**(values | other))


def judged(*looks: Observation, **other: Any) -> tuple[str, str]:
    """Verdict and reason for that certificate after these looks."""
    verdict = verdict_of(*looks, **other)
    return verdict.verdict.value, str(verdict.reason)


def verdict_of(*looks: Observation, **other: Any) -> HistoryVerdict:
    """The whole verdict."""
    return evaluate_at_issuance(looks, certificate(*other.pop("names", ()), **other))

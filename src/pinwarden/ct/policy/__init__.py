"""What browsers ask of the SCTs of a certificate: dated rules, and what they come to.

The rules are data (`data/ct_policies.json`), each with the time in which it was in force
and its source, so that the question can be asked for any day. Chrome, Apple and Firefox
count differently, and each looks at its own log list.
"""

from __future__ import annotations

from pinwarden.ct.policy.evaluate import evaluate_policies, evaluate_policy
from pinwarden.ct.policy.forecast import forecast_policy
from pinwarden.ct.policy.result import BrowserPolicy, Forecast, PolicyResult, RuleResult
from pinwarden.ct.policy.standing import list_dates

__all__ = [
    "BrowserPolicy",
    "Forecast",
    "PolicyResult",
    "RuleResult",
    "evaluate_policies",
    "evaluate_policy",
    "forecast_policy",
    "list_dates",
]

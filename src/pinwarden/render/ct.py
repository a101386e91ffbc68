"""SCTs and what browsers say of them, as every command has them in JSON.

Text stays as it was read (JSON carries any string), and every list and string is bounded:
whoever serves a certificate or a log list chooses their size.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT
from pinwarden.errors import MalformedError
from pinwarden.pinning.moments import to_moment

__all__ = ["forecast_json", "operator_of", "policy_json", "sct_json"]

_MOST_ITEMS = 1000
_LONGEST_TEXT = 1000


def sct_json(judged: JudgedSCT) -> dict[str, object]:
    """One SCT, verified or not."""
    sct, log = judged.sct, judged.log
    operator = operator_of(judged)
    return {
        "log_id": None if sct is None else b64encode(sct.log_id).decode("ascii"),
        "log": None if log is None else _cut(log.description),
        "operator": _cut(operator) if operator else None,
        "timestamp": None if sct is None else _milliseconds(sct.timestamp),
        "source": str(judged.source),
        "leaf_index": _leaf_index(judged),
        "status": str(judged.status),
        "reason": _cut(judged.reason),
        "flaws": [str(each) for each in judged.flaws],
    }


def operator_of(judged: JudgedSCT) -> str:
    """Who ran the log when it signed, "" if that is not known: logs change hands."""
    if judged.log is None or judged.sct is None:
        return ""
    return judged.log.operator_at(judged.sct.timestamp)


def policy_json(result: PolicyResult) -> dict[str, object]:
    """What one browser says, rule by rule."""
    return {
        "policy": str(result.policy),
        "compliant": result.compliant,
        "reasons": _cut_all(result.reasons),
        "edition": _cut(result.edition),
        "way": _cut(result.way),
        "rules": [
            {
                "rule": _cut(rule.rule),
                "passed": rule.passed,
                "reason": _cut(rule.reason),
                "source": _cut(rule.source),
            }
            for rule in result.rules[:_MOST_ITEMS]
        ],
        "notes": _cut_all(result.notes),
    }


def forecast_json(forecast: Forecast) -> dict[str, object]:
    """A day on which an answer changes."""
    return {
        "policy": str(forecast.policy),
        "at": to_moment(forecast.at),
        "compliant": forecast.compliant,
        "because": _cut(forecast.because),
    }


def _milliseconds(moment: datetime) -> str:
    """As signed: an SCT counts in milliseconds (RFC 6962 section 3.2)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _leaf_index(judged: JudgedSCT) -> int | None:
    """Where a static-ct log has the entry; None also for extensions that are none."""
    try:
        return None if judged.sct is None else judged.sct.leaf_index
    except MalformedError:
        return None


def _cut_all(texts: Sequence[str]) -> list[str]:
    return [_cut(text) for text in texts[:_MOST_ITEMS]]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"

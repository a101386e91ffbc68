"""SCTs and what browsers say of them, as every command has them in JSON.

Text stays as it was read (JSON carries any string), and every list and string is bounded:
whoever serves a certificate or a log list chooses their size.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

from pinwarden.ct.log import Log
from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT
from pinwarden.ct.sct import SCT, SCTSource
from pinwarden.errors import MalformedError
from pinwarden.pinning.moments import to_moment
from pinwarden.render.json_values import MOST_ITEMS, cut, cut_all

__all__ = ["forecast_json", "operator_of", "policy_json", "promise_json", "sct_json"]


def sct_json(judged: JudgedSCT) -> dict[str, object]:
    """One SCT, verified or not."""
    return {
        **promise_json(judged.sct, judged.log, judged.source),
        "leaf_index": _leaf_index(judged),
        "status": str(judged.status),
        "reason": cut(judged.reason),
        "flaws": [str(each) for each in judged.flaws],
    }


def promise_json(sct: SCT | None, log: Log | None, source: SCTSource) -> dict[str, object]:
    """Whose promise an SCT is, of when, and how it came; None where that is not known."""
    operator = _operator(sct, log)
    return {
        "log_id": None if sct is None else b64encode(sct.log_id).decode("ascii"),
        "log": None if log is None else cut(log.description),
        "operator": cut(operator) if operator else None,
        "timestamp": None if sct is None else _milliseconds(sct.timestamp),
        "source": str(source),
    }


def operator_of(judged: JudgedSCT) -> str:
    """Who ran the log when it signed, "" if that is not known: logs change hands."""
    return _operator(judged.sct, judged.log)


def _operator(sct: SCT | None, log: Log | None) -> str:
    return "" if sct is None or log is None else log.operator_at(sct.timestamp)


def policy_json(result: PolicyResult) -> dict[str, object]:
    """What one browser says, rule by rule."""
    return {
        "policy": str(result.policy),
        "compliant": result.compliant,
        "reasons": cut_all(result.reasons),
        "edition": cut(result.edition),
        "way": cut(result.way),
        "rules": [
            {
                "rule": cut(rule.rule),
                "passed": rule.passed,
                "reason": cut(rule.reason),
                "source": cut(rule.source),
            }
            for rule in result.rules[:MOST_ITEMS]
        ],
        "notes": cut_all(result.notes),
    }


def forecast_json(forecast: Forecast) -> dict[str, object]:
    """A day on which an answer changes."""
    return {
        "policy": str(forecast.policy),
        "at": to_moment(forecast.at),
        "compliant": forecast.compliant,
        "because": cut(forecast.because),
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

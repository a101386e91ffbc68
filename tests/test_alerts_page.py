"""The page about alerts names everything that receivers are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pinwarden.net.channels.environment import alert_environment
from pinwarden.render import alert_json
from support.alerts import digest, issuance, log_fork, unreadable

_PAGE = (Path(__file__).parents[1] / "docs" / "alerts.md").read_text(encoding="utf-8")
_ALERTS = (issuance(fingerprint=digest("certificate")), unreadable(), log_fork())


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in _keys(item)}
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    return set()


def test_every_json_key_is_documented() -> None:
    """No key of the JSON of any kind of alert is missing."""
    keys = {key for alert in _ALERTS for key in _keys(alert_json(alert))}
    assert {key for key in keys if f"`{key}`" not in _PAGE and f'"{key}"' not in _PAGE} == set()


def test_every_variable_is_documented() -> None:
    """No environment variable of the command channel is missing."""
    names = {name for alert in _ALERTS for name in alert_environment(alert_json(alert))}
    missing = {name for name in names if f"`{name}`" not in _PAGE}
    assert missing == {"NOT_AFTER", "NOT_AFTER_RFC3339", "NOT_AFTER_UNIXTIME"}
    assert "`NOT_AFTER…`" in _PAGE

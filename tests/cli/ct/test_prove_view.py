"""How `pinwarden ct prove` names logs."""

from __future__ import annotations

from dataclasses import replace

from pinwarden.cli.ct.prove_view import log_name
from pinwarden.ct.known_logs import known_logs


def test_a_test_log_is_called_one() -> None:
    """What is proven to be in it is proven to be in nothing that counts."""
    log = known_logs().logs[0]
    assert log_name(replace(log, log_type="test"), None) == f"{log.description} (test log)"
    assert log_name(replace(log, log_type=""), None) == log.description
    assert log_name(None, None) == "an unreadable SCT"

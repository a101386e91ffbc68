"""Asking the sources of history, and showing what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pinwarden.cli.history_sources import history_from, load_history
from pinwarden.cli.output import ExitCode, answer, answer_json, say, say_error
from pinwarden.render.history import issuance_json, issuance_line


def search_names(
    names: Sequence[str], options: dict[str, Any], *, below: bool, expired: bool, as_json: bool
) -> int:
    """Show the issuances for all names and return the exit code; raises `ConfigError`."""
    at = datetime.now(UTC)
    chosen = history_from(options, at=at, below=below, expired=expired)
    history = load_history(names, chosen)
    for issuance, told in zip(history.issuances, history.told, strict=True):
        if as_json:
            answer_json(issuance_json(issuance, told))
        else:
            answer(issuance_line(issuance, told, at))
    for note in history.notes:
        say(f"note: {note}")
    for error in history.failures:
        say_error(error)
    if not history.issuances:
        untold = " by those who answered" if history.failures else ""
        say(f"no certificate is told of{untold}")
    return ExitCode.UNFINISHED if history.failures else ExitCode.OK

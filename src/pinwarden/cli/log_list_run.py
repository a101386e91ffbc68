"""What `pinwarden log-list` does: loads, fetches and compares the lists."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pinwarden.cli.kept_logs import cache_folder
from pinwarden.cli.log_list_view import (
    Change,
    render_changes,
    render_lists,
    show_document,
    update_document,
)
from pinwarden.cli.output import ExitCode, answer, answer_json, on_terminal
from pinwarden.config import CONTACT_VARIABLE, Config, default_config_file, load_config
from pinwarden.ct.loglist import merge_log_lists
from pinwarden.errors import OutsideError
from pinwarden.findings import LOG_LIST_UNREACHABLE, Finding, Severity
from pinwarden.net.http import HTTPClient
from pinwarden.net.loglists.fetch import fetch_log_list
from pinwarden.net.loglists.known import load_log_list
from pinwarden.net.loglists.sources import ListInUse, ListSource, list_source


def show_lists(
    named: tuple[str, ...], config_file: Path | None, *, as_json: bool, everything: bool
) -> ExitCode:
    """Show the lists as they would be used now, without asking anybody."""
    at = datetime.now(UTC)
    sources = _sources(named, _config(config_file))
    lists = [load_log_list(source, cache_folder(), at=at) for source in sources]
    merged = merge_log_lists([each.log_list for each in lists])
    if as_json:
        answer_json(show_document(lists, merged, at, everything))
    else:
        answer(render_lists(lists, merged, at, everything, rich=on_terminal()))
    return _exit_code(lists)


def update_lists(
    named: tuple[str, ...], config_file: Path | None, *, as_json: bool, contact: str | None
) -> ExitCode:
    """Fetch the newest lists, and show what changed."""
    config = _config(config_file)
    sources = _sources(named, config)
    at = datetime.now(UTC)
    changes = asyncio.run(
        _update(sources, at, contact or os.environ.get(CONTACT_VARIABLE) or config.contact)
    )
    if as_json:
        answer_json(update_document(changes, at))
    else:
        answer(render_changes(changes, at))
    return _exit_code(change.after for change in changes)


async def _update(sources: Iterable[ListSource], at: datetime, contact: str | None) -> list[Change]:
    async with HTTPClient(contact) as http:
        return [await _update_one(http, source, at) for source in sources]


async def _update_one(http: HTTPClient, source: ListSource, at: datetime) -> Change:
    try:
        before = await asyncio.to_thread(load_log_list, source, cache_folder(), at=at)
    except OutsideError:
        before = None
    after = await fetch_log_list(http, source, cache_folder(), at=at)
    return Change(before, after)


def _config(file: Path | None) -> Config:
    if file is None and default_config_file().is_file():
        file = default_config_file()
    return load_config(file) if file is not None else Config()


def _sources(named: tuple[str, ...], config: Config) -> list[ListSource]:
    return [list_source(each) for each in named or config.logs.lists]


def _exit_code(lists: Iterable[ListInUse]) -> ExitCode:
    findings = [finding for each in lists for finding in each.findings]
    if any(_matters(finding) for finding in findings):
        return ExitCode.FINDINGS
    if any(finding.kind is LOG_LIST_UNREACHABLE for finding in findings):
        return ExitCode.UNFINISHED
    return ExitCode.OK


def _matters(finding: Finding) -> bool:
    return finding.severity not in {Severity.INFO, Severity.LOW}

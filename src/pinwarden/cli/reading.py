"""The options, and the ways to the store, that commands have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pinwarden.errors import ConfigError, quoted
from pinwarden.findings import REGISTER

if TYPE_CHECKING:
    from pinwarden.store.contract import Store

T = TypeVar("T")

store_option = click.option(
    "--store", metavar="URL", help="Where what was seen is kept [default: the user's state folder]."
)
config_option = click.option(
    "-c",
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file [default: the user's, if there is one].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON lines instead of text.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress on stderr.")


def store_url(named: str | None, config_file: Path | None) -> str:
    """The store that a command reads: named, configured, or the default one."""
    from pinwarden.cli.wiring import configured_store

    return named or configured_store(config_file)


def read_store(url: str, read: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store, do one thing, close it."""
    import asyncio

    from pinwarden.cli.wiring import opened_store

    async def run() -> T:
        async with await opened_store(url, create=False) as store:
            return await read(store)

    return asyncio.run(run())


def ignored_findings(given: Sequence[str], page: str) -> frozenset[str]:
    """The ids after --ignore, in upper case; a misspelt one would be left in without a word.

    Raises `ConfigError`, which names the `page` that lists them.
    """
    ids = frozenset(each.upper() for each in given)
    for each in sorted(ids - REGISTER.keys()):
        raise ConfigError(f"--ignore {quoted(each)}: no such finding", hint=f"see {page}")
    return ids


_FIRST_YEAR, _LAST_YEAR = 1900, 9900


def parse_moment(text: str | None, option: str) -> datetime | None:
    """A date or time as a person writes it, UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        # Whoever counts days from it must not leave the calendar.
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValueError
        return moment
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} {quoted(text)}: not a date or time",
            hint="such as 2026-11-24 or 2026-11-24T08:00Z",
        ) from None

"""`pinwarden log-list`: which lists say which logs there are, how old, and signed by whom."""

from __future__ import annotations

from pathlib import Path

import click

from pinwarden.cli.reading import config_option

_lists_option = click.option(
    "--log-list",
    "named",
    metavar="NAME|FILE|URL",
    multiple=True,
    help="A list to use instead of the configured ones: chrome, apple, a file or a URL.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@click.group("log-list")
def log_list() -> None:
    """The log lists in use: which logs there are, and which are followed.

    Exit codes: 0 nothing wrong, 1 a list is stale, rolled back or was refused,
    2 usage or configuration, 3 could not finish.
    """


@log_list.command("show")
@_lists_option
@config_option
@_json_option
@click.option("--all", "everything", is_flag=True, help="Also logs that are not followed, and why.")
def show(named: tuple[str, ...], config_file: Path | None, as_json: bool, everything: bool) -> int:
    """The lists as they would be used now, without asking anybody."""
    from pinwarden.cli.log_list_run import show_lists

    return show_lists(named, config_file, as_json=as_json, everything=everything)


@log_list.command("update")
@_lists_option
@config_option
@_json_option
@click.option("--contact", metavar="MAIL|URL", help="Whom a list's server may write to.")
def update(
    named: tuple[str, ...], config_file: Path | None, as_json: bool, contact: str | None
) -> int:
    """Fetch the newest lists, and say what changed. A list that is refused changes nothing."""
    from pinwarden.cli.log_list_run import update_lists

    return update_lists(named, config_file, as_json=as_json, contact=contact)

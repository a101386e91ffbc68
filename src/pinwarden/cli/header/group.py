"""`pinwarden header` and its command."""

from __future__ import annotations

import click

from pinwarden.cli.lazy import LazyGroup

# command -> (module, attribute, one line of help)
_COMMANDS = {
    "lint": ("pinwarden.cli.header.lint", "lint", "HPKP and Expect-CT in answers and files."),
}


class _Commands(LazyGroup):
    table = _COMMANDS


@click.group(cls=_Commands)
def header() -> None:
    """Headers that browsers no longer read: find them, and leave them."""

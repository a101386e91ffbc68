"""The commands of `pinwarden caa`, imported when they are called."""

from __future__ import annotations

import click

from pinwarden.cli.lazy import LazyGroup

# command -> (module, attribute, one line of help)
_COMMANDS = {
    "backtest": ("pinwarden.cli.caa.backtest", "backtest", "Would this policy have refused yours?"),
    "check": ("pinwarden.cli.caa.check", "check", "May this CA issue for this name?"),
    "history": ("pinwarden.cli.caa.history", "history", "Which policy was in force when."),
    "issuers": ("pinwarden.cli.caa.issuers", "issuers", "CAs and the names they go by in CAA."),
    "lint": ("pinwarden.cli.caa.lint", "lint", "Faults of records in force, or of a zone file."),
    "make": ("pinwarden.cli.caa.make", "make", "Records from intent, for every DNS provider."),
    "show": ("pinwarden.cli.caa.show", "show", "The records in force for a name, and why those."),
    "verify": ("pinwarden.cli.caa.verify", "verify", "Does every name server serve them so?"),
    "watch": ("pinwarden.cli.caa.watch", "watch", "Observe policies and alert on a change."),
}


class _Commands(LazyGroup):
    table = _COMMANDS


@click.group(cls=_Commands)
def caa() -> None:
    """Which certification authorities may issue for a name (CAA, RFC 8659).

    Before you publish: `make` writes the records, `lint` reads them critically, `check`
    answers for one CA, `backtest` tries them on the certificates of the past. Afterwards:
    `verify` asks every name server, `watch` alerts on a change, `history` says which policy
    was in force.
    """

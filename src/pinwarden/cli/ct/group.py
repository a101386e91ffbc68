"""`pinwarden ct` and its commands."""

from __future__ import annotations

import click

from pinwarden.cli.lazy import LazyGroup

_HERE = "pinwarden.cli.ct"


# command -> (module, attribute, one line of help)
_COMMANDS = {
    "scts": (f"{_HERE}.scts", "scts", "The SCTs of a host or certificate, each verified."),
    "policy": (f"{_HERE}.policy", "policy", "Do browsers accept them, today and later?"),
    "prove": (f"{_HERE}.prove", "prove", "Inclusion proofs, as evidence that lasts."),
    "search": (f"{_HERE}.search", "search", "Certificates issued for a name, by who can tell."),
    "logs": (f"{_HERE}.logs", "logs", "The logs, and what each program thinks of them."),
}


class _Commands(LazyGroup):
    table = _COMMANDS


@click.group(cls=_Commands)
def ct() -> None:
    """What Certificate Transparency says of a certificate."""

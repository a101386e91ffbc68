"""`pinwarden pin backup`: a key that waits, sealed, for the day when the one in use is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.output import ExitCode
from pinwarden.cli.reading import json_option

_FILE = click.Path(path_type=Path, dir_okay=False)
KINDS = ("ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=_FILE)
@click.option(
    "--type",
    "kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="The kind of key.",
)
@click.option(
    "--passphrase-file",
    metavar="FILE",
    type=_FILE,
    help="Seal with the passphrase in the first line of a file.",
)
@click.option(
    "--new-passphrase",
    metavar="FILE",
    type=_FILE,
    help="Make a passphrase and keep it in a new file, apart from the key.",
)
@click.option(
    "--csr",
    "hosts",
    metavar="HOST",
    multiple=True,
    help="Make a certificate signing request too, FILE.csr, for a host; may be repeated.",
)
@json_option
def backup(**options: Any) -> int:
    """A new key in each FILE, sealed with a passphrase, and its pin.

    Such as: pinwarden pin backup backup.key --csr api.example.com

    Put the pin into `backup_pins`, the file and the passphrase in two safe places, and the
    day that the key in use is lost, have a certificate issued for this one. Nothing is
    ever overwritten. On a terminal a passphrase is made and shown once.
    """
    from pinwarden.cli.pin.backup_run import make_backups

    make_backups(**options)
    return ExitCode.OK

"""`pinwarden pin sign`: a signed bundle of a pin set, and the keys that sign it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.output import ExitCode

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", required=False, type=_FILE, metavar="[FILE]")
@click.option("--name", metavar="NAME", help="Which bundles these are; clients take no other.")
@click.option(
    "--version",
    "number",
    metavar="N",
    type=click.IntRange(1),
    help="Grows from bundle to bundle [default: one more than --previous].",
)
@click.option(
    "--expires", metavar="WHEN", help="Until when clients rely on it: a date or time, or 30d."
)
@click.option(
    "--previous", metavar="BUNDLE", type=_FILE, help="The bundle before, to follow and compare."
)
@click.option(
    "--key", "keys", metavar="FILE", multiple=True, type=_FILE, help="Sign with a secret key."
)
@click.option(
    "--signature",
    "signatures",
    metavar="FILE",
    multiple=True,
    type=_FILE,
    help="Add a signature that minisign made over the extracted text.",
)
@click.option(
    "--next-key",
    "next_keys",
    metavar="PUB",
    multiple=True,
    help="From the next bundle on these keys sign: a public key, or its file.",
)
@click.option("--next-threshold", metavar="N", type=click.IntRange(1), help="So many of them.")
@click.option(
    "--passphrase-file",
    "passphrase_files",
    metavar="FILE",
    multiple=True,
    type=_FILE,
    help="The passphrase of --key, one for all or one for each.",
)
@click.option(
    "--new-key",
    "new_keys",
    metavar="NAME",
    multiple=True,
    type=_FILE,
    help="Make a key to sign with: NAME.key and NAME.pub.",
)
@click.option("--no-passphrase", is_flag=True, help="Leave what --new-key makes unencrypted.")
@click.option("-o", "--output", metavar="FILE", type=_FILE, help="Write here [default: stdout].")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about what was done.")
def sign(**options: Any) -> int:
    """A signed bundle of the pin set in FILE, or one more signature on the bundle in FILE.

    Such as: pinwarden pin sign pins.toml --name shop --version 1 --expires 60d --key anna.key

    Keys and signatures are minisign's. Without --key the bundle is a draft for others to
    sign. `--new-key anna` makes a key first.
    """
    from pinwarden.cli.pin.sign_run import Order, sign_or_make_keys

    sign_or_make_keys(Order(**options))
    return ExitCode.OK

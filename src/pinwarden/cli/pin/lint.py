"""`pinwarden pin lint`: every way in which a pin set will hurt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.reading import json_option


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--live", is_flag=True, help="Ask the host of every policy what it serves, too.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Ask this host instead: one on another port, or one below a policy's; may be repeated.",
)
@click.option("--at", metavar="DATE", help="Judge as of a date [default: now].")
@click.option(
    "--soon",
    type=click.IntRange(0, 3650),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="How long before an end to tell of it.",
)
@click.option(
    "--own",
    multiple=True,
    metavar="NAME",
    help="A name that is yours, with all below it; other hosts are told of. May be repeated.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    help="Leave out a finding, such as PW-PIN-NO-EXPIRY; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for findings below medium too.")
@asking_options
@json_option
def lint(as_json: bool, strict: bool, **options: Any) -> int:
    """Every way in which the pin sets in FILEs will hurt, also if clients refuse them.

    Such as: pinwarden pin lint pins.toml --live

    Without --live only the files are read. With it each policy is held against the verified
    chain at every address of its host, and against the trust anchors of this machine (or
    of --cafile).

    Exit codes: 0 nothing of medium severity or above, 1 something is, 2 a file is no pin
    set, 3 a host could not be asked.
    """
    from pinwarden.cli.pin.lint_run import Order, lint_files

    asking = asking_from(options)
    return lint_files(Order(asking=asking, as_json=as_json, strict=strict, **options))

"""`pinwarden pin verify`: whether clients would take a bundle, and why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.reading import json_option

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("bundle", metavar="BUNDLE")
@click.option(
    "--key",
    "keys",
    metavar="PUB",
    multiple=True,
    help="A public key that clients are built with, or its file; may be repeated.",
)
@click.option(
    "--threshold",
    metavar="N",
    type=click.IntRange(1),
    help="How many of the keys must have signed [default: all].",
)
@click.option("--name", metavar="NAME", help="The name that clients ask for.")
@click.option(
    "--after",
    metavar="VERSION",
    type=click.IntRange(0),
    help="As to a client that has this version already.",
)
@click.option(
    "--previous",
    metavar="BUNDLE",
    type=_FILE,
    help="As to a client that has this bundle; tells what changes.",
)
@click.option("--at", metavar="DATE", help="As at a date [default: now].")
@click.option(
    "--extract",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the signed text and the signatures as files that minisign verifies.",
)
@json_option
def verify(**options: Any) -> int:
    """Judge the BUNDLE, a file or an https address, as clients would: signed, current, newer.

    Such as: pinwarden pin verify shop.json --key anna.pub --key bert.pub --threshold 2

    Exit codes: 0 clients take it, 1 they do not, or it is stale, or no --key was given,
    2 usage, 3 it could not be fetched.
    """
    from pinwarden.cli.pin.verify_run import Order, verify_bundle

    return verify_bundle(Order(**options))

"""`pinwarden ct prove`: inclusion proofs from the logs, and evidence bundles of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.ct.target_options import target_options, target_options_from
from pinwarden.cli.kept_logs import log_list_option
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "-o",
    "--output",
    metavar="BUNDLE",
    type=click.Path(path_type=Path),
    help="Write the evidence to this file, or a file for each certificate into this directory.",
)
@click.option("--force", is_flag=True, help="Overwrite a bundle that is there already.")
@click.option("--verify", is_flag=True, help="The TARGETs are bundles: check them, offline.")
@click.option(
    "--contact",
    metavar="MAIL|URL",
    help="Whom a log operator may write to [default: as configured].",
)
@log_list_option
@target_options
@json_option
def prove(as_json: bool, verify: bool, **options: Any) -> int:
    """Ask each log for the proof that the certificate of each TARGET is in it.

    TARGET is a host, or a file with a certificate and the chain above it, as for `ct scts`;
    with --verify it is an evidence bundle. Such as:

    pinwarden ct prove www.example.com -o www.json; pinwarden ct prove --verify www.json

    Exit codes: 0 proven in every log, 1 not, or refused, or by a log that nobody here knows,
    2 usage, 3 a host or log did not answer.
    """
    if verify:
        from pinwarden.cli.ct.prove_verify import verify_bundles

        return verify_bundles(as_json=as_json, **options)
    from pinwarden.cli.ct.prove_run import Order, prove_targets

    found = target_options_from(options)
    return prove_targets(Order(found=found, as_json=as_json, **options))

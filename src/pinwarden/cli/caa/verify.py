"""`pinwarden caa verify`: whether every name server serves the records that were meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.caa.asking import DEFAULT_TIMEOUT
from pinwarden.cli.caa.intent_options import intent_options, meant_from


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--zone",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Meant is what this zone file says; without NAME, for all its names with CAA.",
)
@click.option("--origin", metavar="NAME", help="Where the zone file begins.")
@click.option(
    "--record",
    "records",
    metavar="TEXT",
    multiple=True,
    help="""Meant is this record, such as '0 issue "ca.example"'; may be repeated.""",
)
@intent_options
@click.option(
    "--server",
    "servers",
    metavar="SERVER",
    multiple=True,
    help="Ask this server instead of those that the zone names; may be repeated.",
)
@click.option(
    "--resolver",
    metavar="SERVER",
    help="Whom to ask for the zone's name servers [default: the system's].",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=53,
    show_default=True,
    help="The port of the zone's name servers.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 300, min_open=True),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a name instead of text.")
def verify(**options: Any) -> int:
    """Whether every name server serves the records that were meant.

    What is meant comes from a zone file, from --record, or from the options that `make`
    takes. Every name server of the zone is asked itself, and the records are compared
    octet by octet; what a DNS provider is known to do to values is called by its name.

    Exit codes: 0 all as meant, 1 not as meant, 2 usage, 3 a server could not be asked.
    """
    from pinwarden.cli.caa.verify_run import Order, verify_records

    meant = meant_from(options)
    return verify_records(Order(meant=meant, **options))

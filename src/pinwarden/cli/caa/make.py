"""`pinwarden caa make`: records from intent, or from certificates seen, for every DNS provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.caa.intent_options import intent_options, meant_from
from pinwarden.cli.output import ExitCode
from pinwarden.cli.reading import config_option, store_option

# Long enough that servers are not asked all day, short enough to correct a mistake the same hour.
DEFAULT_TTL = 3600


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@intent_options
@click.option(
    "--format",
    "form",
    metavar="FORM",
    default="bind",
    show_default=True,
    help="For which program or provider.",
)
@click.option("--list-formats", is_flag=True, help="The forms, and what to know of each.")
@click.option(
    "--ttl",
    type=click.IntRange(1, 2**31 - 1),
    default=DEFAULT_TTL,
    show_default=True,
    metavar="SECONDS",
    help="How long others may keep an answer.",
)
@click.option("--origin", metavar="NAME", help="The zone that the names are in.")
@click.option(
    "--from-sightings", is_flag=True, help="Propose what certificates seen in the logs need."
)
@click.option(
    "--from-certificates",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Propose what the certificates in a PEM or DER file need; may be repeated.",
)
@click.option(
    "--from-history",
    metavar="SOURCE",
    multiple=True,
    help="Propose what the past of NAME needs, and say what that costs: crtsh, certspotter, "
    "store or folder=DIR; may be repeated.",
)
@click.option(
    "--contact", metavar="MAIL|URL", help="Whom the operator of a source of history may write to."
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the API key for Cert Spotter.",
)
@click.option("--since", metavar="TIME", help="What was issued since then, also if expired.")
@click.option(
    "--resolver",
    "resolvers",
    metavar="SERVER",
    multiple=True,
    help="Ask whether a name is an alias, where no record can stand; may be repeated.",
)
@store_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def make(**options: Any) -> int:
    """Records from intent, for every DNS provider.

    Such as: pinwarden caa make example.com --ca letsencrypt.org --wildcard none

    Records go to stdout, what to know of them to stderr. Nothing is published: that is
    yours to do, and `pinwarden caa verify` then compares.

    Exit codes: 0 made, 1 a certificate seen would be refused, or says nothing, 2 usage.
    """
    from pinwarden.cli.caa.make_run import Order, list_forms, make_records

    if options.pop("list_formats"):
        list_forms(as_json=options["as_json"])
        return ExitCode.OK
    meant = meant_from(options)
    return make_records(Order(meant=meant, **options))

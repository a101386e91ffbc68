"""`pinwarden pin backtest`: the days of the past on which pins would have locked clients out."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.history_sources import history_options
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("file", metavar="PINS")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Only this host, which a policy must be about; may be repeated.",
)
@history_options
@click.option(
    "--chain",
    "chains",
    multiple=True,
    metavar="FILE",
    help="Certificates of your CAs, for the keys above those that history tells; may be repeated.",
)
@click.option("--cafile", metavar="FILE", help="Trust anchors in PEM, instead of the system's.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html"]),
    default="text",
    show_default=True,
    help="A page of HTML has a chart.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the answer there.")
@json_option
def backtest(as_json: bool, **options: Any) -> int:
    """On which days of the past these pins would have locked clients out.

    PINS is a pin set. Its hosts' certificates of the last 365 days, or of --days or --since,
    are taken from each --source; the newest valid one is presumed to have been served. With
    include_subdomains every host below that history knows is tried, too.

    Exit codes: 0 clients would have got in on every day; 1 they would have been locked out,
    or it is not known; 2 usage; 3 history could not be read.
    """
    from pinwarden.cli.pin.backtest_run import Order, backtest_hosts

    return backtest_hosts(Order.of(options, as_json=as_json))

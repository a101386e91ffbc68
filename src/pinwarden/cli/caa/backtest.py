"""`pinwarden caa backtest`: which certificates of the past a policy would have refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pinwarden.caa.profiles import PROFILES
from pinwarden.cli.caa.asking import asking_from, asking_options
from pinwarden.cli.caa.intent_options import intent_options, meant_from
from pinwarden.cli.history_sources import history_from, history_options
from pinwarden.cli.reading import json_option

DEFAULT_DAYS = 365


@click.command()
@asking_options
@intent_options
@history_options
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="Whose reading: the RFCs, the Baseline Requirements now, or Let's Encrypt.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html"]),
    default="text",
    show_default=True,
    help="Text, or a page with a picture.",
)
@json_option
def backtest(form: str, as_json: bool, profile: str, **options: Any) -> int:
    """Which certificates of the past a policy would have refused.

    Such as: pinwarden caa backtest example.com --ca letsencrypt.org --source crtsh

    The policy is what a zone file says (--zone), what is meant (--ca and its kin, as for
    `caa make`), or without either what DNS has now. It is tried on every certificate issued
    for each NAME and the names below it, of the last 365 days unless --days or --since.

    Exit codes: 0 every certificate allowed, 1 one would have been refused, or it cannot be
    told, 2 usage, 3 the history could not be read in full.
    """
    from pinwarden.cli.caa.backtest_run import Order, run_backtest

    if as_json and form == "html":
        raise click.UsageError("--json and --format html: choose one of them")
    at = datetime.now(UTC)
    meant = meant_from(options)
    asking = asking_from(options, names_needed=False)
    by_date = options["since"] is not None
    history = history_from(options, at=at, days=DEFAULT_DAYS, below=True)
    return run_backtest(
        Order(
            asking=asking,
            meant=meant,
            history=history,
            by_date=by_date,
            profile=profile,
            form="json" if as_json else form,
        )
    )

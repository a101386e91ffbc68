"""`pinwarden ct search`: which certificates were issued for a name, by all who can tell."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.history_sources import history_options
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@history_options
@click.option("--below", is_flag=True, help="Also what is for names below each NAME.")
@click.option("--expired", is_flag=True, help="Also what has ended by now.")
@json_option
def search(names: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """The certificates issued for each NAME, newest first, one a line.

    Such as: pinwarden ct search example.com --below --source certspotter --source store

    Every --source is asked, and what is one issuance is told once: precertificate and
    certificate, whoever tells. A source that is a copy, or a proxy, is named with its URL:
    --source crtsh=URL. A wildcard that covers NAME counts.

    Exit codes: 0 everybody answered in full, 2 usage, 3 a source did not: what the others
    tell is shown all the same.
    """
    from pinwarden.cli.ct.search_run import search_names

    below, expired = options.pop("below"), options.pop("expired")
    return search_names(names, options, below=below, expired=expired, as_json=as_json)

"""`pinwarden sightings compare`: whether our monitor sees what others see."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.history_sources import compared_options
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@compared_options
@click.option("--below", is_flag=True, help="Also what is for names below each NAME.")
@json_option
def compare(names: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Hold the store against another source of history, for watched NAMEs.

    Such as: pinwarden sightings compare example.com --below --with certspotter

    Missing is what the source knows, the store lacks, and appeared after this store began to
    watch. Told apart is what appeared before, and in the last 24 hours, for which a log may
    take to show it; and what the store alone has.

    Exit codes: 0 the store lacks nothing that it should have, 1 it does, 2 usage, 3 a source
    did not answer in full.
    """
    from pinwarden.cli.compare_run import compare_names

    return compare_names(names, options, below=options.pop("below"), as_json=as_json)

"""`pinwarden caa watch`: observe CAA policies and alert on a change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from pinwarden.cli.output import ExitCode
from pinwarden.cli.reading import config_option, json_option, quiet_option, store_option
from pinwarden.cli.wiring import WatchOptions, make_plan


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@click.option("--once", is_flag=True, help="Look at every name once and exit.")
@click.option(
    "--interval",
    type=click.FloatRange(0, min_open=True),
    metavar="MINUTES",
    help="How often to look [default: 60].",
)
@click.option(
    "--resolver",
    "resolvers",
    multiple=True,
    metavar="SERVER",
    help="Whom to ask, such as 127.0.0.1 or tls://HOST; may be repeated [default: the system's].",
)
@store_option
@json_option
@quiet_option
def watch(
    names: tuple[str, ...],
    config_file: Path | None,
    once: bool,
    interval: float | None,
    resolvers: tuple[str, ...],
    store: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Observe the CAA policies of NAMEs and of all watched names, and alert on every change.

    What was seen is kept in the store: `pinwarden caa history` shows it, and answers
    whether a certificate was allowed when it was issued. `pinwarden watch` does the
    same beside the logs when the configuration has a table [caa].

    Without a configuration file alerts go to standard output. With --once, for example
    from cron, the exit code is 1 if a policy changed or an alert was made, and 3 if a
    name could not be looked up.
    """
    from pinwarden.cli.caa.watch_run import observe_forever, observe_once

    options = WatchOptions(
        names=names,
        config=config_file,
        store=store,
        as_json=as_json,
        caa_only=True,
        resolvers=resolvers,
        interval_minutes=interval,
    )
    plan = make_plan(options)
    if once:
        return asyncio.run(observe_once(plan, as_json=as_json, quiet=quiet))
    asyncio.run(observe_forever(plan, lambda: make_plan(options), quiet=quiet))
    return ExitCode.OK

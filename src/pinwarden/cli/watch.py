"""`pinwarden watch`: follow the logs and alert."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from pinwarden.cli.output import ExitCode
from pinwarden.cli.reading import config_option, json_option, quiet_option, store_option
from pinwarden.cli.wiring import Plan, WatchOptions, make_plan


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@click.option("--once", is_flag=True, help="Catch up with the present tree heads and exit.")
@click.option(
    "--start",
    type=click.Choice(["now", "beginning"]),
    help="Where a log begins that the store does not know [default: now].",
)
@click.option(
    "--log-list",
    "log_lists",
    multiple=True,
    metavar="NAME|FILE|URL",
    help="Log list to follow instead of Chrome's and Apple's; may be repeated.",
)
@click.option(
    "--watchlist",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of names and addresses, one a line.",
)
@store_option
@click.option(
    "--contact",
    metavar="MAIL|URL",
    help="Whom a log operator may write to [default: as configured].",
)
@json_option
@quiet_option
def watch(
    names: tuple[str, ...],
    config_file: Path | None,
    once: bool,
    start: str | None,
    log_lists: tuple[str, ...],
    watchlist: Path | None,
    store: str | None,
    contact: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Follow the Certificate Transparency logs and alert on every certificate for a NAME.

    NAME is an exact name (www.example.com), a name and everything below it
    (.example.com), an IP address or a range (192.0.2.0/24).

    Without a configuration file alerts go to standard output. With --once the
    exit code is 1 if anything was alerted and 3 if a log could not be read to
    its present head.
    """
    from pinwarden.cli.session import run_forever, run_once

    options = WatchOptions(
        names=names,
        config=config_file,
        watchlist=watchlist,
        store=store,
        log_list=log_lists,
        start=start,
        contact=contact,
        as_json=as_json,
    )
    plan = make_plan(options)
    _explain_exact_names(plan, names)
    if once:
        return asyncio.run(run_once(plan, as_json=as_json, quiet=quiet))
    asyncio.run(run_forever(plan, lambda: make_plan(options), quiet=quiet))
    return ExitCode.OK


def _explain_exact_names(plan: Plan, names: tuple[str, ...]) -> None:
    """The commonest misunderstanding, said before it costs a missed certificate."""
    from pinwarden.cli.output import say

    texts = {item.text for item in plan.watchlist.items}
    for name in names:
        if name in texts and f".{name}" not in texts and name.count(".") == 1:
            say(f"watching exactly {name}; '.{name}' also watches everything below it")

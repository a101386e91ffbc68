"""`pinwarden ct logs`: which logs there are, and which of them take a certificate."""

from __future__ import annotations

import click

from pinwarden.cli.kept_logs import log_list_option
from pinwarden.cli.reading import json_option


@click.command()
@log_list_option
@click.option("--usable", is_flag=True, help="Only logs that a program calls usable.")
@click.option(
    "--accepts",
    metavar="DATE",
    help="Only logs that take a certificate which ends (notAfter) on this date or time.",
)
@click.option("--operator", metavar="NAME", help="Only logs of operators called like this.")
@click.option("--at", metavar="DATE", help="States as of this date or time [default: now].")
@json_option
def logs(
    log_lists: tuple[str, ...],
    usable: bool,
    accepts: str | None,
    operator: str | None,
    at: str | None,
    as_json: bool,
) -> int:
    """The logs, and what each program thinks of them; nobody is asked.

    Such as: pinwarden ct logs --usable --accepts 2027-03-01

    Exit codes: 0 shown, 1 there is no such log, 2 usage, 3 a list that is named was never
    fetched.
    """
    from pinwarden.cli.ct.logs_run import Order, show_logs

    return show_logs(
        Order(
            log_lists=log_lists,
            usable=usable,
            accepts=accepts,
            operator=operator,
            at=at,
            as_json=as_json,
        )
    )

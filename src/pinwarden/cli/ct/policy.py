"""`pinwarden ct policy`: whether browsers accept the SCTs of a host or certificate."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.ct.target_options import target_options, target_options_from
from pinwarden.cli.kept_logs import log_list_option
from pinwarden.cli.reading import json_option

# As `BrowserPolicy` has them, which is not imported for a --help.
_POLICIES = ("chrome", "apple", "firefox")


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--policy",
    "policies",
    type=click.Choice(_POLICIES),
    multiple=True,
    help="This browser alone; may be repeated [default: all].",
)
@log_list_option
@click.option("--at", metavar="DATE", help="The rules as of this date or time [default: now].")
@target_options
@json_option
def policy(as_json: bool, **options: Any) -> int:
    """Whether Chrome, Apple and Firefox accept the SCTs of each TARGET.

    TARGET is a host such as example.com, example.com:8443 or a URL, or a file with a
    certificate and the chain above it. Every rule is told with its reason and its source,
    and so is the day on which the answer will change, as far as it is announced.

    Exit codes: 0 every policy is met, 1 one is not or cannot be told, 2 usage, 3 a host
    could not be asked, or not for the SCTs beside its chain that might be missing.
    """
    from pinwarden.cli.ct.policy_run import Order, check_policies

    found = target_options_from(options)
    return check_policies(Order(found=found, as_json=as_json, **options))

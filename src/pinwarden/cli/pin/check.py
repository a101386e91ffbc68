"""`pinwarden pin check`: whether hosts meet their pins, at every address."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="FILE [HOST...] | HOST...")
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar="PIN",
    help="Check against this pin, anywhere in the verified chain, instead of against a pin set; "
    "may be repeated.",
)
@click.option(
    "--chain",
    metavar="FILE",
    help="Check the chain in a file instead of the one that is served.",
)
@click.option("--at", metavar="DATE", help="The pin set as it is in force then [default: now].")
@click.option("--quiet", is_flag=True, help="No output: the exit code is the answer.")
@asking_options
@json_option
def check(as_json: bool, **options: Any) -> int:
    """Whether hosts meet their pins, at every address.

    FILE is a pin set. Without HOST the host of each of its policies is asked, on port 443;
    a HOST is example.com, example.com:8443 or a URL, and falls under the policy that clients
    would take. With --pin there is no FILE.

    Exit codes: 0 every pin matches; 1 clients would refuse, or are not held to any pin;
    2 usage; 3 some address could not be asked.
    """
    from pinwarden.cli.pin.check_run import Order, check_pins

    asking = asking_from(options)
    return check_pins(Order(asking=asking, as_json=as_json, **options))

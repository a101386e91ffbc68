"""`pinwarden pin rotate`: change a pinned key in steps that lock nobody out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.pin.key_files import passphrase_option
from pinwarden.cli.reading import config_option, json_option, store_option
from pinwarden.pinning.rotation.state import LONGEST_LAG

# As pinning.rotation.steps has them, which is not loaded for --help.
_STEPS = ("prepare", "publish", "switch", "promote", "retire", "abort")


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--host",
    metavar="HOST[:PORT]",
    help="The policy, and the port at which its host is asked [default: the only policy].",
)
@click.option(
    "--old",
    multiple=True,
    metavar="PIN|FILE",
    help="A key to be replaced; may be repeated [default: those in use, if they are of one chain].",
)
@click.option(
    "--new", metavar="PIN|FILE", help="The key to come [default: the only backup in the file]."
)
@click.option(
    "--backup",
    "backups",
    multiple=True,
    metavar="PIN|FILE",
    help="A backup for the time after; may be repeated.",
)
@click.option(
    "--client-lag",
    type=click.IntRange(0, LONGEST_LAG),
    metavar="DAYS",
    help="After how many days no client has an older set than the one published [default: 30].",
)
@click.option(
    "--keep",
    type=click.IntRange(0, LONGEST_LAG),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="How long the old pin is planned to stay after the switch, for going back.",
)
@click.option(
    "--do",
    "steps",
    multiple=True,
    type=click.Choice(_STEPS),
    help="Do a step, and write the file; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Show what --do would change, and change nothing.")
@click.option(
    "--published", metavar="DATE", help="With --do publish: when clients were given the new pin."
)
@click.option(
    "--forbid", is_flag=True, help="With --do retire: forbid the old key (it was stolen)."
)
@click.option(
    "--chain",
    metavar="FILE",
    help="What the host serves, from a file of certificates: it is not asked then.",
)
@click.option("--history", is_flag=True, help="Learn from the store how the host renews.")
@click.option("--at", metavar="DATE", help="Plan as of a date [default: now]; not with --do.")
@asking_options
@passphrase_option
@store_option
@config_option
@json_option
def rotate(as_json: bool, **options: Any) -> int:
    """Plan the change of a pinned key in FILE in days, and with --do take its steps.

    \b
    prepare   the new pin, and another backup, come into the file
    publish   you have given clients that file
    switch    every client has it: may servers change to the new key?
    promote   every address serves the new key: its pin is in use now
    retire    no address needs the old keys: their pins go
    abort     back to the old key

    A step that would lock out a client whose set is at most --client-lag days old is
    refused. How far it is stands in the file, under [policy.rotation]; comments stay.

    Exit codes: 0 planned or done, 1 a step is refused, 2 usage, 3 what the host serves is
    not known and the step needs it.
    """  # noqa: D301 - the escape is click's
    from pinwarden.cli.pin.rotate_run import Order, rotate_pins

    asking = asking_from(options)
    return rotate_pins(Order(asking=asking, as_json=as_json, **options))

"""`pinwarden pin make`: a pin set for hosts, as they are served now."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.history_sources import history_options
from pinwarden.cli.pin.key_files import passphrase_option
from pinwarden.pinning.policy import Mode, OnExpiry, UnpinnedHosts

# In the order in which they stand in a chain.
PLACES = ("leaf", "intermediate", "root")


@click.command()
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@click.option(
    "--backup",
    "backups",
    multiple=True,
    metavar="PIN|FILE",
    help="A key held in reserve: its pin, or its certificate, request or key; may be repeated.",
)
@click.option("--allow-no-backup", is_flag=True, help="Make a set that one lost key locks out.")
@click.option(
    "--ca",
    is_flag=True,
    help="Pin every CA key of the verified chain, root and intermediates [default].",
)
@click.option("--root", is_flag=True, help="Pin the key at the end of the verified chain.")
@click.option("--intermediate", is_flag=True, help="Pin the CA keys between leaf and root.")
@click.option("--leaf", is_flag=True, help="Pin the server's own key.")
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    default=str(Mode.ENFORCE),
    show_default=True,
    help="Whether a mismatch ends the connection, or is only reported.",
)
@click.option("--expires", metavar="DATE", help="The last day on which the policies hold.")
@click.option(
    "--on-expiry",
    type=click.Choice([str(each) for each in OnExpiry]),
    help="After that: refuse every connection, only report, or stop pinning.",
)
@click.option("--include-subdomains", is_flag=True, help="Cover every name below each HOST too.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="NAME",
    help="A name below a HOST that is not covered; may be repeated.",
)
@click.option("--report-uri", metavar="URL", default="", help="Where failures are reported.")
@click.option("--owner", metavar="WHO", default="", help="Who looks after the pins.")
@click.option("--comment", metavar="TEXT", default="", help="What else to note of each policy.")
@click.option(
    "--unpinned-hosts",
    type=click.Choice([str(each) for each in UnpinnedHosts]),
    default=str(UnpinnedHosts.ALLOW),
    show_default=True,
    help="What becomes of hosts that no policy is about.",
)
@click.option(
    "--from-file",
    metavar="FILE",
    help="Pin the chain in a file instead of the one that is served.",
)
@click.option(
    "--from-history",
    is_flag=True,
    help="Pin the tightest of leaf, intermediate and root that would have locked nobody out.",
)
@history_options
@click.option("-o", "--output", metavar="FILE", help="Write here [default: stdout].")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@asking_options
@passphrase_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of TOML.")
def make(**options: Any) -> int:
    """A pin set for each HOST, from the chain that it serves now, at every address.

    Such as: pinwarden pin make api.example.com --backup backup.csr -o pins.toml

    Without --leaf, --intermediate or --root the CA keys of the verified chain are pinned:
    the server can renew its certificate and its key at the same CA at any time. Moving to
    another CA takes a backup pin, of a key or a CA that is not in use now.

    With --from-history each choice is tried on the certificates that a --source knows.

    Exit codes: 0 made, 1 a certificate does not verify, 2 usage (no backup, say), 3 a host
    could not be asked. Nothing is written unless it is 0.
    """
    from pinwarden.cli.pin.make_history import history_of
    from pinwarden.cli.pin.make_run import Order, make_set

    places = [place for place in PLACES if options.pop(place)]
    if options.pop("ca"):
        places += ["intermediate", "root"]
    options["history"] = history_of(options, places)
    asking = asking_from(options)
    chosen = frozenset(places or ("intermediate", "root"))
    return make_set(Order(asking=asking, places=chosen, **options))

"""`pinwarden pin show`: the pins of a host, certificate, key or request."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.pin.key_files import passphrase_option
from pinwarden.cli.pin.keys import FORMS
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default=FORMS[0],
    show_default=True,
    help="How pins are written.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["leaf", "intermediate", "root"]),
    help="Only certificates in this place of the chain; may be repeated.",
)
@click.option("--bare", is_flag=True, help="Pins alone, one a line.")
@asking_options
@passphrase_option
@json_option
def show(as_json: bool, **options: Any) -> int:
    """The pins of each TARGET: a host, a file, or a pin in another form.

    A host is example.com, example.com:8443, [2001:db8::1]:443 or a URL; its verified chain
    is shown. A file (PEM, DER or PKCS#7; `-` is stdin) may hold certificates, requests,
    public and private keys.

    Exit codes: 0 shown, 1 a host's certificate does not verify, 2 usage, 3 a host could not
    be asked.
    """
    from pinwarden.cli.pin.show_run import Order, show_pins

    asking = asking_from(options)
    return show_pins(Order(asking=asking, as_json=as_json, **options))

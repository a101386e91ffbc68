"""`pinwarden ct scts`: the SCTs of a host or certificate, each verified."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.ct.target_options import target_options, target_options_from
from pinwarden.cli.kept_logs import log_list_option
from pinwarden.cli.reading import json_option


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@log_list_option
@click.option("--at", metavar="DATE", help="Judge as of this date or time [default: now].")
@target_options
@json_option
def scts(as_json: bool, **options: Any) -> int:
    """The SCTs of each TARGET, verified against the keys of the logs.

    TARGET is a host such as example.com, example.com:8443 or a URL, or a file (PEM, DER or
    PKCS#7; `-` is stdin) with a certificate and the chain above it. SCTs are taken from the
    certificate, the TLS extension and the stapled OCSP response.

    Exit codes: 0 every SCT is valid, 1 one is not or there are none, 2 usage, 3 a host could
    not be asked.
    """
    from pinwarden.cli.ct.scts_run import Order, show_scts

    found = target_options_from(options)
    return show_scts(Order(found=found, as_json=as_json, **options))

"""`pinwarden header lint`: retired headers, where they are still sent."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, https_asking_options
from pinwarden.cli.reading import json_option

# Spelled out, so that `--help` need not read the readers of all of them.
_FORMS = ("auto", "response", "html", "nginx", "apache", "caddy", "haproxy")


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="TEXT",
    help="A header, such as 'Expect-CT: max-age=0'; several are those of one answer.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS, case_sensitive=False),
    default="auto",
    show_default=True,
    help="What the files are.",
)
@click.option("--host", metavar="HOST", help="Whose headers are in a file or in --header.")
@click.option(
    "--chain",
    metavar="FILE",
    help="The chain of that host as clients verify it, leaf first and with its root.",
)
@click.option("--pin-set", metavar="FILE", help="Write what a pin header pins as a pin set file.")
@click.option(
    "--mode",
    type=click.Choice(["enforce", "report-only"]),
    help="What that set does [default: as the header].",
)
@click.option("--allow-no-backup", is_flag=True, help="Write a set that has no backup pin.")
@click.option("--force", is_flag=True, help="Overwrite the pin set file if it is there.")
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    help="Leave out a finding, such as PW-HPKP-UNKNOWN-DIRECTIVE; may be repeated.",
)
@https_asking_options
@json_option
def lint(as_json: bool, **options: Any) -> int:
    """Public-Key-Pins and Expect-CT: where they are still sent, and what is in them.

    A TARGET is a host or a URL, which is asked and whose redirects are followed; or a file:
    an answer as `curl -sI` prints it, an HTML page, or a configuration of nginx, Apache,
    Caddy or HAProxy. `-` is the standard input.

    Such as: pinwarden header lint www.example.com /etc/nginx/nginx.conf

    Browsers read neither header any more, so that each is a finding whatever is in it.

    Exit codes: 0 nothing of medium severity or above, 1 something is, 2 a target cannot be
    read, 3 a host did not answer, or a line was not understood.
    """
    from pinwarden.cli.header.lint_run import Order, lint_targets

    asking = asking_from(options)
    return lint_targets(Order(asking=asking, as_json=as_json, **options))

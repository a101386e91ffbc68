"""`pinwarden audit`: one report of a host, from all sides."""

from __future__ import annotations

from typing import Any

import click

from pinwarden.cli.asking_hosts import asking_from, asking_options
from pinwarden.cli.kept_logs import log_list_option
from pinwarden.cli.reading import json_option

_FORMATS = ("text", "json", "markdown", "sarif", "html")
_FAIL_ON = ("info", "low", "medium", "high", "critical", "never")


@click.command()
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@click.option(
    "--names",
    "names_file",
    metavar="FILE",
    help="Hosts from a file as well, one a line; `-` reads stdin.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="Form of the report [default: text].",
)
@click.option("-o", "--output", metavar="FILE", help="Write the report there, not to stdout (`-`).")
@click.option(
    "--fail-on",
    type=click.Choice(_FAIL_ON),
    default="medium",
    show_default=True,
    help="The least severity of a finding that makes the exit code 1.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    help="Leave out a finding, such as PW-AUDIT-UNSIGNED; may be repeated.",
)
@click.option("--pins", metavar="FILE", help="A pin set to compare the chains with.")
@log_list_option
@click.option(
    "--ca",
    "ca_domains",
    multiple=True,
    metavar="DOMAIN",
    help="What the CA that issued is called in CAA, such as letsencrypt.org, if it is not known; "
    "may be repeated.",
)
@click.option(
    "--resolver",
    "resolvers",
    multiple=True,
    metavar="SERVER",
    help="Whom to ask for CAA: 127.0.0.1:5300, tls://HOST, https://HOST/dns-query; may be "
    "repeated [default: the system's].",
)
@click.option("--no-dns", is_flag=True, help="Do not ask for CAA.")
@click.option("--no-http", is_flag=True, help="Do not ask for a page's head.")
@click.option("--store", metavar="URL", help="What a monitor saw, to compare with.")
@click.option(
    "--public-only",
    is_flag=True,
    help="Refuse private, loopback and other special addresses.",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    metavar="N",
    help="Hosts in work at the same time.",
)
@asking_options
@json_option
@click.option(
    "--quiet", is_flag=True, help="Nothing on stdout or stderr: the exit code is the answer."
)
def audit(as_json: bool, form: str | None, **options: Any) -> int:
    """One report of each HOST: chain, SCTs, browser policies, CAA, headers, pins, history.

    Such as: pinwarden audit www.example.com

    A HOST is example.com, example.com:8443 or a URL. What is found comes with what to do;
    what could not be looked at is said, and is no pass.

    Exit codes: 0 nothing of --fail-on or graver; 1 something was found; 2 usage; 3 something
    could not be checked, such as a host that does not answer.
    """
    from pinwarden.cli.audit_run import Order, run_audits

    asking = asking_from(options)
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form}: choose one of them")
    if options["output"] == "-":
        options["output"] = None
    return run_audits(Order(asking=asking, form="json" if as_json else form or "text", **options))

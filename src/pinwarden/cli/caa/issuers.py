"""`pinwarden caa issuers`: the CAs, the names they go by in CAA, and whose a certificate is."""

from __future__ import annotations

from pathlib import Path

import click

_file = click.Path(path_type=Path, dir_okay=False)


@click.command("issuers")
@click.argument("word", required=False)
@click.option(
    "--certificate",
    "certificates",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    multiple=True,
    help="Whose this certificate is: PEM, with its chain or without, or DER; may be repeated.",
)
@click.option(
    "--identifiers",
    type=_file,
    help="The CCADB's report of CAA identifiers (V2) to use instead.",
)
@click.option("--records", type=_file, help="The CCADB's report of certificate records with it.")
@click.option("--dated", metavar="DATE", help="The day of these reports [default: of the file].")
@click.option("--save", is_flag=True, help="Keep what these reports say for all commands.")
@click.option("--forget", is_flag=True, help="Go back to what ships with Pinwarden.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def issuers(
    word: str | None,
    certificates: tuple[Path, ...],
    identifiers: Path | None,
    records: Path | None,
    dated: str | None,
    save: bool,
    forget: bool,
    as_json: bool,
) -> int:
    """The CAs and the names that they go by in CAA records.

    WORD is a CA domain, or a part of a CA's name. Exit codes: 0 found, 1 no CA goes by
    that, or the issuer of a certificate is not known, 2 usage.
    """
    from pinwarden.cli.caa.issuers_run import Reports, run_issuers

    if identifiers is None and (records or dated or save):
        raise click.UsageError("--records, --dated and --save need --identifiers")
    if forget and identifiers is not None:
        raise click.UsageError("--forget and --identifiers exclude each other")
    reports = Reports(identifiers, records, dated, save) if identifiers is not None else None
    return run_issuers(word, certificates, reports, forget=forget, as_json=as_json)

"""`pinwarden caa history`: which policy was in force when, and what that means."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pinwarden.caa.history.issuance import Issuance, evaluate_at_issuance
from pinwarden.caa.history.observation import Observation
from pinwarden.caa.history.observation_json import observation_json, parse_observations
from pinwarden.caa.profiles import PROFILES, profile_named
from pinwarden.cli.caa.history_view import observations_text, verdict_json, verdict_text
from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.reading import (
    config_option,
    json_option,
    parse_moment,
    read_store,
    store_option,
    store_url,
)
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.store.contract import Store
from pinwarden.verdicts import Verdict

_LARGEST_FILE = 64 * 1024 * 1024


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--since", metavar="TIME", help="List only what was seen since then.")
@click.option("--at", metavar="TIME", help="Judge a certificate by the time of its earliest SCT.")
@click.option(
    "--not-before", metavar="TIME", help="The same by its notBefore, where it has no SCT."
)
@click.option(
    "--issuer",
    "issuers",
    multiple=True,
    metavar="CA",
    help="The certificate's CA, by its name in CAA; may be repeated.",
)
@click.option("--wildcard", is_flag=True, help="The certificate is for *.NAME.")
@click.option("--account-uri", metavar="URI", help="The account at the CA, where it is known.")
@click.option("--method", metavar="LABEL", help="The validation method, where it is known.")
@click.option(
    "--profile",
    "profile_name",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="Whose reading of the rules.",
)
@click.option(
    "--observations",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of what `--json` lists, to be read in place of the store.",
)
@store_option
@config_option
@json_option
def history(as_json: bool, **options: Any) -> int:
    """List what was seen of the CAA policies of NAMEs, or judge a certificate by it.

    With --at the NAMEs are those of one certificate, and the answer is authorized,
    unauthorized, possibly-authorized or unknown: by the policies seen in the time for
    which a CA may rely on an answer (its TTL or 8 hours, whichever is greater). Exit
    code 1 for any verdict but authorized.
    """
    names = options["names"]
    judging = options["at"] is not None or options["not_before"] is not None
    if not judging:
        for option in ("issuers", "wildcard", "account_uri", "method"):
            if options[option]:
                shown = "--issuer" if option == "issuers" else f"--{option.replace('_', '-')}"
                raise ConfigError(f"{shown}: means something with --at or --not-before only")
        since = parse_moment(options["since"], "--since")
        plain = _plain(names)
        _list(plain, _observations(plain, options), since, as_json)
        return ExitCode.OK
    issuance = _issuance(names, options)
    at = issuance.earliest_sct or issuance.not_before
    assert at is not None
    profile = profile_named(options["profile_name"], at)
    seen = _observations(_plain(issuance.names), options)
    verdict = evaluate_at_issuance(seen, issuance, profile)
    if as_json:
        answer_json(verdict_json(verdict, issuance, profile))
    else:
        answer(verdict_text(verdict, issuance))
    return ExitCode.OK if verdict.verdict is Verdict.AUTHORIZED else ExitCode.FINDINGS


def _issuance(names: tuple[str, ...], options: dict[str, Any]) -> Issuance:
    from pinwarden.cli.caa.issuer_map import current_issuers

    issuers: dict[str, None] = {}
    if len(options["issuers"]) == 1:
        # One name stands for the CA, which may go by others, too.
        issuers = dict.fromkeys(sorted(current_issuers().same_ca(options["issuers"][0])))
    issuers = dict.fromkeys(options["issuers"]) | issuers
    wild = options["wildcard"]
    return Issuance(
        names=tuple(f"*.{name.removeprefix('*.')}" if wild else name for name in names),
        issuers=tuple(issuers) or None,
        earliest_sct=parse_moment(options["at"], "--at"),
        not_before=parse_moment(options["not_before"], "--not-before"),
        account_uri=options["account_uri"],
        method=options["method"],
    )


def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as they are observed: without `*.`, each once."""
    from pinwarden.caa.climb import parse_caa_name

    try:
        return tuple(dict.fromkeys(parse_caa_name(name).name for name in names))
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error


def _observations(names: tuple[str, ...], options: dict[str, Any]) -> list[Observation]:
    """What was seen of these names, name by name, oldest first."""
    if options["observations"] is not None:
        return [each for each in _from_file(options["observations"]) if each.name in names]

    async def read(store: Store) -> list[Observation]:
        return [each for name in names for each in await store.observations(name)]

    return read_store(store_url(options["store"], options["config_file"]), read)


def _from_file(file: Path) -> tuple[Observation, ...]:
    from pinwarden.cli.caa.asking import read_text

    try:
        return parse_observations(read_text(file, "--observations", _LARGEST_FILE))
    except MalformedError as error:
        raise ConfigError(f"--observations {quoted(str(file))}: {error}") from error


def _list(
    names: tuple[str, ...], observed: list[Observation], since: datetime | None, as_json: bool
) -> None:
    seen = [each for each in observed if since is None or each.last_seen >= since]
    if as_json:
        for each in seen:
            answer_json(observation_json(each))
    elif seen:
        answer(observations_text(seen))
    known, shown = {each.name for each in observed}, {each.name for each in seen}
    for name in names:
        if name not in known:
            say(f"{display(name, 260)}: never observed; `pinwarden caa watch` does")
        elif name not in shown:
            say(f"{display(name, 260)}: not observed since then")

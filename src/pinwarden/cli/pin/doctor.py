"""`pinwarden pin doctor`: which TLS clients of this environment can be held to pins."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pinwarden.cli.output import ExitCode, answer, answer_json
from pinwarden.cli.reading import json_option
from pinwarden.clients.inventory.gap import Covered, Gap
from pinwarden.clients.inventory.search import (
    client_names,
    covered_clients,
    distributions,
    find_gaps,
)
from pinwarden.errors import ConfigError, quoted
from pinwarden.findings.pins import PIN_NOT_COVERED
from pinwarden.names import display

if TYPE_CHECKING:
    from pinwarden.clients.selftest import Trial

_PYTHON = ".".join(map(str, sys.version_info[:3]))
_ID = PIN_NOT_COVERED.id


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """What there is to tell; `trials` is None if nothing was tried."""

    place: str
    imported: bool
    covered: Sequence[Covered]
    gaps: Sequence[Gap]
    trials: Sequence[Trial] | None


@click.command()
@click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Import a module of the program, to see what it loads; may be repeated.",
)
@click.option(
    "--path",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Look at the packages in another environment's site-packages folder.",
)
@click.option(
    "--self-test",
    "self_test",
    is_flag=True,
    help="Try each client that is here against a rogue server on loopback.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CLIENT",
    help="Leave out a client that is known to need no pins; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for gaps that are only installed, too.")
@json_option
def doctor(as_json: bool, strict: bool, self_test: bool, **options: Any) -> int:
    """Which TLS clients here can be held to pins, and which go past them.

    Run it in the environment of the program. Exit code 1 if a client that is in use goes
    past the pins, or if a client fails the self-test.
    """
    if options["folders"] and (options["modules"] or self_test):
        raise ConfigError(
            "--path: another environment's packages can be listed, and not run",
            hint="run pinwarden there for --import and --self-test",
        )
    diagnosis = _diagnose(options, self_test=self_test)
    if as_json:
        answer_json(_json(diagnosis))
    else:
        answer("\n".join(_text(diagnosis)))
    from_gaps = any(strict or gap.in_use for gap in diagnosis.gaps)
    return ExitCode.FINDINGS if from_gaps or _failed(diagnosis) else ExitCode.OK


def _diagnose(options: dict[str, Any], *, self_test: bool) -> _Diagnosis:
    folders = [str(each) for each in options["folders"]]
    present = distributions(folders) if folders else None
    for name in options["modules"]:
        _import(name)
    ignored = _ignored(options["ignored"])
    # Whether a program calls install() cannot be seen from here: clients that need it are
    # named with the covered ones.
    gaps = [
        gap
        for gap in find_gaps(under_install=True, present=present)
        if gap.client.lower() not in ignored
    ]
    # First, since trying clients loads them.
    covered = covered_clients(present=present)
    trials = tuple(_trials()) if self_test else None
    return _Diagnosis(
        place=", ".join(folders) or sys.prefix,
        imported=bool(options["modules"]),
        covered=covered,
        gaps=gaps,
        trials=trials,
    )


def _ignored(given: Sequence[str]) -> frozenset[str]:
    """The clients to be left out; a misspelt one would be left in without a word."""
    known = client_names()
    for each in given:
        if each.lower() not in known:
            raise ConfigError(
                f"--ignore {quoted(each)}: no such client",
                hint="the names are those under `go past pins`",
            )
    return frozenset(each.lower() for each in given)


def _import(name: str) -> None:
    # As `python -m` does: the program is looked for where the user stands.
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        # The answer is on stdout, and whatever the program says is conversation.
        with redirect_stdout(sys.stderr):
            import_module(name)
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"--import {quoted(name)}: {type(error).__name__}: {display(str(error))}"
        ) from error


def _trials() -> Iterator[Trial]:
    from pinwarden.clients.selftest import Outcome, self_test

    for trial in self_test():
        if trial.outcome is not Outcome.NOT_HERE:
            yield trial


def _failed(diagnosis: _Diagnosis) -> bool:
    return any(trial.outcome != "enforced" for trial in diagnosis.trials or ())


def _text(diagnosis: _Diagnosis) -> Iterator[str]:
    outcomes = {trial.client: trial for trial in diagnosis.trials or ()}
    yield f"Python {_PYTHON}, {display(diagnosis.place)}"
    yield "can be held to pins:"
    width = max(len(_named(each)) for each in diagnosis.covered)
    for each in diagnosis.covered:
        tried = f"  [self-test: {outcomes[each.client].outcome}]" if each.client in outcomes else ""
        yield f"  {_named(each):{width}}  {each.how}{tried}"
    yield "go past pins:" if diagnosis.gaps else "go past pins: none that is known"
    for gap in diagnosis.gaps:
        used = "in use" if gap.in_use else "installed, not in use"
        used = used if diagnosis.imported or gap.in_use else "installed"
        yield f"  {PIN_NOT_COVERED.severity}: {_named(gap)} ({used}): {gap.why} [{_ID}]"
        yield f"      do: {gap.what_to_do}"
    if diagnosis.trials is not None:
        yield from _trials_text(diagnosis.trials)


def _trials_text(trials: Sequence[Trial]) -> Iterator[str]:
    failed = [trial for trial in trials if trial.outcome != "enforced"]
    enforced = len(trials) - len(failed)
    yield (
        f"self-test: {enforced} of {len(trials)} clients got through to the pinned server, and "
        "told the rogue one nothing"
    )
    for trial in failed:
        leaked = f", {trial.leaked} bytes" if trial.leaked else ""
        yield f"  {trial.client}: {trial.outcome}{leaked} {trial.detail}".rstrip()


def _named(what: Covered | Gap) -> str:
    return display(f"{what.client} {what.version}".rstrip())


def _json(diagnosis: _Diagnosis) -> dict[str, Any]:
    trials = diagnosis.trials
    return {
        "python": _PYTHON,
        "place": diagnosis.place,
        "covered": [
            {
                "client": each.client,
                "version": each.version,
                "in_use": each.in_use,
                "how": each.how,
                "proven": each.proven,
            }
            for each in diagnosis.covered
        ],
        "gaps": [
            {
                "id": _ID,
                "severity": str(PIN_NOT_COVERED.severity),
                "client": gap.client,
                "version": gap.version,
                "in_use": gap.in_use,
                "message": gap.why,
                "advice": gap.what_to_do,
            }
            for gap in diagnosis.gaps
        ],
        "self_test": None
        if trials is None
        else [
            {
                "client": trial.client,
                "outcome": str(trial.outcome),
                "leaked": trial.leaked,
                "detail": trial.detail,
            }
            for trial in trials
        ],
    }

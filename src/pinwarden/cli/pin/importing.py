"""`pinwarden pin import`: a pin set from the form of another program."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pinwarden.cli.files import read_file
from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.pin.form_list import list_forms
from pinwarden.cli.pin.key_files import is_file, read_keys
from pinwarden.cli.reading import json_option
from pinwarden.errors import ConfigError, MalformedError, PinwardenError, quoted
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import Draft
from pinwarden.pinning.formats.reading.found import Imported, Known
from pinwarden.pinning.formats.reading.table import (
    LARGEST,
    SOURCES,
    find_source,
    import_pins,
    source_of,
)
from pinwarden.pinning.lint import LintSetting, lint_draft
from pinwarden.pinning.pin import Pin, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinPolicy, PinRole
from pinwarden.render import listed_finding_json

_LONGEST_MESSAGE = 1000


@click.command(name="import")
@click.argument("file", required=False, metavar="FILE")
@click.option("--format", "source", metavar="FORM", help="In which form it is [default: seen].")
@click.option("--list-formats", is_flag=True, help="The forms, and what each of them is.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Whose pins they are, where the form does not say; may be repeated.",
)
@click.option(
    "--chain",
    metavar="FILE",
    help="The chain as clients verify it, leaf first and with its root: gives pins their places, "
    "and tells the backups.",
)
@click.option(
    "--backup",
    "backups",
    multiple=True,
    metavar="PIN|FILE",
    help="A pin that is of a backup key; may be repeated.",
)
@click.option("--allow-no-backup", is_flag=True, help="Write policies that have no backup pin.")
@click.option("--drop-bad-pins", is_flag=True, help="Leave out what is no pin, and go on.")
@click.option("-o", "--output", metavar="FILE", help="Write here [default: stdout].")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@json_option
def import_(as_json: bool, **options: Any) -> int:
    """A pin set from pins that are written for another program: headers, code, XML, plists.

    Such as: pinwarden pin import network_security_config.xml --chain chain.pem -o pins.toml

    What is wrong with the pins is told, as by `pin lint`. A set that clients would refuse
    is not written: exit code 1. Exit codes: 0 written, 1 refused, 2 the file cannot be
    read.
    """
    if options["list_formats"]:
        list_forms(SOURCES, as_json=as_json)
        return ExitCode.OK
    if options["file"] is None:
        raise ConfigError("pin import: needs a file", hint="--list-formats says in which forms")
    data = read_file(Path(options["file"]), LARGEST)
    name = "standard input" if options["file"] == "-" else f"file {quoted(options['file'])}"
    chain = read_keys(options["chain"]) if options["chain"] else ()
    known = Known(
        chain=[each.pin for each in chain],
        fingerprints={hashlib.sha256(each.der).digest() for each in chain},
        backups=frozenset(pin for each in options["backups"] for pin in _pins(each)),
        allow_no_backup=options["allow_no_backup"],
        drop_bad_pins=options["drop_bad_pins"],
    )
    try:
        named = options["source"]
        source = source_of(data) if named is None else find_source(named)
        imported = import_pins(data, source, hosts=options["hosts"], known=known)
    except MalformedError as error:
        raise ConfigError(f"{name}: {error}", hint=error.hint) from None
    findings = lint_draft(imported.draft, LintSetting(at=datetime.now(UTC)))
    problems = list(problems_of(imported.draft))
    pins = None if problems else set_of(imported.draft)
    if pins is not None and options["output"] is not None:
        from pinwarden.cli.pin.writing import write_file

        write_file(options["output"], pins.to_toml(), force=options["force"])
    if as_json:
        answer_json(_json(source, imported, findings, problems, pins, options["output"]))
    else:
        tell_import(imported, findings, problems)
        if pins is not None and options["output"] is None:
            answer(pins.to_toml())
    return ExitCode.OK if pins is not None else ExitCode.FINDINGS


def _pins(text: str) -> list[Pin]:
    if is_file(text):
        return [each.pin for each in read_keys(text)]
    try:
        return [parse_pin(text)]
    except MalformedError as error:
        raise ConfigError(f"--backup: {error}", hint=error.hint) from None


def problems_of(draft: Draft) -> list[tuple[str, str]]:
    """By host, why clients would refuse the set."""
    found = [("", each) for each in draft.problems]
    for policy in draft.policies:
        found += [(policy.host, each) for each in policy.problems]
        found += [(policy.host, key.problem) for key in policy.keys if key.why is not None]
        no_backup = not policy.pins(PinRole.BACKUP) and not policy.allow_no_backup
        if no_backup and policy.mode is Mode.ENFORCE:
            found.append((policy.host, "nothing tells which pin is the backup, or there is none"))
    return found


def set_of(draft: Draft) -> PinSet:
    """The set that a draft without problems makes; raises `ConfigError`."""
    policies: list[PinPolicy] = [each.policy for each in draft.policies if each.policy is not None]
    try:
        return PinSet(policies, unpinned_hosts=draft.unpinned_hosts)
    except PinwardenError as error:
        raise ConfigError(f"the set cannot be made: {error}", hint=error.hint) from None


def tell_import(
    imported: Imported, findings: Sequence[Finding], problems: Sequence[tuple[str, str]]
) -> None:
    """Say what was noted, found, and is wrong, on stderr."""
    for note in imported.notes:
        say(f"note: {display(note, _LONGEST_MESSAGE)}")
    for each in findings:
        if each.severity.is_serious:
            who = f"{display(each.subject)}: " if each.subject else ""
            say(f"{each.severity}: {who}{display(each.message, _LONGEST_MESSAGE)} [{each.id}]")
    for host, problem in problems:
        who = f"{display(host)}: " if host else ""
        say(f"error: {who}{display(problem, _LONGEST_MESSAGE)}")
    if problems:
        say(
            "hint: clients would refuse this set, so it is not written; --chain and --backup tell "
            "the backups, --allow-no-backup does without, --drop-bad-pins leaves bad pins out"
        )


def _json(
    source: str,
    imported: Imported,
    findings: Sequence[Finding],
    problems: Sequence[tuple[str, str]],
    pins: PinSet | None,
    output: str | None,
) -> dict[str, Any]:
    return {
        "format": source,
        "hosts": [each.host for each in imported.draft.policies],
        "written": output if pins is not None else None,
        "set": pins.to_toml() if pins is not None else None,
        "problems": [{"host": host or None, "message": each} for host, each in problems],
        "notes": list(imported.notes),
        "findings": [
            {**listed_finding_json(each), "host": each.subject or None} for each in findings
        ],
    }

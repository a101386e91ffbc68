"""`pinwarden pin export`: a pin set in the form of another program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.pin.form_list import list_forms
from pinwarden.cli.pin.pin_sets import load_pin_set
from pinwarden.cli.reading import json_option, parse_moment
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.pinning.formats.export import Export, Harm, Loss, LossKind, Writing
from pinwarden.pinning.formats.pinned_certificates import by_pin
from pinwarden.pinning.formats.table import FORMATS, find_format
from pinwarden.pinning.material import KeyKind
from pinwarden.pinning.pinset import PinSet

_HARM_WORDS = {
    Harm.NONE: "differs",
    Harm.WEAKENS: "weaker",
    Harm.LOCKS_OUT: "may lock out",
}


@click.command()
@click.argument("file", required=False, metavar="FILE")
@click.option("--format", "form", metavar="FORM", help="For which program.")
@click.option("--list-formats", is_flag=True, help="The forms, and what each of them is.")
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    metavar="FILE",
    help="Certificates of pinned keys, for forms that take certificates; may be repeated.",
)
@click.option("--package", default="", metavar="NAME", help="The namespace of generated code.")
@click.option(
    "--accept-loss",
    "accepted",
    multiple=True,
    metavar="ID",
    help="Go on although this is lost, such as expiry-never-closes; may be repeated.",
)
@click.option("--accept-losses", is_flag=True, help="Go on whatever is lost.")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="A file, or the folder for several [default: stdout].",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--at", metavar="DATE", help="Write as of a date [default: now].")
@json_option
def export(as_json: bool, **options: Any) -> int:
    """The pin set in FILE in the form of another program.

    Such as: pinwarden pin export pins.toml --format okhttp-kotlin -o app/src/main/kotlin/Pins.kt

    What the form cannot say is named. A loss that leaves clients weaker, or that could
    lock them out, ends it with exit code 1 and nothing written, unless it is accepted.
    """
    if options["list_formats"]:
        list_forms({name: form.description for name, form in FORMATS.items()}, as_json=as_json)
        return ExitCode.OK
    if options["file"] is None or options["form"] is None:
        raise ConfigError(
            "pin export: needs a pin set and --format FORM",
            hint="such as: pinwarden pin export pins.toml --format curl; --list-formats lists them",
        )
    pins = load_pin_set(options["file"])
    form = options["form"].lower()
    at = parse_moment(options["at"], "--at") or datetime.now(UTC)
    made = _made(pins, form, at, options)
    accepted = set(LossKind) if options["accept_losses"] else _accepted(options["accepted"])
    unaccepted = made.unaccepted(accepted)
    written: list[str] = []
    if not unaccepted and options["output"] is not None:
        written = _write(made, options["output"], force=options["force"])
    if as_json:
        answer_json(_json(form, made, unaccepted, written))
    else:
        _tell(made.losses, unaccepted)
        if not unaccepted and options["output"] is None:
            answer(_on_stdout(made))
    return ExitCode.FINDINGS if unaccepted else ExitCode.OK


def _made(pins: PinSet, form: str, at: datetime, options: Mapping[str, Any]) -> Export:
    try:
        writing = Writing(
            at=at,
            certificates=by_pin(_certificates(options["certificates"])),
            package=options["package"],
        )
        return find_format(form).write(pins, writing)
    except MalformedError as error:
        # What a set may say and this form may not, such as a report_uri with a quote in it.
        raise ConfigError(f"--format {form}: {error}", hint=error.hint) from None


def _accepted(given: tuple[str, ...]) -> frozenset[LossKind]:
    try:
        return frozenset(LossKind(each) for each in given)
    except ValueError as error:
        raise ConfigError(f"--accept-loss: {error}", hint=f"one of {', '.join(LossKind)}") from None


def _certificates(files: tuple[str, ...]) -> list[bytes]:
    from pinwarden.cli.pin.key_files import read_keys

    found = [
        each.der for file in files for each in read_keys(file) if each.kind is KeyKind.CERTIFICATE
    ]
    if files and not found:
        raise ConfigError("--certificate: the files hold no certificate")
    return found


def _write(made: Export, output: str, *, force: bool) -> list[str]:
    from pinwarden.cli.pin.writing import write_file

    target = Path(output)
    if len(made.files) == 1 and not target.is_dir():
        write_file(output, made.files[0][1], force=force)
        return [output]
    if not target.is_dir():
        raise ConfigError(
            f"--output {quoted(output)}: is no folder, and there are {len(made.files)} files"
        )
    paths = [str(target / name) for name, _ in made.files]
    for path in paths if not force else []:
        if Path(path).exists():
            raise ConfigError(
                f"file {quoted(path)}: is there already", hint="--force overwrites it"
            )
    for path, (_, text) in zip(paths, made.files, strict=True):
        write_file(path, text, force=force)
    return paths


def _on_stdout(made: Export) -> str:
    if len(made.files) == 1:
        return made.files[0][1]
    raise ConfigError(
        f"the export has {len(made.files)} files: {', '.join(name for name, _ in made.files)}",
        hint="name a folder for them with --output",
    )


def _tell(losses: tuple[Loss, ...], unaccepted: tuple[Loss, ...]) -> None:
    for loss in losses:
        say(f"{_HARM_WORDS[loss.harm]}: {display(str(loss))} [{loss.kind}]")
    if unaccepted:
        kinds = dict.fromkeys(str(each.kind) for each in unaccepted)
        say("error: the form says less than the pin set, so nothing is written")
        say(f"hint: {' '.join(f'--accept-loss {each}' for each in kinds)}")


def _json(
    form: str, made: Export, unaccepted: tuple[Loss, ...], written: list[str]
) -> dict[str, Any]:
    return {
        "format": form,
        "written": written,
        "files": [] if unaccepted else [{"name": name, "text": text} for name, text in made.files],
        "losses": [
            {
                "id": str(each.kind),
                "harm": str(each.harm),
                "host": each.host or None,
                "message": each.message,
                "accepted": each not in unaccepted,
            }
            for each in made.losses
        ],
    }

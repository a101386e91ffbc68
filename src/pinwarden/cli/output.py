"""Terminal manners: answers on stdout, the conversation on stderr.

Colour, progress bars and live tables only on a terminal; `NO_COLOR` is
respected; one line an error, `pinwarden: error: …`, then perhaps a hint.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum
from typing import Any

from pinwarden.errors import PinwardenError


class ExitCode(IntEnum):
    """What a program that runs us learns without reading."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNFINISHED = 3


def worst(codes: Collection[ExitCode]) -> ExitCode:
    """The exit code of several targets together: a finding comes before what is unfinished."""
    return ExitCode.FINDINGS if ExitCode.FINDINGS in codes else max(codes)


def say(text: str) -> None:
    """One line of conversation."""
    sys.stderr.write(f"pinwarden: {text}\n")
    sys.stderr.flush()


def say_notes(notes: Iterable[str]) -> None:
    """What is worth knowing although it is no fault, a line each."""
    for note in notes:
        say(f"note: {note}")


def say_error(error: PinwardenError) -> None:
    """An error in one line, and its hint in another."""
    say(f"error: {error}")
    if error.hint:
        say(f"hint: {error.hint}")


def say_what_is_logged() -> None:
    """From now on warnings of the library are conversation."""

    class Spoken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(self.format(record))

    # Through `say`, so that they keep out of the way of a live table.
    logging.basicConfig(format="%(message)s", level=logging.WARNING, handlers=[Spoken()])


def answer(text: str) -> None:
    """Text that was asked for."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def answer_json(value: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own."""
    answer(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def on_terminal() -> bool:
    """Whether a person sees stderr and stdout as they are written."""
    return sys.stderr.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

"""The command tree.

Sub-commands are imported when they are called: `pinwarden --help` costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from pinwarden import __version__
from pinwarden.cli.lazy import LazyGroup
from pinwarden.cli.output import ExitCode, say, say_error
from pinwarden.errors import ConfigError, PinwardenError

# command -> (module, attribute, one line of help)
_COMMANDS = {
    "alerts": ("pinwarden.cli.alerts", "alerts", "What people were told: list, ack, test."),
    "audit": (
        "pinwarden.cli.audit",
        "audit",
        "One report of a host: chain, SCTs, CAA, headers, pins.",
    ),
    "caa": (
        "pinwarden.cli.caa.group",
        "caa",
        "Which CAs may issue: check, lint, make, watch.",
    ),
    "ct": (
        "pinwarden.cli.ct.group",
        "ct",
        "SCTs, browser policies, inclusion proofs: scts, policy, prove, logs.",
    ),
    "demo": ("pinwarden.cli.demo", "demo", "A world on loopback: an attack, and the answer to it."),
    "header": (
        "pinwarden.cli.header.group",
        "header",
        "Retired headers: find them in answers and in server configurations.",
    ),
    "log-list": ("pinwarden.cli.log_list", "log_list", "The log lists in use: show, update."),
    "pin": (
        "pinwarden.cli.pin.group",
        "pin",
        "Pins in your own clients: make, check, lint, rotate, export.",
    ),
    "sightings": ("pinwarden.cli.sightings", "sightings", "Certificates seen: list, show, export."),
    "watch": ("pinwarden.cli.watch", "watch", "Follow the CT logs and alert."),
}


class _Commands(LazyGroup):
    table = _COMMANDS


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pinwarden")
def cli() -> None:
    """Defends a domain against certificates it did not ask for.

    Exit codes: 0 nothing wrong, 1 findings, 2 usage or configuration, 3 could
    not finish.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; no traceback leaves."""
    try:
        result = cli.main(list(arguments), prog_name="pinwarden", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stdout.write(f"{error.ctx.get_help()}\n" if error.ctx else "")
        return ExitCode.USAGE
    except click.ClickException as error:
        say(f"error: {error.format_message()}")
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except ConfigError as error:
        say_error(error)
        return ExitCode.USAGE
    except PinwardenError as error:
        say_error(error)
        return ExitCode.UNFINISHED
    except (BrokenPipeError, SystemExit):
        # The reader of our output went away, as `head` does. Click ends the program for it,
        # with a code that means findings here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNFINISHED
    except OSError as error:
        # Files that the user names have their own errors: this is stdout, such as a full disk.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"error: the answer cannot be written: {error.strerror or error}")
        return ExitCode.UNFINISHED
    return result if isinstance(result, int) else ExitCode.OK

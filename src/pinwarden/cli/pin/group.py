"""`pinwarden pin` and its commands."""

from __future__ import annotations

import click

from pinwarden.cli.lazy import LazyGroup

_HERE = "pinwarden.cli.pin"


# command -> (module, attribute, one line of help)
_COMMANDS = {
    "show": (f"{_HERE}.show", "show", "The pins of a host, certificate, key or request."),
    "make": (f"{_HERE}.make", "make", "A pin set for hosts, as they are served now."),
    "backup": (f"{_HERE}.backup", "backup", "A sealed backup key, and its pin."),
    "check": (f"{_HERE}.check", "check", "Do hosts meet their pins, at every address?"),
    "backtest": (
        f"{_HERE}.backtest",
        "backtest",
        "The days of the past on which pins would have locked clients out.",
    ),
    "lint": (f"{_HERE}.lint", "lint", "Every way in which a pin set will hurt."),
    "import": (f"{_HERE}.importing", "import_", "A pin set from another tool's form."),
    "export": (f"{_HERE}.exporting", "export", "A pin set for curl, OkHttp, Apple and others."),
    "rotate": (f"{_HERE}.rotate", "rotate", "Change a key in steps that lock nobody out."),
    "sign": (f"{_HERE}.sign", "sign", "A signed bundle that clients fetch."),
    "verify": (f"{_HERE}.verify", "verify", "Is a bundle signed, current and not rolled back?"),
    "doctor": (f"{_HERE}.doctor", "doctor", "Which clients in this environment are covered?"),
}


class _Commands(LazyGroup):
    table = _COMMANDS


@click.group(cls=_Commands)
def pin() -> None:
    """Pins in your own API clients and apps: never in browsers."""

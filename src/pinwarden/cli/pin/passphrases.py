"""Passphrases: from a file, from a person at a terminal, or made by chance."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click

from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError, quoted

__all__ = ["ask", "ask_new", "generate", "on_person", "read_passphrase"]

_LARGEST = 1 << 12
# Letters and digits that nobody mistakes for others, when reading them from paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 5
# What a guesser with a farm of machines needs to be kept out of a key file that he has.
SHORTEST = 16


def read_passphrase(path: Path) -> str:
    """The first line of a file; raises `ConfigError` if there is none."""
    data = read_file(path, _LARGEST)
    try:
        line = data.decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise ConfigError(f"file {quoted(str(path))}: is not UTF-8 text") from None
    if not line:
        raise ConfigError(f"file {quoted(str(path))}: its first line is empty")
    return line


def on_person() -> bool:
    """Whether somebody can be asked, and sees what stderr shows, with nobody recording it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(what: str) -> str:
    """A passphrase that exists; raises `ConfigError` where nobody can be asked."""
    if not on_person():
        raise ConfigError(f"{what}: needs its passphrase", hint="--passphrase-file FILE")
    answer: str = click.prompt(f"passphrase of {what}", hide_input=True, err=True)
    return answer


def ask_new(what: str) -> str:
    """A passphrase to be, typed twice; raises `ConfigError` where nobody can be asked."""
    if not on_person():
        raise ConfigError(
            f"{what}: needs a passphrase", hint="--passphrase-file FILE, or --no-passphrase"
        )
    answer: str = click.prompt(
        f"new passphrase of {what}", hide_input=True, confirmation_prompt=True, err=True
    )
    return answer


def generate() -> str:
    """A passphrase of 148 bits, in groups that can be written on paper."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)

"""Secrets of channels: read from a file or the environment, never from the configuration."""

from __future__ import annotations

import os
from pathlib import Path

from pinwarden.errors import ConfigError, quoted

_LARGEST = 16 * 1024


def read_secret(channel: str, key: str, file: str | None, variable: str | None) -> str | None:
    """The secret named by `<key>_file` or `<key>_env`, None if neither is given.

    Raises ConfigError, without the secret in it, if it is absent, empty, or
    more than one line.
    """
    if file:
        where = f"{key}_file {quoted(file)}"
        secret = _read_file(channel, where, file)
    elif variable:
        where = f"{key}_env {quoted(variable)}"
        secret = os.environ.get(variable, "")
    else:
        return None
    secret = secret.strip()
    if not secret:
        raise ConfigError(f"channel {quoted(channel)}: {where} is empty or not set")
    if not secret.isprintable():
        raise ConfigError(f"channel {quoted(channel)}: {where} does not hold one printable line")
    return secret


def _read_file(channel: str, where: str, file: str) -> str:
    try:
        with Path(file).expanduser().open("rb") as opened:
            return opened.read(_LARGEST).decode("utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except (UnicodeDecodeError, ValueError, RuntimeError):
        reason = "not a file of UTF-8 text"
    raise ConfigError(f"channel {quoted(channel)}: {where} cannot be read: {reason}")

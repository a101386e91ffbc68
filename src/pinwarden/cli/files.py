"""Files that a person names, read to a limit; `-` is the standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from pinwarden.errors import ConfigError, quoted

__all__ = ["read_file"]


def read_file(path: Path, limit: int) -> bytes:
    """All of a file of at most `limit` octets, or of the standard input for `-`.

    Raises `ConfigError` for a file that cannot be read, or that is larger.
    """
    if str(path) == "-":
        return _read(sys.stdin.buffer, "standard input", limit)
    try:
        with path.open("rb") as file:
            return _read(file, f"file {quoted(str(path))}", limit)
    except OSError as error:
        raise ConfigError(f"file {quoted(str(path))}: {error.strerror}") from error


def _read(file: BinaryIO, name: str, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        size = f"{limit >> 20} MiB" if limit >> 20 else f"{limit >> 10} KiB"
        raise ConfigError(f"{name}: is larger than {size}")
    return data

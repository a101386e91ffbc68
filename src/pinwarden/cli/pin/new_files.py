"""Files that must not replace anything, and of which some are secret."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pinwarden.errors import ConfigError, quoted

__all__ = ["PRIVATE", "PUBLIC", "replace_file", "write_new", "writing_together"]

PRIVATE, PUBLIC = 0o600, 0o644


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Make a file that was not there, readable from its first octet on to whom `mode` says.

    Raises `ConfigError` if there is one, or it cannot be written; then nothing is left.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags, mode)
    except FileExistsError:
        raise ConfigError(f"file {quoted(str(path))}: is there already") from None
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - an open one
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _failed(path, error) from None


def writing_together(*files: tuple[Path, bytes, int]) -> None:
    """Make several files or none of them; raises `ConfigError`."""
    made: list[Path] = []
    try:
        for path, data, mode in files:
            write_new(path, data, mode)
            made.append(path)
    except ConfigError:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Put a public file in the place of what is there, as a whole; raises `ConfigError`.

    What a link points to is replaced, and never a device.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"file {quoted(str(path))}: is no ordinary file")
    path = path.resolve()
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    write_new(new, data, PUBLIC)
    try:
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise _failed(path, error) from None


def _failed(path: Path, error: OSError | ValueError) -> ConfigError:
    why = getattr(error, "strerror", None) or "is no file name"
    return ConfigError(f"file {quoted(str(path))}: cannot be written: {why}")

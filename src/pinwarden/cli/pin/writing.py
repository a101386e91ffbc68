"""Files that commands write: whole or not at all, and over another only if that was asked for."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pinwarden.errors import ConfigError, quoted

__all__ = ["PRIVATE", "PUBLIC", "write_file", "write_new_files"]

PRIVATE, PUBLIC = 0o600, 0o666
"""Permissions of new files, of which the process's umask takes its part."""


def write_file(path: Path | str, text: str, *, force: bool = False) -> None:
    """Write a text in UTF-8; raises `ConfigError`, and then nothing has changed.

    Without `force` whatever is there already is an error, a symbolic link too. With it a
    file is replaced and keeps its permissions, also through a link, which stays one.
    """
    target = Path(path)
    if force and target.exists() and not target.is_dir() and not target.is_file():
        # To replace /dev/stdout or /dev/null by a file would break more than this command.
        raise ConfigError(
            f"file {quoted(str(path))}: is no ordinary file", hint="leave out --output for stdout"
        )
    try:
        _write(target, text.encode("utf-8"), PUBLIC, force=force)
    except FileExistsError:
        raise _is_there(target, hint="--force overwrites it") from None


def write_new_files(*files: tuple[Path, bytes, int]) -> None:
    """Make new files of these octets and permissions, all or none; raises `ConfigError`."""
    made: list[Path] = []
    try:
        for path, data, permissions in files:
            _write(path, data, permissions, force=False)
            made.append(path)
    except (ConfigError, FileExistsError) as error:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise _is_there(path) from None
        raise


def _is_there(path: Path, hint: str | None = None) -> ConfigError:
    return ConfigError(f"file {quoted(str(path))}: is there already", hint=hint)


def _write(target: Path, data: bytes, permissions: int, *, force: bool) -> None:
    """Raises FileExistsError for what is in the way, and `ConfigError` for all else."""
    shown = f"file {quoted(str(target))}"
    if target.is_dir():
        raise ConfigError(f"{shown}: is a directory")
    permissions &= ~_umask()
    try:
        # Nobody else can read it until it is whole.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        written = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            written.chmod(_permissions_of(target, permissions) if force else permissions)
            if force:
                written.replace(target.resolve())
            else:
                _put_new(written, target, data, permissions)
        finally:
            with contextlib.suppress(FileNotFoundError):
                written.unlink()
    except FileExistsError:
        raise
    except (OSError, ValueError) as error:
        words = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigError(f"{shown}: cannot be written: {words}") from None


def _put_new(written: Path, target: Path, data: bytes, permissions: int) -> None:
    """Raises FileExistsError if there is a file: a link is refused then, unlike a rename."""
    try:
        target.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(target, flags, permissions), "wb") as file:
            file.write(data)


def _permissions_of(target: Path, usual: int) -> int:
    """Those of the file which is replaced."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return usual


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

"""Files that commands make: whole or not at all, and over another only if that was asked for."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pinwarden.errors import ConfigError, quoted

__all__ = ["write_whole"]


def write_whole(path: str, text: str, *, force: bool = False) -> None:
    """Write a text in UTF-8; raises `ConfigError`.

    Without `force` a file that is there already is an error and stays as it is.
    """
    target = Path(path)
    shown = f"file {quoted(path)}"
    if target.is_dir():
        raise ConfigError(f"{shown}: is a directory")
    if force and target.exists() and not target.is_file():
        # To replace /dev/stdout or /dev/null by a file would break more than this command.
        raise ConfigError(f"{shown}: is no ordinary file", hint="leave out --output for stdout")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        written = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            written.chmod(_mode(target) if force else 0o666 & ~_umask())
            if force:
                # Through a symbolic link, so that it stays one.
                written.replace(target.resolve())
            else:
                _put_new(written, target, text)
        finally:
            with contextlib.suppress(FileNotFoundError):
                written.unlink()
    except FileExistsError:
        raise ConfigError(f"{shown}: is there already", hint="--force overwrites it") from None
    except (OSError, ValueError) as error:
        words = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigError(f"{shown}: cannot be written: {words}") from None


def _put_new(written: Path, target: Path, text: str) -> None:
    """Raises FileExistsError if there is a file: a link is refused then, unlike a rename."""
    try:
        target.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _mode(target: Path) -> int:
    """That of the file which is replaced."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

"""Reading the one file that a pinning program names: the exception to a ground without I/O.

`PinSet.load("pins.toml")` is the first line of every program that pins; see
docs/decisions/0007-pin-set-files.md.
"""

from __future__ import annotations

import os

from pinwarden.errors import quoted
from pinwarden.pinning.policy import PinSetError

__all__ = ["StrPath", "read_text"]

StrPath = str | os.PathLike[str]

_LARGEST = 4 << 20


def read_text(path: StrPath) -> str:
    """A text file of at most 4 MiB in UTF-8; raises `PinSetError`."""
    shown = f"pin set {quoted(os.fspath(path))}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs a pinning program its import
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise PinSetError(f"{shown}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise PinSetError(f"{shown}: is no file name") from None
    if len(data) > _LARGEST:
        raise PinSetError(f"{shown}: is larger than 4 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PinSetError(f"{shown}: is not UTF-8 text") from None

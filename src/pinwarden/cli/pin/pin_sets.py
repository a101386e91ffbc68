"""Pin set files that the user names, `-` among them."""

from __future__ import annotations

from pathlib import Path

from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.pinset import PinSet

__all__ = ["LARGEST_SET", "load_pin_set", "read_set_text"]

LARGEST_SET = 4 << 20
"""Octets of a file that is read, as `PinSet.load` has it."""


def load_pin_set(path: str) -> PinSet:
    """The set in a file, or on the standard input for `-`; raises `ConfigError`."""
    if path != "-":
        return PinSet.load(path)
    text, is_json = read_set_text(Path(path))
    return PinSet.parse(text, json=is_json, where="standard input")


def read_set_text(path: Path) -> tuple[str, bool]:
    """The text of a pin set, and whether it is JSON; raises `ConfigError`.

    A file tells by its name, and the standard input by the brace with which JSON begins.
    """
    name = str(path)
    try:
        text = read_file(path, LARGEST_SET).decode("utf-8-sig")
    except UnicodeDecodeError:
        shown = "standard input" if name == "-" else f"pin set {quoted(name)}"
        raise ConfigError(f"{shown}: is not UTF-8 text") from None
    if name == "-":
        return text, text.lstrip().startswith("{")
    return text, name.lower().endswith(".json")

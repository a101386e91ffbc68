"""What is known of each TLS client in Python: how pins reach it, or why they do not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ClientRow", "Reach"]


class Reach(StrEnum):
    """How far pins reach into a client.

    CONTEXT takes an `ssl.SSLContext`; INSTALL makes its own, which only `install()` gets
    at; ANCHOR takes certificates only, so that a pin becomes its one trust anchor; NONE has
    a TLS of its own.
    """

    CONTEXT = "context"
    INSTALL = "install"
    ANCHOR = "anchor"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One client.

    `distributions` are its names among installed packages, `modules` what is loaded once
    it is in use (any of them).
    `how` is for people who want it held to the pins: the argument to give, or the way
    around. `proven` says that this project's tests run it against a rogue server.
    """

    name: str
    distributions: tuple[str, ...]
    modules: tuple[str, ...]
    reach: Reach
    how: str
    why: str = ""
    proven: bool = False

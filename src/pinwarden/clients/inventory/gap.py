"""The two answers about a client: it is held to the pins, or there is a gap."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Covered", "Gap"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A client that is not held to the pins.

    `version` is empty where it is not known; `in_use` is whether this process has loaded
    the client, and not only installed it.
    """

    client: str
    version: str
    in_use: bool
    why: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.client} {self.version}".rstrip() + f": {self.why}; {self.what_to_do}"


@dataclass(frozen=True, slots=True)
class Covered:
    """A client that pins reach, and `how`: what to give it.

    `proven` is whether the tests of this project run it against a rogue server.
    """

    client: str
    version: str
    in_use: bool
    how: str
    proven: bool

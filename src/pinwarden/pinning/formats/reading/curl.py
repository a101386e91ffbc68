"""curl's `pinnedpubkey`, out of a configuration file or a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden.errors import MalformedError, quoted
from pinwarden.pinning.formats.reading.found import Found

__all__ = ["read"]

_OPTION = re.compile(
    r"(?<![A-Za-z-])(?:--)?pinnedpubkey(?:[ \t]*[=:][ \t]*|[ \t]+)"
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)'|(\S+))"
)
_URL = re.compile(r"https://(?:[^/@\s\"']*@)?(\[[0-9a-fA-F:.]+\]|[^/:?#\s\"'\]]+)")
# Where the options of one transfer end: `next` in a configuration, `--next` or `-:` in a command.
_NEXT = re.compile(r"^[ \t]*(?:--)?next[ \t]*$|(?<=\s)(?:--next|-:)(?=\s)", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[\s;&|$(`])curl[ \t]")
_CONTINUED = re.compile(r"\\[ \t]*\r?\n")
_MOST_OPTIONS = 1_000


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The leaf pins, for the hosts given or those of the URLs beside them.

    Raises `MalformedError` if there is no such option, or no host.
    """
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    parts = [(part, _values(part)) for part in _transfers(plain)]
    if not any(values for _, values in parts):
        raise MalformedError("holds no pinnedpubkey")
    several = sum(1 for _, values in parts if values) > 1
    for part, values in parts:
        if not values:
            continue
        # A comment may tell the URL, though only where there is no doubt which is meant.
        whose = hosts or _hosts_in(part) or (() if several else _hosts_in(plain) or _hosts_in(text))
        if not whose:
            raise MalformedError(
                "curl's option does not say for which host it is", hint="name the host with --host"
            )
        pins = list(_all_pins(values, notes))
        for host in whose:
            yield Found(host=host, leaf=tuple(pins))


def _transfers(text: str) -> Iterator[str]:
    """A script by its commands, a configuration by its transfers: the pins of each are its own."""
    joined = _CONTINUED.sub(" ", text)
    is_script = any(_COMMAND.search(line) for line in joined.splitlines())
    for part in joined.splitlines() if is_script else [joined]:
        yield from _NEXT.split(part)


def _values(text: str) -> list[str]:
    return [
        next(each for each in match.groups() if each is not None)
        for match in list(_OPTION.finditer(text))[:_MOST_OPTIONS]
    ]


def _all_pins(values: list[str], notes: list[str]) -> Iterator[str]:
    if len(values) > 1:
        notes.append("of several pinnedpubkey for one transfer curl takes the last")
    notes += [
        f"{quoted(each, 80)} is the name of a key file: `pin show` tells its pin"
        for each in values
        if "//" not in each
    ]
    if "//" in values[-1]:
        yield from _pins(values[-1], notes)


def _hosts_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match[1] for match in _URL.finditer(text)))


def _pins(value: str, notes: list[str]) -> Iterator[str]:
    for number, each in enumerate(value.split(";")):
        if number and each[:1].isspace():
            notes.append("curl ignores every pin after a semicolon and a space")
        if each.strip():
            yield each.strip()

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
_MOST_OPTIONS = 1_000


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The leaf pins, for the hosts given or those of the URLs beside them.

    Raises `MalformedError` if there is no such option, or no host.
    """
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    values = [
        next(each for each in match.groups() if each is not None)
        for match in list(_OPTION.finditer(plain))[:_MOST_OPTIONS]
    ]
    if not values:
        raise MalformedError("holds no pinnedpubkey")
    if not hosts:
        hosts = _hosts_in(plain) or _hosts_in(text)
    if not hosts:
        raise MalformedError(
            "curl's option does not say for which host it is", hint="name the host with --host"
        )
    pins: list[str] = []
    for value in values:
        if "//" not in value:
            notes.append(f"{quoted(value, 80)} is the name of a key file: `pin show` tells its pin")
            continue
        pins += _pins(value, notes)
    for host in hosts:
        yield Found(host=host, leaf=tuple(pins))


def _hosts_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match[1] for match in _URL.finditer(text)))


def _pins(value: str, notes: list[str]) -> Iterator[str]:
    for number, each in enumerate(value.split(";")):
        if number and each[:1].isspace():
            notes.append("curl ignores every pin after a semicolon and a space")
        if each.strip():
            yield each.strip()

"""Which hosts `pinwarden audit` is to look at: those named, and those of a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pinwarden.audit.run import AuditTarget
from pinwarden.cli.asking_hosts import Asking, endpoint_of
from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError, quoted
from pinwarden.net.endpoint import Endpoint

__all__ = ["audit_targets"]

_LARGEST_LIST = 16 << 20
_MOST_LINES_NAMED = 10
_HINT = "give HOST... or --names FILE"


def audit_targets(
    hosts: Sequence[str], names_file: str | None, asking: Asking
) -> list[AuditTarget]:
    """Every host, each once however it is written, in the order given; raises `ConfigError`.

    One line that is wrong keeps all from being asked: a list with a host left out would
    look like one in which all is well.
    """
    found: dict[Endpoint, str] = {}
    for text in hosts:
        if text == "-":
            raise ConfigError("host '-': is no host", hint="--names - reads hosts from stdin")
        found.setdefault(endpoint_of(text, asking), text)
    if names_file is not None:
        _add_listed(found, names_file, asking)
    if not found:
        if names_file is not None:
            raise ConfigError(f"--names {quoted(names_file)}: holds no host", hint=_HINT)
        raise ConfigError("no hosts given", hint=_HINT)
    return [_target(text, endpoint, asking) for endpoint, text in found.items()]


def _target(text: str, endpoint: Endpoint, asking: Asking) -> AuditTarget:
    places = tuple((address, port or endpoint.port) for address, port in asking.addresses)
    return AuditTarget(text, endpoint, places)


def _add_listed(found: dict[Endpoint, str], file: str, asking: Asking) -> None:
    wrong: list[tuple[int, ConfigError]] = []
    for number, text in _lines(file):
        try:
            found.setdefault(endpoint_of(text, asking), text)
        except ConfigError as error:
            wrong.append((number, error))
    if wrong:
        number, first = wrong[0]
        others = ", ".join(str(each) for each, _ in islice(wrong, 1, _MOST_LINES_NAMED))
        rest = len(wrong) - _MOST_LINES_NAMED
        lines = "line" if len(wrong) == 2 else "lines"
        more = f"; also wrong: {lines} {others}" + (f" and {rest:,} more" if rest > 0 else "")
        raise ConfigError(
            f"--names {quoted(file)} line {number}: {first}" + (more if others else ""),
            hint=first.hint,
        )


def _lines(file: str) -> Iterator[tuple[int, str]]:
    """What is written on each line, without comments, and the number of the line."""
    try:
        text = read_file(Path(file), _LARGEST_LIST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"--names {quoted(file)}: is not UTF-8 text") from None
    for number, line in enumerate(text.splitlines(), 1):
        host = line.partition("#")[0].strip()
        if host:
            yield number, host

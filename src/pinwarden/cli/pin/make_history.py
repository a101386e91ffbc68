"""`pin make --from-history`: the tightest of the keys served now that the past supports.

Tighter is what fewer certificates of others meet: the server's own key, then the CA's
intermediate, then its root. Each choice is tried on the past, and what it would have cost
is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pinwarden.cli.history_sources import HistoryOptions, history_from, load_history
from pinwarden.cli.output import say, say_error
from pinwarden.cli.pin.backtest_run import authorities, first_day
from pinwarden.cli.pin.backtest_view import headline
from pinwarden.errors import ConfigError
from pinwarden.pinning.backtest import KeysAbove, backtest_pins
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy

__all__ = ["Places", "history_of", "tightest_places"]

Places = frozenset[str]
"""Where in a chain keys are pinned: `leaf`, `intermediate`, `root`."""

_TIGHTEST_FIRST: tuple[Places, ...] = (
    frozenset({"leaf"}),
    frozenset({"intermediate"}),
    frozenset({"root"}),
    frozenset({"intermediate", "root"}),
)
# How far back history is tried where it is not said.
_DAYS = 365
_OPTIONS = {
    "sources": "--source",
    "days": "--days",
    "since": "--since",
    "store": "--store",
    "config_file": "--config",
    "contact": "--contact",
    "key_file": "--key-file",
}


def history_of(options: dict[str, Any], places: Sequence[str]) -> HistoryOptions | None:
    """The history to try pins on, out of what click collected; None if it was not asked for.

    `places` are those that were chosen. Raises `ConfigError` for options that contradict
    each other.
    """
    if options.pop("from_history"):
        if places:
            raise ConfigError("--from-history: chooses which keys are pinned, so name none")
        return history_from(options, at=datetime.now(UTC), days=_DAYS, still_valid=True)
    for name, option in _OPTIONS.items():
        if options.pop(name):
            raise ConfigError(f"{option}: means something with --from-history only")
    return None


def tightest_places(
    hosts: Sequence[str],
    policies_of: Callable[[Places], list[PinPolicy]],
    certificates: Iterable[bytes],
    options: HistoryOptions,
    cafile: str | None,
) -> Places:
    """The first of the choices that would have let clients in to all hosts on every day.

    `policies_of` makes the policies of a choice, and raises `ConfigError` if the chain has no
    such key; `certificates` are those served now. What each choice would have cost is said.

    Raises `ConfigError` if history supports none of them, and what a source raised if it
    could not be read: then nothing is known to be safe.
    """
    history = load_history(hosts, options)
    for failure in history.failures[1:]:
        say_error(failure)
    if history.failures:
        raise history.failures[0]
    above = KeysAbove([*certificates, *authorities((), options.sources, cafile)])
    problems: list[ConfigError] = []
    for places in _TIGHTEST_FIRST:
        try:
            pins = PinSet(policies_of(places))
        except ConfigError as error:
            problems.append(error)
            continue
        since = first_day(options.since, options.at)
        tried = [
            backtest_pins(pins, host, history.issuances, at=options.at, since=since, above=above)
            for host in hosts
        ]
        for each in tried:
            say(f"{_words(places)}: {headline(each)}")
        if all(each.passes for each in tried):
            return places
    if len(problems) == len(_TIGHTEST_FIRST):
        raise problems[0]
    raise ConfigError(
        "--from-history: whatever of the served chain were pinned, clients would have been locked "
        "out, or it is not known",
        hint="choose the keys yourself, and try the set with `pinwarden pin backtest`",
    )


def _words(places: Places) -> str:
    return " and ".join(each for each in ("leaf", "intermediate", "root") if each in places)

"""The work of `pinwarden pin backtest`: read history, try the pins on it, and tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self

from pinwarden.cli.history_sources import HistoryOptions, history_from, load_history
from pinwarden.cli.output import ExitCode, answer, say, say_error, say_notes
from pinwarden.cli.pin.anchors import trust_anchors
from pinwarden.cli.pin.backtest_view import backtest_json, backtest_text
from pinwarden.cli.pin.key_files import read_chain
from pinwarden.cli.pin.pin_sets import load_pin_set
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.names import display
from pinwarden.net.history.folder import authorities_in
from pinwarden.pinning.backtest import KeysAbove, Outcome, PinBacktest, backtest_pins
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.pinset import PinSet

__all__ = ["Order", "authorities", "backtest_hosts", "first_day"]

_USUAL_DAYS = 365
_MOST_HOSTS = 100
_FOLDER = "folder="


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `backtest` was asked for; a `below` host is one under a policy with subdomains."""

    pins: PinSet
    hosts: tuple[str, ...]
    below: bool
    history: HistoryOptions
    chains: tuple[str, ...]
    cafile: str | None
    form: str
    output: str | None
    as_json: bool

    @classmethod
    def of(cls, options: dict[str, Any], *, as_json: bool) -> Self:
        """The order in what click collected; raises `ConfigError`."""
        if as_json and options["form"] != "text":
            raise ConfigError("--json and --format: choose one of them")
        pins = load_pin_set(options.pop("file"))
        named = options.pop("hosts")
        hosts = _verified_hosts(named, pins) if named else [p.host for p in pins.policies]
        if not hosts:
            raise ConfigError("the pin set has no policy, so there is nothing to try")
        below = not named and any(policy.include_subdomains for policy in pins.policies)
        history = history_from(
            options, at=datetime.now(UTC), days=_USUAL_DAYS, below=below, still_valid=True
        )
        return cls(
            pins=pins, hosts=tuple(hosts), below=below, history=history, as_json=as_json, **options
        )


def _verified_hosts(named: Sequence[str], pins: PinSet) -> list[str]:
    """The hosts as policies name them; raises `ConfigError` for one that none is about."""
    hosts = []
    for each in named:
        try:
            host = normalise_host(each)
        except MalformedError as error:
            raise ConfigError(f"--host: {error}", hint=error.hint) from None
        if pins.policy_for(host) is None:
            raise ConfigError(f"--host {quoted(each)}: no policy of the set is about it")
        hosts.append(host)
    return list(dict.fromkeys(hosts))


def backtest_hosts(order: Order) -> int:
    """Try the pins on each host's past, tell, and return the exit code."""
    above = KeysAbove(authorities(order.chains, order.history.sources, order.cafile))
    history = load_history(order.hosts, order.history)
    say_notes(history.notes)
    for failure in history.failures:
        say_error(failure)
    hosts = [*order.hosts, *(_below(order, history.issuances) if order.below else ())]
    tried = [
        backtest_pins(
            order.pins,
            host,
            history.issuances,
            at=order.history.at,
            since=first_day(order.history.since, order.history.at),
            above=above,
        )
        for host in hosts
    ]
    _tell(order, tried)
    if any(each.outcome is Outcome.LOCKED_OUT for each in tried):
        return ExitCode.FINDINGS
    if history.failures:
        return ExitCode.UNFINISHED
    return ExitCode.OK if all(each.passes for each in tried) else ExitCode.FINDINGS


def authorities(
    chains: Sequence[str], sources: Sequence[str], cafile: str | None
) -> Iterator[bytes]:
    """Certificates of CAs that are at hand: in files, beside the history, and trusted.

    Raises `ConfigError` for a file that cannot be read.
    """
    for file in chains:
        yield from read_chain(file)
    for source in sources:
        if source.startswith(_FOLDER):
            yield from authorities_in(Path(source.removeprefix(_FOLDER)).expanduser())
    yield from trust_anchors(cafile)


def first_day(since: datetime | None, at: datetime) -> datetime | None:
    """From the first whole day on, so that as many days are counted as were asked for."""
    if since is None:
        return None
    midnight = datetime.combine(since.date(), time(), UTC)
    whole = midnight if midnight == since else midnight + timedelta(days=1)
    return whole if whole < at else since


def _below(order: Order, issuances: Iterable[PastIssuance]) -> list[str]:
    """Hosts that certificates name and a policy covers with those below it."""
    found: dict[str, None] = {}
    for name in (name for each in issuances for name in each.names):
        if name in order.hosts or name in found or "*" in name:
            continue
        try:
            covered = normalise_host(name) == name and order.pins.policy_for(name) is not None
        except MalformedError:
            continue
        if covered:
            found[name] = None
    left_out = len(found) - _MOST_HOSTS
    if left_out > 0:
        say(f"note: {left_out:,} more hosts below were not tried; name them with --host")
    return sorted(list(found)[:_MOST_HOSTS])


def _tell(order: Order, tried: Sequence[PinBacktest]) -> None:
    if order.as_json:
        lines = (json.dumps(backtest_json(each), separators=(",", ":")) for each in tried)
        text = "".join(f"{line}\n" for line in lines)
    elif order.form == "html":
        from pinwarden.cli.pin.backtest_page import backtest_page

        text = backtest_page(tried, order.history.sources)
    else:
        text = "\n".join(map(backtest_text, tried))
    if order.output is None:
        answer(text)
    else:
        write_file(order.output, text, force=True)
        say(f"{display(order.output)}: written")

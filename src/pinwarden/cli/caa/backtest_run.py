"""The work of `pinwarden caa backtest`: the policy, the history, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pinwarden.caa.backtest import BacktestVerdict, Policy, backtest_policy
from pinwarden.caa.climb import CAAName, RelevantSet, climb_with, parse_caa_name
from pinwarden.caa.intent import generate_records
from pinwarden.caa.lookup import Lookup
from pinwarden.caa.profiles import profile_named
from pinwarden.cli.caa.asking import Asking, load_zone, policies
from pinwarden.cli.caa.backtest_view import Backtested, backtest_json, backtest_text
from pinwarden.cli.caa.intent_options import Meant, intent_for
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.caa.meant_policy import is_within, policy_of_records
from pinwarden.cli.history_sources import HistoryOptions, load_history
from pinwarden.cli.output import ExitCode, answer, answer_json, say, say_error
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.names import display


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `backtest` was asked for; `form` is text, html or json."""

    asking: Asking
    meant: Meant
    history: HistoryOptions
    by_date: bool
    profile: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A policy: what it is called, the names it is about, and where to find its sets.

    `find` is None for the policy in DNS, which is asked when the names are known.
    """

    kind: str
    called: str
    names: tuple[str, ...]
    find: Policy | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Asks a policy about the names that are below those it is tried for."""

    names: frozenset[str]
    find: Policy
    sets: dict[str, Lookup] = field(default_factory=dict)

    def __call__(self, name: str) -> RelevantSet | None:
        if not is_within(name, self.names):
            return None
        found = self.find(name)
        if found is not None and found.relevant_name is not None and found.lookup is not None:
            self.sets.setdefault(found.relevant_name, found.lookup)
        return found


def run_backtest(order: Order) -> int:
    """Try the policy on the history, and answer; the exit code of the command."""
    chosen = _chosen(order)
    profile = profile_named(order.profile, order.history.at)
    history = load_history(chosen.names, order.history)
    for note in history.notes:
        say(f"note: {note}")
    for failure in history.failures:
        say_error(failure)
    find = chosen.find or _from_dns(order.asking, chosen.names, history.issuances)
    policy = _Remembered(frozenset(chosen.names), find)
    result = backtest_policy(
        policy, history.issuances, current_issuers(), profile, order.history.at
    )
    told = Backtested(
        kind=chosen.kind,
        policy=chosen.called,
        names=chosen.names,
        sources=order.history.sources,
        since=order.history.since,
        by_date=order.by_date,
        profile=profile.name,
        result=result,
        sets=policy.sets,
        failures=tuple(map(str, history.failures)),
        notes=tuple(history.notes),
    )
    _answer(told, order.form)
    if history.failures:
        return ExitCode.UNFINISHED
    return ExitCode.OK if result.verdict is BacktestVerdict.ALLOWED else ExitCode.FINDINGS


def _answer(told: Backtested, form: str) -> None:
    if form == "json":
        answer_json(backtest_json(told))
    elif form == "html":
        from pinwarden.cli.caa.backtest_page import backtest_page

        answer(backtest_page(told))
    else:
        answer(backtest_text(told))


def _chosen(order: Order) -> _Chosen:
    asking, meant = order.asking, order.meant
    addresses = [name.text for name in asking.names if name.is_ip]
    if addresses:
        raise ConfigError(f"{display(addresses[0], 60)}: CAA is not consulted for IP addresses")
    names = tuple(dict.fromkeys(name.name for name in asking.names))
    if meant.said_anything and (asking.zone is not None or asking.resolvers):
        raise ConfigError(
            "--ca and its kin, --zone, --resolver: each is a policy, so choose one of them"
        )
    if asking.zone is not None:
        return _of_zone(asking, names)
    if not names:
        raise ConfigError("no names given", hint="give NAME..., --names FILE or --zone FILE")
    if meant.said_anything:
        return _of_intent(meant, names)
    if len(asking.resolvers) > 1:
        raise ConfigError("--resolver: a policy is tried as one resolver has it, so name one")
    return _Chosen(kind="dns", called="the policy in force now", names=names, find=None)


def _of_zone(asking: Asking, names: tuple[str, ...]) -> _Chosen:
    from pinwarden.caa.zone.zonefile import zone_look_up

    assert asking.zone is not None
    zone = load_zone(asking.zone, asking.origin)
    names = names or ((zone.apex,) if zone.apex else ())
    if not names:
        raise ConfigError("no names given", hint="a zone file of the root needs NAME...")

    def find(name: str) -> RelevantSet:
        return climb_with(name, lambda asked: zone_look_up(zone, asked))

    called = f"the policy in {display(str(asking.zone), 200)}"
    return _Chosen(kind="zone", called=called, names=names, find=find)


def _of_intent(meant: Meant, names: tuple[str, ...]) -> _Chosen:
    try:
        meanings = {name: generate_records(intent_for(name, meant)) for name in names}
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    return _Chosen(
        kind="intent",
        called="the policy that is meant",
        names=names,
        find=policy_of_records(meanings),
    )


def _from_dns(asking: Asking, names: tuple[str, ...], issuances: Iterable[PastIssuance]) -> Policy:
    """The policy as DNS has it for every name in the history; asked now."""
    within, wanted = frozenset(names), dict[str, CAAName]()
    for issuance in issuances:
        for text in issuance.names:
            try:
                name = parse_caa_name(text)
            except MalformedError:
                continue
            if is_within(name.name, within):
                wanted.setdefault(name.name, name)
    if not wanted:
        return lambda _: None
    found = asyncio.run(_asked(replace(asking, names=tuple(wanted.values()))))
    return found.get


async def _asked(asking: Asking) -> dict[str, RelevantSet]:
    return {each.name.name: each.found[0] async for each in policies(asking)}

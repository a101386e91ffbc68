"""From the plan of a run to an observer of CAA policies, and what it says to a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from pinwarden.cli.deliveries import Deliveries
from pinwarden.cli.output import say
from pinwarden.cli.wiring import CAAPlan
from pinwarden.config import CAAConfig
from pinwarden.monitor.caa import CAAObserver, ObserverSettings, OpenResolvers, Round
from pinwarden.names import display
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.net.dns.resolver import DNSResolver, open_resolver
from pinwarden.net.dns.server import parse_server, system_servers
from pinwarden.net.dns.system import SystemResolver, open_system_resolver
from pinwarden.render.account import counted
from pinwarden.store.contract import Store

_MOST_PROBLEMS = 5


def make_observer(
    plan: CAAPlan | None,
    *,
    store: Store,
    outbox: Deliveries,
    channels: Sequence[str],
    on_round: Callable[[Round], None],
) -> CAAObserver:
    """The observer of a plan; it rests without one. Raises ConfigError if nobody can be asked."""
    return CAAObserver(
        store=store,
        names=() if plan is None else plan.names,
        open_resolvers=_opens(plan),
        channels=channels,
        settings=_settings(plan),
        on_alert=outbox.wake,
        on_round=on_round,
    )


def take_plan(observer: CAAObserver, plan: CAAPlan | None, channels: Sequence[str]) -> None:
    """Go on by another plan. Raises ConfigError, and changes nothing, if there is nobody to ask."""
    observer.replace(
        () if plan is None else plan.names,
        channels,
        open_resolvers=_opens(plan),
        settings=_settings(plan),
    )


def _settings(plan: CAAPlan | None) -> ObserverSettings:
    if plan is None:
        return ObserverSettings()
    how = plan.how
    return ObserverSettings(
        interval=timedelta(minutes=how.interval_minutes),
        confirm_after=timedelta(seconds=how.confirm_seconds),
        patience=timedelta(minutes=how.patience_minutes),
        parallel=how.parallel,
    )


def _opens(plan: CAAPlan | None) -> OpenResolvers:
    how = CAAConfig() if plan is None else plan.how
    servers = list(map(parse_server, how.resolvers))
    # Whoever observes nothing need not have anybody to ask.
    system = system_servers() if plan is not None and not servers else ()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sequence[CAAResolver]]:
        async with AsyncExitStack() as stack:
            resolvers: list[DNSResolver | SystemResolver] = [
                open_resolver(server, timeout=how.timeout_seconds) for server in servers
            ]
            if system:
                resolvers.append(open_system_resolver(system, timeout=how.timeout_seconds))
            yield [await stack.enter_async_context(each) for each in resolvers]

    return opened


def round_json(result: Round) -> dict[str, object]:
    """The documented object of one round."""
    return {
        "names": result.names,
        "changed": result.changed,
        "failed": result.failed,
        "problems": [{"name": name, "problem": problem} for name, problem in result.problems],
        "findings": [
            {"id": finding.id, "subject": finding.subject, "message": finding.message}
            for finding in result.findings
        ],
    }


def say_round(result: Round) -> None:
    """One line of conversation about a round, and one for each of a few names not seen."""
    for name, problem in result.problems[:_MOST_PROBLEMS]:
        say(f"{display(name, 260)}: could not be looked up: {display(problem, 300)}")
    if len(result.problems) > _MOST_PROBLEMS:
        say(f"{counted(len(result.problems) - _MOST_PROBLEMS, 'more name')} could not either")
    parts = [f"CAA of {counted(result.names, 'name')} observed"]
    if result.changed:
        parts.append(f"{result.changed} changed")
    if result.failed:
        parts.append(f"{result.failed} could not be looked up")
    if result.alerts:
        parts.append(counted(result.alerts, "new alert"))
    say(", ".join(parts))

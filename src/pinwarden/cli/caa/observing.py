"""From the plan of a run to an observer of CAA policies, and what it says to a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from pinwarden.cli.deliveries import Deliveries
from pinwarden.cli.output import say
from pinwarden.cli.table import counted
from pinwarden.cli.wiring import CAAPlan
from pinwarden.monitor.caa import CAAObserver, ObserverSettings, OpenResolvers, Round
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server, system_servers
from pinwarden.store.contract import Store


def make_observer(
    plan: CAAPlan,
    *,
    store: Store,
    outbox: Deliveries,
    channels: Sequence[str],
    on_round: Callable[[Round], None],
) -> CAAObserver:
    """The observer of a plan. Raises ConfigError if there is nobody to ask."""
    how = plan.how
    return CAAObserver(
        store=store,
        names=plan.names,
        open_resolvers=_opens(plan),
        channels=channels,
        settings=ObserverSettings(
            interval=timedelta(minutes=how.interval_minutes),
            confirm_after=timedelta(seconds=how.confirm_seconds),
            patience=timedelta(minutes=how.patience_minutes),
            parallel=how.parallel,
        ),
        on_alert=outbox.wake,
        on_round=on_round,
    )


def _opens(plan: CAAPlan) -> OpenResolvers:
    how = plan.how
    servers = [parse_server(text) for text in how.resolvers] or [system_servers()[0]]

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sequence[CAAResolver]]:
        async with AsyncExitStack() as stack:
            resolvers = [open_resolver(server, timeout=how.timeout_seconds) for server in servers]
            yield [await stack.enter_async_context(each) for each in resolvers]

    return opened


def round_json(result: Round) -> dict[str, object]:
    """The documented object of one round."""
    return {
        "names": result.names,
        "changed": result.changed,
        "failed": result.failed,
        "findings": [
            {"id": finding.id, "subject": finding.subject, "message": finding.message}
            for finding in result.findings
        ],
    }


def say_round(result: Round) -> None:
    """One line of conversation about a round."""
    parts = [f"CAA of {counted(result.names, 'name')} observed"]
    if result.changed:
        parts.append(f"{result.changed} changed")
    if result.failed:
        parts.append(f"{result.failed} could not be looked up")
    if result.alerts:
        parts.append(counted(result.alerts, "new alert"))
    say(", ".join(parts))

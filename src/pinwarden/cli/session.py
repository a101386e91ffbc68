"""One run of the monitor: everything opened, joined, and closed again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pinwarden.cli.caa.observing import make_observer, round_json, say_round, take_plan
from pinwarden.cli.deliveries import Deliveries, channel_names
from pinwarden.cli.live import AsideChannel, Display
from pinwarden.cli.log_sources import Sources, load_sources
from pinwarden.cli.output import ExitCode, answer_json, on_terminal, say, say_what_is_logged
from pinwarden.cli.reloading import keep_reloading
from pinwarden.cli.table import summary
from pinwarden.cli.wiring import Plan, opened_store
from pinwarden.config_channels import ChannelConfig, StdoutConfig
from pinwarden.ct.log import Log
from pinwarden.errors import quoted
from pinwarden.monitor.caa import CAAObserver, Round
from pinwarden.monitor.daemon import LogOutcome, Monitor, MonitorSettings, first_failure
from pinwarden.monitor.pipeline import Pipeline
from pinwarden.monitor.status import LogStatus
from pinwarden.monitor.worker import utc_now
from pinwarden.net.channels import Channel, open_channel
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.render.account import counted
from pinwarden.store.contract import Store

# Attempts at one request; a pass that must end does not wait for long outages.
_ONCE_ATTEMPTS = 3
_ONCE_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class _Session:
    http: HTTPClient
    sources: Sources
    store: Store
    monitor: Monitor
    observer: CAAObserver
    outbox: Deliveries
    display: Display


@contextlib.asynccontextmanager
async def _session(
    plan: Plan, limits: Limits, *, quiet: bool, refresh_after: timedelta = timedelta(0)
) -> AsyncIterator[_Session]:
    say_what_is_logged()
    monitors: list[Monitor] = []

    def statuses() -> Sequence[LogStatus]:
        return monitors[0].statuses if monitors else ()

    display = Display(statuses, quiet=quiet)
    channels = _channels(plan.channels, display)
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(HTTPClient(plan.contact, limits=limits))
        # Before the store: a bad list must not leave an empty store behind.
        sources = await load_sources(http, plan.logs.lists, refresh_after=refresh_after)
        store = await stack.enter_async_context(await opened_store(plan.store))
        outbox = Deliveries(store, channels)
        monitor = Monitor(
            store=store,
            pipeline=Pipeline(plan.watchlist),
            open_client=lambda log: open_log(log, http),
            settings=MonitorSettings(
                poll_seconds=plan.logs.poll_seconds,
                list_seconds=plan.logs.refresh_minutes * 60,
                from_beginning=plan.from_beginning,
            ),
            channels=channel_names(plan.channels),
            on_alert=outbox.wake,
        )
        monitors.append(monitor)
        observer = make_observer(
            plan.caa,
            store=store,
            outbox=outbox,
            channels=channel_names(plan.channels),
            on_round=(lambda _: None) if quiet or on_terminal() else say_round,
        )
        # What was loaded until here stays: the garbage collector need not walk
        # through it again for every few thousand entries.
        gc.freeze()
        yield _Session(http, sources, store, monitor, observer, outbox, display)


def _channels(configs: tuple[ChannelConfig, ...], display: Display) -> tuple[Channel, ...]:
    return tuple(
        AsideChannel(open_channel(config), display)
        if isinstance(config, StdoutConfig) and on_terminal()
        else open_channel(config)
        for config in configs
    )


async def run_once(plan: Plan, *, as_json: bool, quiet: bool) -> int:
    """Catch up with the present heads; returns the exit code."""
    limits = Limits(
        timeout=plan.logs.timeout_seconds,
        attempts=_ONCE_ATTEMPTS,
        patience=_ONCE_PATIENCE,
        concurrency=plan.logs.parallel,
    )
    refresh_after = timedelta(minutes=plan.logs.refresh_minutes)
    async with _session(plan, limits, quiet=quiet, refresh_after=refresh_after) as session:
        sources = session.sources
        listed = await _note(session.store, sources, plan)
        stop = asyncio.Event()
        delivering = asyncio.create_task(session.outbox.run(stop))
        async with session.display.shown():
            try:
                outcomes, looked = await _once(session, plan)
            finally:
                stop.set()
                await delivering
            undelivered = await session.outbox.flush()
    for outcome in outcomes:
        if outcome.error is not None:
            say(f"log {quoted(outcome.status.description)}: not finished: {outcome.error}")
    if undelivered:
        say(f"{counted(undelivered, 'alert')} not delivered yet; the next run tries again")
    if as_json:
        answer_json(_report(outcomes, looked, listed))
    elif not quiet and not on_terminal():
        say(summary([outcome.status for outcome in outcomes], listed))
        if looked is not None:
            say_round(looked)
    failed = looked is not None and looked.failed > 0
    if undelivered or failed or any(outcome.error is not None for outcome in outcomes):
        return ExitCode.UNFINISHED
    found = any(outcome.findings or outcome.status.alerts for outcome in outcomes)
    found = found or (looked is not None and bool(looked.findings))
    return ExitCode.FINDINGS if found or sources.findings else ExitCode.OK


async def _once(session: _Session, plan: Plan) -> tuple[tuple[LogOutcome, ...], Round | None]:
    """One pass over the logs and, beside it, one round over the CAA policies."""
    with first_failure():
        async with asyncio.TaskGroup() as group:
            logs = group.create_task(session.monitor.once(session.sources.logs))
            caa = None
            if plan.caa is not None:
                caa = group.create_task(session.observer.round())
    return logs.result(), None if caa is None else caa.result()


async def _note(store: Store, sources: Sources, plan: Plan) -> int:
    """Keep what is wrong with the lists, close what no longer is; returns the new alerts."""
    await store.resolve_findings(sources.passed, at=utc_now())
    return await store.record_findings(
        sources.findings, at=utc_now(), channels=channel_names(plan.channels)
    )


def _report(
    outcomes: tuple[LogOutcome, ...], looked: Round | None, listed: int
) -> dict[str, object]:
    """The last line of `watch --once --json`; `listed` alerts were about log lists."""
    statuses = [outcome.status for outcome in outcomes]
    caa = {} if looked is None else {"caa": round_json(looked)}
    listed += 0 if looked is None else looked.alerts
    return {
        "logs": [
            {
                "log_id": _base64(outcome.status.log_id),
                "url": outcome.status.url,
                "description": outcome.status.description,
                "entries": outcome.status.entries,
                "start": outcome.status.start,
                "verified_size": outcome.status.verified_size,
                "root": _base64(outcome.status.verified_root),
                "findings": [
                    {"id": finding.id, "message": finding.message} for finding in outcome.findings
                ],
                "error": None if outcome.error is None else str(outcome.error),
            }
            for outcome in outcomes
        ],
        "entries": sum(status.entries for status in statuses),
        "matched": sum(status.matched for status in statuses),
        "alerts": listed + sum(status.alerts for status in statuses),
        **caa,
    }


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


async def run_forever(plan: Plan, read_plan: Callable[[], Plan], *, quiet: bool) -> None:
    """Follow until SIGTERM or SIGINT; SIGHUP, or a changed file, is a reload."""
    limits = Limits(timeout=plan.logs.timeout_seconds, concurrency=plan.logs.parallel)
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    starting = asyncio.current_task()
    begun = asyncio.Event()

    def end() -> None:
        stop.set()
        if starting is not None and not begun.is_set():
            # Nobody waits for `stop` while lists are fetched and the store is opened.
            starting.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    try:
        async with _session(plan, limits, quiet=quiet) as session:
            begun.set()
            await _follow(session, plan, read_plan, stop, reload)
    except asyncio.CancelledError:
        if begun.is_set() or not stop.is_set():
            raise
    say("stopped")


async def _follow(
    session: _Session,
    plan: Plan,
    read_plan: Callable[[], Plan],
    stop: asyncio.Event,
    reload: asyncio.Event,
) -> None:
    """The long run itself, in a session that is open."""
    current = [plan]
    loaded = [session.sources]

    async def load_logs() -> tuple[Log, ...]:
        lists = current[0].logs.lists
        sources = loaded.pop() if loaded else await load_sources(session.http, lists)
        if await _note(session.store, sources, current[0]):
            session.outbox.wake()
        return sources.logs

    def take(new: Plan) -> None:
        # What may refuse comes first: nothing of a bad plan is taken.
        channels = _channels(new.channels, session.display)
        names = channel_names(new.channels)
        take_plan(session.observer, new.caa, names)
        session.outbox.replace(channels)
        session.monitor.replace(Pipeline(new.watchlist), names)
        current[0] = new
        session.monitor.relist()

    say(
        f"watching {counted(len(plan.watchlist.items), 'item')}; "
        f"alerts to {', '.join(channel_names(plan.channels))}"
    )
    with first_failure():
        async with session.display.shown(), asyncio.TaskGroup() as group:
            group.create_task(session.outbox.run(stop))
            group.create_task(session.observer.run(stop))
            reloading = group.create_task(keep_reloading(plan, read_plan, reload, take))
            await session.monitor.run(load_logs, stop)
            stop.set()
            reloading.cancel()

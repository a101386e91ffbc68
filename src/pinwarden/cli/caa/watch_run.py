"""One run of `pinwarden caa watch`: the store, the observer and the channels, without logs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pinwarden.cli.caa.observing import make_observer, round_json, say_round, take_plan
from pinwarden.cli.deliveries import Deliveries, channel_names
from pinwarden.cli.output import ExitCode, answer_json, say, say_what_is_logged
from pinwarden.cli.reloading import keep_reloading
from pinwarden.cli.wiring import CAAPlan, Plan, opened_store
from pinwarden.errors import ConfigError
from pinwarden.monitor.caa import CAAObserver
from pinwarden.monitor.daemon import first_failure
from pinwarden.net.channels import open_channel
from pinwarden.render.account import counted


@dataclass(frozen=True, slots=True)
class _Run:
    plan: CAAPlan
    observer: CAAObserver
    outbox: Deliveries


@asynccontextmanager
async def _opened(plan: Plan, *, quiet: bool) -> AsyncIterator[_Run]:
    say_what_is_logged()
    caa = _verified(plan)
    channels = tuple(open_channel(config) for config in plan.channels)
    async with await opened_store(plan.store) as store:
        outbox = Deliveries(store, channels)
        observer = make_observer(
            caa,
            store=store,
            outbox=outbox,
            channels=channel_names(plan.channels),
            on_round=(lambda _: None) if quiet else say_round,
        )
        yield _Run(caa, observer, outbox)


def _verified(plan: Plan) -> CAAPlan:
    """What a plan says of CAA. Raises ConfigError if that is nothing."""
    if plan.caa is None or not plan.caa.names:
        raise ConfigError(
            "no name to observe",
            hint="name one: pinwarden caa watch example.com; addresses have no CAA",
        )
    return plan.caa


async def observe_once(plan: Plan, *, as_json: bool, quiet: bool) -> int:
    """Look at every name once; returns the exit code."""
    async with _opened(plan, quiet=quiet) as run:
        result = await run.observer.round()
        undelivered = await run.outbox.flush()
    if undelivered:
        say(f"{counted(undelivered, 'alert')} not delivered yet; the next run tries again")
    if as_json:
        answer_json({"caa": round_json(result), "alerts": result.alerts})
    elif not quiet:
        say_round(result)
    if undelivered or result.failed:
        return ExitCode.UNFINISHED
    return ExitCode.FINDINGS if result.findings or result.alerts else ExitCode.OK


async def observe_forever(plan: Plan, read_plan: Callable[[], Plan], *, quiet: bool) -> None:
    """Observe until SIGTERM or SIGINT; SIGHUP, or a changed file, is a reload."""
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    async with _opened(plan, quiet=quiet) as run:

        def take(new: Plan) -> None:
            channels = tuple(open_channel(config) for config in new.channels)
            take_plan(run.observer, _verified(new), channel_names(new.channels))
            run.outbox.replace(channels)

        minutes = run.plan.how.interval_minutes
        say(
            f"observing CAA of {counted(len(run.plan.names), 'name')} every {minutes:g} minutes; "
            f"alerts to {', '.join(channel_names(plan.channels))}"
        )
        with first_failure():
            async with asyncio.TaskGroup() as group:
                group.create_task(run.outbox.run(stop))
                reloading = group.create_task(keep_reloading(plan, read_plan, reload, take))
                await run.observer.run(stop)
                stop.set()
                reloading.cancel()
    say("stopped")

"""Another configuration while a command runs: on SIGHUP, or when a file of it changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from pinwarden.cli.output import say
from pinwarden.cli.wiring import Plan
from pinwarden.errors import PinwardenError
from pinwarden.render.account import counted

# How often the configuration and the watch list are looked at for changes.
_RELOAD_SECONDS = 2.0


async def keep_reloading(
    plan: Plan,
    read_plan: Callable[[], Plan],
    reload: asyncio.Event,
    take: Callable[[Plan], None],
) -> None:
    """Give new plans to `take`, for ever; a bad file, or one that it refuses, changes nothing."""
    files, seen = plan.files, _versions(plan.files)
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reload.wait(), _RELOAD_SECONDS)
        versions = _versions(files)
        if not reload.is_set() and versions == seen:
            continue
        reload.clear()
        seen = versions
        try:
            new = read_plan()
            take(new)
        except PinwardenError as error:
            say(f"not reloaded, going on as before: {error}")
            if error.hint:
                say(f"hint: {error.hint}")
            continue
        if _fixed(new) != _fixed(plan):
            say("store, contact, start and [logs] other than lists change only at a restart")
        if new.files != files:
            files, seen = new.files, _versions(new.files)
        plan = new
        say(f"reloaded: watching {counted(len(new.watchlist.items), 'item')}")


def _fixed(plan: Plan) -> tuple[object, ...]:
    """What a running command does not take from a new configuration."""
    logs = plan.logs
    pace = (logs.refresh_minutes, logs.poll_seconds, logs.timeout_seconds, logs.parallel)
    return (plan.store, plan.contact, plan.from_beginning, *pace)


def _versions(files: tuple[Path, ...]) -> tuple[tuple[int, int] | None, ...]:
    """What tells a changed file from an unchanged one."""

    def version(file: Path) -> tuple[int, int] | None:
        try:
            status = file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    return tuple(version(file) for file in files)

"""Audits of one host or of thousands: so many at a time, told in the order of the list."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import UTC, datetime

from pinwarden.audit.gather import AuditTarget, Gatherer, Limits, Sources
from pinwarden.audit.report import AuditReport
from pinwarden.audit.reporting import report_of

__all__ = ["AuditTarget", "Limits", "Sources", "audit_host", "audit_hosts"]

PARALLEL = 32
# Hosts that are done while one before them is not, for each host in work.
_AHEAD = 8


def _now() -> datetime:
    return datetime.now(UTC)


async def audit_host(
    target: AuditTarget,
    sources: Sources,
    *,
    ignored: Collection[str] = (),
    clock: Callable[[], datetime] = _now,
) -> AuditReport:
    """Audit one host; raises nothing for what the host, DNS or the store does.

    Takes no longer than the limits of the sources together. `ignored` are ids of findings
    that are not to be told. Where others choose the host, `sources.asker` has to be one that
    refuses to be led inside, as `net.audit_asker.AuditAsker` does unless told otherwise.
    """
    return await _audit(target, Gatherer(sources), ignored, clock)


async def audit_hosts(
    targets: Iterable[AuditTarget],
    sources: Sources,
    *,
    ignored: Collection[str] = (),
    parallel: int = PARALLEL,
    on_done: Callable[[], None] = lambda: None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[AuditReport]:
    """Audit hosts, `parallel` at a time, and give their reports in the order of the hosts.

    `on_done` is called when one of them, whichever, is done. Few reports are held at any
    time, however many hosts there are.
    """
    gatherer = Gatherer(sources)
    slots = asyncio.Semaphore(parallel)

    async def one(target: AuditTarget) -> AuditReport:
        async with slots:
            report = await _audit(target, gatherer, ignored, clock)
        on_done()
        return report

    begun: deque[asyncio.Task[AuditReport]] = deque()
    try:
        for target in targets:
            begun.append(asyncio.create_task(one(target)))
            if len(begun) >= parallel * _AHEAD:
                yield await begun.popleft()
        while begun:
            yield await begun.popleft()
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def _audit(
    target: AuditTarget,
    gatherer: Gatherer,
    ignored: Collection[str],
    clock: Callable[[], datetime],
) -> AuditReport:
    return report_of(await gatherer.facts(target, clock()), ignored)

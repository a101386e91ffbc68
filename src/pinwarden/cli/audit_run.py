"""The work of `pinwarden audit`: hosts and sources from the options, audits, the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden import findings
from pinwarden.audit.report import AuditReport
from pinwarden.audit.run import AuditTarget, Limits, Sources, audit_hosts
from pinwarden.cli.asking_hosts import Asking
from pinwarden.cli.audit_asker import open_asker
from pinwarden.cli.audit_output import Output, open_output, progress
from pinwarden.cli.audit_targets import audit_targets
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.long_lists import seldom_collected
from pinwarden.cli.output import ExitCode, say, say_notes, worst
from pinwarden.cli.pin.pin_sets import load_pin_set
from pinwarden.cli.reading import ignored_findings
from pinwarden.ct.log import LogList
from pinwarden.errors import ConfigError, MalformedError, OutsideError
from pinwarden.findings import Severity
from pinwarden.net.dns.contract import CAAResolver
from pinwarden.pinning.pinset import PinSet

__all__ = ["Order", "exit_code", "run_audits"]

# To find the addresses, and up to five handshakes and requests at each; waiting for a slot.
_STEPS, _WAITING = 8, 10.0
_DNS_TIMEOUT = 5.0
_MOST_THREADS = 256
# Where these stand alone, nothing was found out about the host.
_NOT_ASKED = frozenset(
    (
        findings.TLS_NO_ADDRESS,
        findings.TLS_UNREACHABLE,
        findings.TLS_TIMEOUT,
        findings.TLS_FORBIDDEN,
        findings.AUDIT_RESOLVER_DOWN,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `audit` was asked for."""

    hosts: tuple[str, ...]
    names_file: str | None
    form: str
    output: str | None
    fail_on: str
    ignored: tuple[str, ...]
    pins: str | None
    log_lists: tuple[str, ...]
    ca_domains: tuple[str, ...]
    resolvers: tuple[str, ...]
    no_dns: bool
    no_http: bool
    store: str | None
    public_only: bool
    parallel: int
    quiet: bool
    asking: Asking


def run_audits(order: Order) -> int:
    """Audit every host, tell about each, and return the exit code."""
    targets = audit_targets(order.hosts, order.names_file, order.asking)
    ignored = ignored_findings(order.ignored, "docs/findings-audit.md")
    logs = _logs(order)
    pins = load_pin_set(order.pins) if order.pins is not None else None
    with seldom_collected():
        return asyncio.run(_run(order, targets, ignored, logs, pins))


async def _run(
    order: Order,
    targets: list[AuditTarget],
    ignored: frozenset[str],
    logs: LogList | None,
    pins: PinSet | None,
) -> int:
    # The names of hosts are found by calls that block, and reports are written by others: with
    # the few threads that are usual, names that nobody answers for would hold up all the rest.
    threads = ThreadPoolExecutor(min(order.parallel, _MOST_THREADS) + 2)
    asyncio.get_running_loop().set_default_executor(threads)
    codes = {ExitCode.OK}
    async with _sources(order, logs, pins) as sources:
        with (
            open_output(order.form, order.output, quiet=order.quiet, pins=pins) as output,
            progress(len(targets), quiet=order.quiet, answers=order.output is None) as advance,
        ):
            audits = audit_hosts(
                targets, sources, ignored=ignored, parallel=order.parallel, on_done=advance
            )
            async for report in audits:
                codes.add(exit_code(report, order.fail_on))
                await _tell(output, report)
    return worst(codes)


async def _tell(output: Output, report: AuditReport) -> None:
    # Beside the loop, on which other hosts wait: a reader of our output may be slow.
    await asyncio.to_thread(output.add, report)


def exit_code(report: AuditReport, fail_on: str) -> ExitCode:
    """The part of one host in the exit code."""
    if fail_on != "never":
        grave = report.at_least(Severity(fail_on))
        if any(each.kind not in _NOT_ASKED for each in grave):
            return ExitCode.FINDINGS
    asked = all(each.kind not in _NOT_ASKED for each in report.found)
    return ExitCode.OK if report.finished and asked else ExitCode.UNFINISHED


def _logs(order: Order) -> LogList | None:
    """The logs to check against; without any, the audit goes on and says so."""
    try:
        kept = kept_logs(order.log_lists, datetime.now(UTC))
    except OutsideError as error:
        if order.log_lists:
            raise
        if not order.quiet:
            say(f"note: {error}")
        return None
    say_notes(() if order.quiet else kept.notes)
    return kept.logs


@asynccontextmanager
async def _sources(
    order: Order, logs: LogList | None, pins: PinSet | None
) -> AsyncIterator[Sources]:
    """Everything an audit consults, opened."""
    async with AsyncExitStack() as stack:
        resolvers: tuple[CAAResolver, ...] = ()
        if not order.no_dns:
            from pinwarden.cli.caa.asking import Asking as AskingNames
            from pinwarden.cli.caa.asking import opened_resolvers

            asking = AskingNames(
                names=(),
                resolvers=order.resolvers,
                timeout=min(_DNS_TIMEOUT, order.asking.timeout),
            )
            resolvers = await stack.enter_async_context(opened_resolvers(asking))
        store = None
        if order.store is not None:
            from pinwarden.cli.wiring import opened_store

            store = await stack.enter_async_context(await opened_store(order.store, create=False))
        timeout = order.asking.timeout
        yield Sources(
            asker=open_asker(
                order.asking,
                http=not order.no_http,
                public_only=order.public_only,
                parallel=order.parallel,
            ),
            issuers=current_issuers(),
            resolvers=resolvers,
            logs=logs,
            always_ct=bool(order.log_lists),
            always_caa=bool(order.resolvers),
            ca_domains=_ca_domains(order.ca_domains),
            pins=pins,
            store=store,
            limits=Limits(
                asking=_STEPS * timeout + _WAITING,
                names=_STEPS * timeout + _WAITING,
                store=timeout + _WAITING,
            ),
        )


def _ca_domains(given: tuple[str, ...]) -> tuple[str, ...]:
    """Domains as CAA has them; raises `ConfigError` for what is none."""
    from pinwarden.names import normalise_name

    try:
        return tuple(map(normalise_name, given))
    except MalformedError as error:
        raise ConfigError(f"--ca: {error}", hint="such as --ca letsencrypt.org") from None

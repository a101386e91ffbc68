"""The work of `pinwarden caa verify`: what is meant, what is served, and how they differ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pinwarden import findings
from pinwarden.caa.comparison import Damage, Difference, compare_records
from pinwarden.caa.intent import generate_records
from pinwarden.caa.presentation import parse_presentation, to_generic, to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord, read_rdata
from pinwarden.cli.caa.asking import load_zone
from pinwarden.cli.caa.intent_options import Meant, intent_for
from pinwarden.cli.output import ExitCode, answer, answer_json
from pinwarden.errors import ConfigError, MalformedError, OutsideError
from pinwarden.findings import Finding, FindingKind
from pinwarden.names import display, normalise_name
from pinwarden.net.dns.authority import (
    Asker,
    Authority,
    ServerAnswer,
    ask_servers,
    find_authority,
    given_server,
    same_everywhere,
    without_way,
)
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server, system_servers
from pinwarden.net.dns.system import open_system_resolver
from pinwarden.render import listed_finding_json
from pinwarden.render.account import counted

Records = tuple[CAARecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `verify` was asked for."""

    names: tuple[str, ...]
    zone: Path | None
    origin: str | None
    records: tuple[str, ...]
    meant: Meant
    servers: tuple[str, ...]
    resolver: str | None
    port: int
    timeout: float
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """One server's records beside the meant ones."""

    answer: ServerAnswer
    served: tuple[CAARecord | BrokenRecord, ...]
    differences: tuple[Difference, ...]

    @property
    def as_meant(self) -> bool:
        """Whether it answered, for the name itself, with exactly these records."""
        return not (self.answer.problem or self.answer.aliases or self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReport:
    """What all servers said of one name; `problems` are why some could not be asked.

    `skipped` are addresses that this machine has no way to, of servers asked at another one.
    """

    name: str
    meant: Records
    zone: str | None = None
    servers: tuple[ServerReport, ...] = ()
    problems: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def exit_code(self) -> ExitCode:
        """A difference weighs more than a silence, and silence is not agreement."""
        if any(not each.as_meant and not each.answer.problem for each in self.servers):
            return ExitCode.FINDINGS
        silent = any(each.answer.problem for each in self.servers)
        return ExitCode.UNFINISHED if silent or self.problems or not self.servers else ExitCode.OK


def verify_records(order: Order) -> int:
    """Ask for every name, answer for each, and give the gravest exit code."""
    meant = meant_records(order)

    async def run() -> set[ExitCode]:
        codes = set()
        async for report in _reports(meant, order):
            codes.add(report.exit_code)
            if order.as_json:
                answer_json(_document(report))
            else:
                answer(_text(report))
        return codes

    codes = asyncio.run(run())
    return next((c for c in (ExitCode.FINDINGS, ExitCode.UNFINISHED) if c in codes), ExitCode.OK)


def meant_records(order: Order) -> dict[str, Records]:
    """For each name the records that are meant; raises `ConfigError` where that is not clear."""
    sources = (order.zone is not None, bool(order.records), order.meant.said_anything)
    if sum(sources) != 1:
        raise ConfigError(
            "no policy to compare with, or more than one",
            hint="--zone FILE, --record '0 issue \"ca.example\"', or --ca and the like",
        )
    if order.origin is not None and order.zone is None:
        raise ConfigError("--origin: means something with --zone only")
    try:
        names = tuple(dict.fromkeys(map(normalise_name, order.names)))
        if order.zone is not None:
            return _zone_records(order.zone, order.origin, names)
        if not names:
            raise ConfigError("no names given", hint="pinwarden caa verify example.com ...")
        if order.records:
            records = tuple(map(parse_presentation, order.records))
            return dict.fromkeys(names, records)
        return {name: generate_records(intent_for(name, order.meant)) for name in names}
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error


def _zone_records(path: Path, origin: str | None, names: Sequence[str]) -> dict[str, Records]:
    zone = load_zone(path, origin)
    chosen = names or zone.caa_owners
    if not chosen:
        raise ConfigError(f"--zone {path}: has no CAA records", hint="name what is to be asked")
    found: dict[str, Records] = {}
    for name in chosen:
        if not zone.encloses(name):
            raise ConfigError(f"--zone {path}: {name} is not in the zone {zone.apex}")
        unread = [problem for problem in zone.problems_at(name) if problem.type in ("CAA", None)]
        if unread:
            raise ConfigError(f"--zone {path}: {unread[0].message}", hint=unread[0].hint)
        records = [each.caa for each in zone.caa(name)]
        found[name] = tuple(each for each in records if isinstance(each, CAARecord))
        if len(found[name]) != len(records):
            raise ConfigError(f"--zone {path}: a CAA record of {name} is broken")
    return found


async def _reports(meant: dict[str, Records], order: Order) -> AsyncIterator[NameReport]:
    try:
        given = tuple(map(given_server, order.servers))
        asked = parse_server(order.resolver) if order.resolver is not None else None
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    async with AsyncExitStack() as stack:
        resolver: Asker | None = None
        if not given:
            resolver = await stack.enter_async_context(
                open_resolver(asked, timeout=order.timeout)
                if asked
                else open_system_resolver(system_servers(), timeout=order.timeout)
            )
        for name, records in meant.items():
            if resolver is None:
                yield await _report(name, records, Authority("", given), order)
                continue
            authority = await _authority(name, resolver, order.port)
            if isinstance(authority, str):
                yield NameReport(name=name, meant=records, problems=(authority,))
            else:
                yield await _report(name, records, authority, order)


async def _authority(name: str, resolver: Asker, port: int) -> Authority | str:
    try:
        return await find_authority(name, resolver, port=port)
    except (OutsideError, MalformedError) as error:
        return str(error)


async def _report(name: str, records: Records, authority: Authority, order: Order) -> NameReport:
    skipped = without_way(authority.servers)
    asked = [each for each in authority.servers if each not in skipped]
    answers = await ask_servers(name, asked, patience=order.timeout)
    servers = tuple(_server_report(each, records) for each in answers)
    return NameReport(
        name=name,
        meant=records,
        zone=authority.zone or None,
        servers=servers,
        problems=authority.problems,
        skipped=tuple(map(str, skipped)),
        findings=_findings(name, servers),
    )


def _server_report(answered: ServerAnswer, meant: Records) -> ServerReport:
    served = tuple(map(read_rdata, answered.records))
    # What is behind an alias is not of this name, and silence says nothing about records.
    comparable = not answered.problem and not answered.aliases
    differences = compare_records(meant, served) if comparable else ()
    return ServerReport(answer=answered, served=served, differences=differences)


def _findings(name: str, servers: Sequence[ServerReport]) -> tuple[Finding, ...]:
    found = []
    for each in servers:
        server = display(str(each.answer.server))
        if each.answer.problem:
            continue
        if each.answer.aliases:
            target = display(each.answer.aliases[0])
            message = f"{server}: {name} is an alias of {target} and has no records of its own"
            found.append(_finding(findings.CAA_NOT_AS_INTENDED, name, message))
        for difference in each.differences:
            message = f"{server}: {difference.sentence}"
            found.append(_finding(_kind(difference), name, message))
    answered = [each.answer for each in servers]
    if not same_everywhere(answered):
        message = f"the name servers serve different CAA records for {name}"
        found.append(_finding(findings.CAA_SERVERS_DISAGREE, name, message))
    return tuple(found)


def _kind(difference: Difference) -> FindingKind:
    cut = difference.damage is Damage.CUT
    return findings.CAA_PARAMETERS_LOST if cut else findings.CAA_NOT_AS_INTENDED


def _finding(kind: FindingKind, name: str, message: str) -> Finding:
    return Finding(kind=kind, subject=name, message=message)


def _text(report: NameReport) -> str:
    good = sum(each.as_meant for each in report.servers)
    asked = counted(len(report.servers), "server")
    lines = [f"{report.name}: served as meant by {good} of {asked}"]
    if not report.servers:
        lines = [f"{report.name}: no name server could be asked"]
    for each in report.servers:
        lines.append(f"  {display(str(each.answer.server))}: {_verdict(each)}")
        lines += [f"    {d.sentence} [{_kind(d).id}]" for d in each.differences]
    lines += [f"  not asked: {display(problem)}" for problem in report.problems]
    lines += [f"  not asked: {display(each)}: no way from here" for each in report.skipped]
    lines += [f"  {each.message} [{each.id}]" for each in report.findings if _is_whole(each)]
    return "\n".join(lines)


def _is_whole(finding: Finding) -> bool:
    return finding.kind is findings.CAA_SERVERS_DISAGREE


def _verdict(each: ServerReport) -> str:
    if each.answer.problem:
        return f"says nothing: {display(each.answer.problem)}"
    if each.answer.aliases:
        return f"an alias of {display(each.answer.aliases[0])}, with no records of its own"
    if each.differences:
        return "not as meant"
    return "as meant" + (f", TTL {each.answer.ttl}" if each.answer.ttl is not None else "")


def _document(report: NameReport) -> dict[str, Any]:
    verdicts = {ExitCode.OK: "as-meant", ExitCode.FINDINGS: "not-as-meant"}
    return {
        "name": report.name,
        "zone": report.zone,
        "verdict": verdicts.get(report.exit_code, "unknown"),
        "meant": [to_presentation(record) for record in report.meant],
        "servers": [
            {
                "server": str(each.answer.server),
                "as_meant": each.as_meant,
                "records": [_shown(record) for record in each.served],
                "ttl": each.answer.ttl,
                "rcode": each.answer.rcode,
                "aliases": list(each.answer.aliases),
                "problem": each.answer.problem or None,
                "differences": [
                    {
                        "damage": str(difference.damage),
                        "meant": _shown(difference.meant),
                        "served": _shown(difference.served),
                        "message": difference.sentence,
                    }
                    for difference in each.differences
                ],
            }
            for each in report.servers
        ],
        "problems": list(report.problems),
        "skipped": list(report.skipped),
        "findings": [listed_finding_json(each) for each in report.findings],
    }


def _shown(record: CAARecord | BrokenRecord | None) -> str | None:
    if record is None:
        return None
    return to_presentation(record) if isinstance(record, CAARecord) else to_generic(record)

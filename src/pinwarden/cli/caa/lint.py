"""`pinwarden caa lint`: faults of the policies in force, or of a zone file."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import click

from pinwarden.caa.climb import CAAName, RelevantSet
from pinwarden.caa.lint.policy import lint_policy, parent_to_ask
from pinwarden.caa.lint.sets import RecordSet
from pinwarden.caa.lint.setting import Setting
from pinwarden.cli.caa.asking import (
    Answer,
    Asking,
    asking_from,
    asking_options,
    load_zone,
    policies,
)
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.caa.lines import Lines
from pinwarden.cli.output import ExitCode, say
from pinwarden.cli.reading import ignored_findings, json_option, parse_moment
from pinwarden.errors import ConfigError, quoted
from pinwarden.findings import CAA_RESOLVERS_DISAGREE, Finding, by_severity, where_of
from pinwarden.names import display
from pinwarden.render import listed_finding_json, next_step
from pinwarden.render.account import counted
from pinwarden.render.caa import records_of

_LONGEST_MESSAGE = 1000
_MOST_NOTES = 5
# A person sees what is wrong from a few; JSON has them all.
_MOST_OF_A_KIND = 10


@dataclass(frozen=True, slots=True)
class _Linted:
    """One name, the policy that was read, and what there is to say about it."""

    name: str
    relevant_name: str | None
    records: Sequence[str]
    findings: tuple[Finding, ...]


@click.command()
@asking_options
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    help="Leave out a finding, such as PW-CAA-IODEF-MISSING; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for findings below medium too.")
@click.option("--at", metavar="DATE", help="Rules in force at a date [default: now].")
@json_option
def lint(as_json: bool, strict: bool, **options: Any) -> int:
    """Faults of the CAA policy in force for each NAME, or of a whole zone file.

    With --zone and no NAME every CAA set in the file is read; with NAME those that would
    be in force for it. Exit code 1 if anything is of medium severity or above.
    """
    ignored = ignored_findings(options.pop("ignored"), "docs/findings-caa.md")
    at = parse_moment(options.pop("at"), "--at") or datetime.now(UTC)
    asking = asking_from(options, names_needed=options["zone"] is None)
    setting = Setting(name="", issuers=current_issuers(), at=at)
    linted = _zone(asking, setting) if asking.zone else asyncio.run(_in_force(asking, setting))
    report = _Report(as_json)
    worst = False
    with Lines() as lines:
        for each in linted:
            kept = tuple(one for one in each.findings if one.id not in ignored)
            worst |= any(strict or one.severity.is_serious for one in kept)
            report.add(replace(each, findings=kept), lines)
        report.finish(lines)
    return ExitCode.FINDINGS if worst else ExitCode.OK


def _zone(asking: Asking, setting: Setting) -> Iterator[_Linted]:
    from pinwarden.caa.labels import shown_name
    from pinwarden.caa.lint.zone import lint_zone, policy_in_zone

    assert asking.zone is not None
    zone = load_zone(asking.zone, asking.origin)
    others = [each for each in zone.problems if each.type != "CAA"]
    for problem in others[:_MOST_NOTES]:
        say(f"note: {asking.zone}: {problem.message}")
    if len(others) > _MOST_NOTES:
        say(f"note: {asking.zone}: {len(others) - _MOST_NOTES} more entries cannot be read")
    wanted = tuple(each.name for each in asking.names)
    for name in wanted:
        if not zone.encloses(name):
            raise ConfigError(f"--zone {asking.zone}: {name} is not in the zone {zone.apex}")
    by_name: dict[str, list[Finding]] = {}
    for finding in lint_zone(zone, setting, wanted):
        by_name.setdefault(finding.subject, []).append(finding)
    names = dict.fromkeys(wanted) if wanted else dict.fromkeys((*zone.caa_owners, *by_name))
    for name in names:
        found = RelevantSet(name) if name in ("", ".") else policy_in_zone(zone, name)
        if name in wanted and found.lookup is not None and found.failed:
            say(f"note: {name}: cannot be told from the file: {display(found.lookup.problem)}")
        here = by_name.get(shown_name(name), [])
        yield _Linted(
            shown_name(name), found.relevant_name, records_of(found.lookup), by_severity(here)
        )


async def _in_force(asking: Asking, setting: Setting) -> list[_Linted]:
    """First every policy, then the sets above those that restrict nothing."""
    answers = [answer async for answer in policies(asking)]
    above = {
        name
        for answer in answers
        for found in answer.found
        if _may_open(found) and (name := parent_to_ask(found))
    }
    parents: dict[str, Answer] = {}
    if above:
        names = tuple(CAAName(name, name) for name in sorted(above))
        async for answer in policies(replace(asking, names=names), quiet=True):
            parents[answer.name.name] = answer
    return [_lint_answer(answer, parents, asking, setting) for answer in answers]


def _may_open(found: RelevantSet) -> bool:
    if found.lookup is None or found.failed:
        return False
    return not RecordSet(found.lookup.records, found.lookup.broken).restricts(wildcard=False)


def _lint_answer(
    answer: Answer, parents: dict[str, Answer], asking: Asking, setting: Setting
) -> _Linted:
    here = replace(setting, name=answer.name.name)
    told: list[Finding] = []
    for number, found in enumerate(answer.found):
        parent = parents.get(parent_to_ask(found) or "")
        above = parent.found[number] if parent is not None and _may_open(found) else None
        told += lint_policy(found, here, above)
    views = {
        (found.relevant_name, found.failed, frozenset(records_of(found.lookup)))
        for found in answer.found
    }
    if len(views) > 1:
        seen = "; ".join(
            f"{quoted(who)}: {_view(found)}"
            for who, found in zip(asking.resolvers, answer.found, strict=True)
        )
        told.append(here.finding(CAA_RESOLVERS_DISAGREE, f"the resolvers do not agree ({seen})"))
    first = answer.found[0]
    return _Linted(
        answer.name.name, first.relevant_name, records_of(first.lookup), by_severity(told)
    )


def _view(found: RelevantSet) -> str:
    if found.lookup is None:
        return "no CAA"
    if found.failed:
        return f"the lookup at {found.relevant_name} failed"
    return f"{len(records_of(found.lookup))} records at {found.relevant_name}"


class _Report:
    """What was found, name by name; for people, nothing twice about one set."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._told: dict[tuple[str | None, str, str, str], str] = {}
        # Names that bring nothing new, by what they have in common.
        self._alike: Counter[str] = Counter()

    def add(self, linted: _Linted, lines: Lines) -> None:
        """Tell about one name."""
        if self._as_json:
            lines.add_json(_json(linted))
            return
        text, alike = self._text(linted)
        if alike:
            self._alike[alike] += 1
            if self._alike[alike] > _MOST_OF_A_KIND:
                return
        lines.add("\n".join(text) + "\n")

    def finish(self, lines: Lines) -> None:
        """Count the names that were left out because they bring nothing new."""
        for alike, count in self._alike.items():
            if count > _MOST_OF_A_KIND:
                names = counted(count - _MOST_OF_A_KIND, "more name")
                lines.add(f"{names}: {alike}\n")

    def _text(self, linted: _Linted) -> tuple[list[str], str]:
        """What is new of one name; and if nothing is, how it is like others."""
        lines: list[str] = []
        place = linted.relevant_name
        away = f" (policy at {display(place)})" if place and place != linted.name else ""
        lines.append(f"{display(linted.name)}{away}")
        before: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for finding in linted.findings:
            key = (place, finding.id, finding.message, where_of(finding))
            first = self._told.setdefault(key, linted.name)
            if first != linted.name:
                before[first] += 1
                continue
            kinds[finding.id] += 1
            if kinds[finding.id] <= _MOST_OF_A_KIND:
                lines += _finding_text(finding)
        for kind, count in kinds.items():
            if count > _MOST_OF_A_KIND:
                lines.append(f"  and {count - _MOST_OF_A_KIND:,} more [{kind}]")
        more = "more " if kinds else ""
        shared = [
            f"{counted(count, more + 'finding')}, as for {display(name)}"
            for name, count in before.items()
        ]
        if not linted.findings:
            shared = ["nothing to report"]
        lines += [f"  {each}" for each in shared]
        return lines, "" if kinds else "; ".join(shared)


def _finding_text(finding: Finding) -> Iterator[str]:
    yield f"  {finding.severity}: {display(finding.message, _LONGEST_MESSAGE)} [{finding.id}]"
    where = where_of(finding)
    if where:
        yield f"      at: {display(where, _LONGEST_MESSAGE)}"
    yield f"      do: {next_step(finding.kind)}"


def _json(linted: _Linted) -> dict[str, object]:
    return {
        "name": linted.name,
        "relevant_name": linted.relevant_name,
        "records": linted.records,
        "findings": [listed_finding_json(each) for each in linted.findings],
    }

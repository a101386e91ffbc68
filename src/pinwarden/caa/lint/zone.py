"""Faults of a zone file: of every CAA set in it, and of the places where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pinwarden import findings
from pinwarden.caa.climb import RelevantSet, climb_with
from pinwarden.caa.labels import is_at_or_below, shown_name
from pinwarden.caa.lint.policy import is_same_party, lint_policy, parent_to_ask
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.caa.zone.entry import ZoneRecord
from pinwarden.caa.zone.zonefile import Zone, zone_look_up
from pinwarden.findings import Finding, by_severity

_CUT_OFF = re.compile(r"[ \t]*(?:account-?ur[il]|validation-?methods?)[ \t]*=", re.IGNORECASE)


def lint_zone(zone: Zone, setting: Setting, names: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Everything to be said about CAA in a zone file, name by name, the gravest first.

    Read are the apex and every name that owns CAA; or only `names`, if there are any,
    for which the policy that would be in force may stand elsewhere. `setting.name` is not
    used. What lies above the zone or outside of it is not known here, and is not taken
    for a fault.
    """
    only = tuple(names)
    # CAA at the root is never asked for.
    places = [each for each in only or (zone.apex, *zone.caa_owners) if each]
    found: list[Finding] = []
    for name in dict.fromkeys(places):
        here = replace(setting, name=shown_name(name), lines=_lines(zone, name))
        found += by_severity(_lint_name(zone, name, here))
    for owner in dict.fromkeys(only or zone.owners):
        here = replace(setting, name=shown_name(owner))
        found += _lint_alias(zone, owner, here)
    return tuple(dict.fromkeys(found))


def policy_in_zone(zone: Zone, name: str) -> RelevantSet:
    """The relevant set of a name as far as a zone file can tell; above the zone is nothing."""
    return climb_with(name, lambda asked: _look_up(zone, asked))


def _look_up(zone: Zone, name: str) -> Lookup:
    above = name != zone.apex and is_at_or_below(zone.apex, name)
    if above:
        return Lookup(name=name, outcome=Outcome.NO_DATA, transport="file")
    return zone_look_up(zone, name)


def _lines(zone: Zone, name: str) -> dict[CAARecord | BrokenRecord, int]:
    """Where the records stand that a name or one above it owns, the first of equal ones."""
    lines: dict[CAARecord | BrokenRecord, int] = {}
    if not zone.encloses(name):
        path: tuple[str, ...] = (name,)
    else:
        path = zone.path(name)
    for owner in reversed(path):
        for record in zone.caa(owner):
            if record.caa is not None:
                lines.setdefault(record.caa, record.line)
        for problem in zone.problems_at(owner):
            # As `zone_look_up` gives it on.
            lines.setdefault(BrokenRecord(b"", problem.message), problem.line)
    return lines


def _lint_name(zone: Zone, name: str, setting: Setting) -> Iterator[Finding]:
    yield from _lint_place(zone, name, setting)
    hidden = _hidden_by(zone, name)
    if hidden is not None:
        if zone.has(name, "CAA"):
            message = f"{hidden}, so this set is never served"
            yield setting.finding(findings.CAA_OCCLUDED, message, _first_line(zone, name))
        yield from _lint_lines(zone, name, setting)
        for problem in zone.problems_at(name):
            if problem.type == "CAA":
                where = f"line {problem.line}"
                yield setting.finding(findings.CAA_BROKEN_RECORD, problem.message, where)
        return
    found = policy_in_zone(zone, name)
    if found.lookup is not None and found.lookup.failure is Failure.UNREACHABLE:
        # An alias out of the zone: told by `_lint_alias`.
        return
    yield from _lint_lines(zone, _owner_of_set(found) or name, setting)
    above = parent_to_ask(found)
    parent = policy_in_zone(zone, above) if above else None
    told = lint_policy(found, setting, parent)
    yield from (each for each in told if each.kind is not findings.CAA_ALIAS_OPEN)


def _owner_of_set(found: RelevantSet) -> str | None:
    """Whose records the set found is, at the end of the aliases."""
    aliases = found.lookup.aliases if found.lookup else ()
    return aliases[-1] if aliases else found.relevant_name


def _hidden_by(zone: Zone, name: str) -> str | None:
    """Why a name's records are never served from this zone; None if they are."""
    if not zone.encloses(name):
        return f"the name is not in the zone {shown_name(zone.apex)}"
    for node in zone.path(name):
        if node != zone.apex and zone.has(node, "NS"):
            return f"{shown_name(node)} is delegated to another zone"
        if node != name and zone.has(node, "DNAME"):
            return f"a DNAME at {shown_name(node)} takes every name below it elsewhere"
    return None


def _first_line(zone: Zone, name: str) -> str | None:
    lines = [record.line for record in zone.caa(name)]
    lines += [problem.line for problem in zone.problems_at(name)]
    return f"line {min(lines)}" if lines else None


def _lint_place(zone: Zone, name: str, setting: Setting) -> Iterator[Finding]:
    if not zone.has(name, "CAA"):
        return
    where = _first_line(zone, name)
    if name.startswith("*.") or name == "*":
        below = shown_name(name[2:]) or "."
        message = (
            f"for a certificate for *.{below} CAs ask at {below}, never here: this set is served "
            "only for names that do not exist otherwise"
        )
        yield setting.finding(findings.CAA_LITERAL_WILDCARD, message, where)
    if zone.has(name, "CNAME"):
        message = "the name has a CNAME too, and nothing may stand beside one"
        yield setting.finding(findings.CAA_AT_ALIAS, message, where)
    if zone.apex and (name == f"{zone.apex}.{zone.apex}" or name.endswith(f".{zone.apex}" * 2)):
        message = (
            f"the name holds {shown_name(zone.apex)} twice: in the file it lacks its final dot"
        )
        yield setting.finding(findings.CAA_OWNER_DOUBLED, message, where)


def _lint_lines(zone: Zone, name: str, setting: Setting) -> Iterator[Finding]:
    seen: dict[CAARecord | BrokenRecord, int] = {}
    for record in zone.caa(name):
        yield from _lint_comment(record, setting)
        if record.caa is None:
            continue
        if record.caa in seen:
            message = f"line {seen[record.caa]} says the same"
            yield setting.finding(findings.CAA_DUPLICATE_RECORD, message, f"line {record.line}")
        seen.setdefault(record.caa, record.line)
    ttls = sorted({each.ttl for each in zone.caa(name) if each.ttl is not None})
    if len(ttls) > 1:
        message = f"TTLs of {' and '.join(map(str, ttls[:5]))} seconds in one set"
        yield setting.finding(findings.CAA_TTL_DIFFERS, message, _first_line(zone, name))


def _lint_comment(record: ZoneRecord, setting: Setting) -> Iterator[Finding]:
    if record.comment is not None and _CUT_OFF.match(record.comment):
        message = (
            "the parameters stand behind a semicolon outside quotes, where a comment begins, so "
            "they are not in the record"
        )
        where = record.caa if record.caa is not None else f"line {record.line}"
        yield setting.finding(findings.CAA_PARAMETERS_LOST, message, where)


def _lint_alias(zone: Zone, owner: str, setting: Setting) -> Iterator[Finding]:
    """An alias out of the zone: what CAA stands at its target, the file cannot tell."""
    if not zone.encloses(owner) or _hidden_by(zone, owner) is not None:
        return
    for record in (*zone.of_type(owner, "CNAME"), *zone.of_type(owner, "DNAME")):
        target = record.target
        if target is None or zone.encloses(target) or is_same_party(owner, target):
            continue
        who = "names below it are aliases" if record.type == "DNAME" else "it is an alias"
        message = (
            f"{who} of {shown_name(target)}, outside of the zone: if CAA stands there, it decides"
        )
        yield setting.finding(findings.CAA_ALIAS_OPEN, message, f"line {record.line}")

"""Observations of CAA policies, and verdicts about the past, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pinwarden.caa.history.issuance import HistoryVerdict, Issuance, NameHistory
from pinwarden.caa.history.observation import Observation
from pinwarden.caa.history.timeline import Spell
from pinwarden.caa.lookup import DNSSECState
from pinwarden.caa.profiles import Profile
from pinwarden.names import display
from pinwarden.render.account import counted

_MOST_RECORDS = 50
_LONGEST = 500
_SECOND = timedelta(seconds=1)


def observations_text(seen: Sequence[Observation]) -> str:
    """A block for each name and resolver, a stretch of time a line, its records below."""
    lines: list[str] = []
    heads = dict.fromkeys((each.name, each.resolver) for each in seen)
    for name, resolver in heads:
        asked = f", asked: {display(resolver, 200)}" if resolver else ""
        lines += ([""] if lines else []) + [f"{display(name, 260)}{asked}"]
        for each in seen:
            if (each.name, each.resolver) == (name, resolver):
                lines += _observation_lines(each)
    return "\n".join(lines)


def _observation_lines(seen: Observation) -> Iterator[str]:
    facts = [counted(seen.count, "look")]
    if seen.count > 1 and seen.longest_gap >= _SECOND:
        facts.append(f"at most {_duration(seen.longest_gap)} apart")
    if seen.ttl is not None:
        facts.append(f"TTL {seen.ttl} s")
    if seen.dnssec is not DNSSECState.INDETERMINATE:
        facts.append(f"DNSSEC {seen.dnssec}")
    when = _moment(seen.first_seen)
    if seen.last_seen != seen.first_seen:
        when += f" to {_moment(seen.last_seen)}"
    yield f"  {when} ({', '.join(facts)})"
    if seen.failure is not None:
        problem = f": {display(seen.problem, _LONGEST)}" if seen.problem else ""
        yield f"      failed, {seen.failure}{problem}"
    elif seen.relevant_name is None:
        yield "      no CAA: any CA may issue"
    else:
        if seen.relevant_name != seen.name:
            yield f"      at {display(seen.relevant_name, 260)}:"
        for record in seen.records[:_MOST_RECORDS]:
            yield f"      {display(record, _LONGEST)}"
        rest = len(seen.records) - _MOST_RECORDS
        if rest > 0:
            yield f"      and {rest:,} more"


def verdict_text(verdict: HistoryVerdict, issuance: Issuance) -> str:
    """The verdict, why, and what it rests on for each name."""
    who = ", ".join(display(each, 100) for each in (issuance.issuers or ())[:5]) or "an unknown CA"
    when = "" if verdict.at is None else f" at {_moment(verdict.at)}"
    lines = [f"{verdict.verdict} ({verdict.reason}): issued{when} by {who}"]
    lines += [f"  {display(each, _LONGEST)}" for each in verdict.why]
    for name in verdict.names:
        lines += ["", *_name_lines(name)]
    return "\n".join(lines)


def _name_lines(name: NameHistory) -> Iterator[str]:
    shown = f"*.{name.name}" if name.wildcard else name.name
    yield f"{display(shown, 260)}: {name.verdict} ({name.reason})"
    if name.since is not None:
        which = "policies that the CA may have gone by" if name.policies else "no policy was seen"
        yield f"  {which}, from {_moment(name.since)}{' on' if not name.policies else ':'}"
    if name.longest_gap is not None and name.longest_gap >= _SECOND:
        yield f"  (a change of less than {_duration(name.longest_gap)} could have gone unseen)"
    for spell, decision in name.policies:
        yield f"  {_span(spell)}: {decision.verdict} ({decision.reason})"
        if spell.policy.relevant_name is None:
            yield "      no CAA"
        for record in spell.policy.records[:_MOST_RECORDS]:
            yield f"      {display(record, _LONGEST)}"


def _span(spell: Spell) -> str:
    end = "" if spell.until is None else f", another one seen {_moment(spell.until)}"
    return f"seen {_moment(spell.first_seen)} to {_moment(spell.last_seen)}{end}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return f"{int(time.total_seconds())} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def verdict_json(
    verdict: HistoryVerdict, issuance: Issuance, profile: Profile
) -> dict[str, object]:
    """The documented object of one verdict."""
    return {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "why": list(verdict.why),
        "at": None if verdict.at is None else _iso(verdict.at),
        "by_sct": verdict.by_sct,
        "issuers": list(issuance.issuers or ()),
        "profile": profile.name,
        "names": [_name_json(name) for name in verdict.names],
    }


def _name_json(name: NameHistory) -> dict[str, object]:
    gap = name.longest_gap
    return {
        "name": name.name,
        "wildcard": name.wildcard,
        "verdict": name.verdict,
        "reason": name.reason,
        "why": list(name.why),
        "since": None if name.since is None else _iso(name.since),
        "longest_gap_seconds": None if gap is None else int(gap.total_seconds()),
        "policies": [
            {
                "first_seen": _iso(spell.first_seen),
                "last_seen": _iso(spell.last_seen),
                "until": None if spell.until is None else _iso(spell.until),
                "relevant_name": spell.policy.relevant_name,
                "records": list(spell.policy.records),
                "resolver": spell.policy.resolver,
                "verdict": decision.verdict,
                "reason": decision.reason,
            }
            for spell, decision in name.policies
        ],
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Decisions about CAA, and the lookups behind them, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pinwarden.caa.climb import CAAName, RelevantSet
from pinwarden.caa.evaluate import CAAVerdict, Decision
from pinwarden.caa.lookup import DNSSECState, Lookup, Outcome
from pinwarden.caa.presentation import to_generic, to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.names import display

# A person reads no more lines than that of one set; JSON has them all.
_MOST_RECORDS = 50
_LONGEST_RECORD = 500

_VERDICTS = {
    CAAVerdict.ALLOWED: "{} may issue",
    CAAVerdict.DENIED: "{} may not issue",
    CAAVerdict.UNKNOWN: "it cannot be told whether {} may issue",
}


def shown_name(name: CAAName) -> str:
    """The name as a certificate would carry it."""
    return f"*.{name.name}" if name.wildcard else name.name


@lru_cache(maxsize=4096)
def record_text(record: CAARecord | BrokenRecord) -> str:
    """A record in presentation form; one that cannot be read in the generic form of RFC 3597."""
    return to_generic(record) if isinstance(record, BrokenRecord) else to_presentation(record)


def records_of(lookup: Lookup | None) -> list[str]:
    """Every record of an answer, those that cannot be read last."""
    if lookup is None:
        return []
    return [*map(record_text, lookup.records), *map(record_text, lookup.broken)]


def _in_order(lookup: Lookup | None) -> list[str]:
    """The same in one order always, since servers give a set in any."""
    if lookup is None:
        return []
    return [*sorted(map(record_text, lookup.records)), *sorted(map(record_text, lookup.broken))]


def decision_json(name: CAAName, decision: Decision, found: RelevantSet) -> dict[str, object]:
    """The part of `caa check --json` that says what was decided, and on what ground."""
    return {
        "name": name.name,
        "wildcard": name.wildcard,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "relevant_name": decision.relevant_name,
        "records": _in_order(found.lookup),
        "dnssec": found.dnssec,
        "why": decision.why,
        "steps": list(map(lookup_json, found.steps)),
    }


def lookup_json(lookup: Lookup) -> dict[str, object]:
    """One question and what came of it."""
    return {
        "name": lookup.name,
        "server": lookup.server,
        "transport": lookup.transport,
        "outcome": lookup.outcome,
        "rcode": lookup.rcode,
        "extended_errors": [
            {"code": error.code, "text": error.text, "meaning": error.meaning}
            for error in lookup.extended_errors
        ],
        "aliases": lookup.aliases,
        "ttl": lookup.ttl,
        "dnssec": lookup.dnssec,
        "failure": lookup.failure,
        "problem": lookup.problem,
        "attempts": lookup.attempts,
    }


def decision_line(name: CAAName, decision: Decision, width: int = 0) -> str:
    """One line for a list: the verdict, the name in `width` columns, and what matters most."""
    why = decision.why[0]
    # A record may name its issuer at a length of its own choosing.
    return f"{decision.verdict:8}{shown_name(name):{width}}  {display(why, _LONGEST_RECORD)}"


def decision_text(name: CAAName, issuer: str, decision: Decision, found: RelevantSet) -> str:
    """One decision at length: verdict, reasons, the records, and every question asked."""
    verdict = _VERDICTS[decision.verdict].format(display(issuer, 100))
    lines = [f"{shown_name(name)}: {verdict} ({decision.reason})"]
    lines += [f"  {display(sentence, _LONGEST_RECORD)}" for sentence in decision.why]
    if decision.judged:
        lines += ["", f"  records at {place_text(found)}:"]
        for each in decision.judged[:_MOST_RECORDS]:
            lines.append(f"    {display(record_text(each.record), _LONGEST_RECORD)}")
            lines.append(f"        {display(each.note, _LONGEST_RECORD)}")
        rest = len(decision.judged) - _MOST_RECORDS
        lines += [f"    and {rest:,} more"] if rest > 0 else []
    if found.steps:
        lines += ["", "  asked:", *(f"    {line}" for line in steps_text(found.steps))]
    return "\n".join(lines) + "\n"


def place_text(found: RelevantSet) -> str:
    """Where the relevant set stands, through which aliases, for how long, how well signed."""
    lookup = found.lookup
    if lookup is None or found.relevant_name is None:
        return found.name
    facts = [] if lookup.ttl is None else [f"TTL {lookup.ttl} s"]
    facts.append(f"DNSSEC {lookup.dnssec}")
    if lookup.aliases:
        facts.insert(0, f"alias of {' -> '.join(display(each, 260) for each in lookup.aliases)}")
    return f"{found.relevant_name} ({', '.join(facts)})"


_OUTCOMES = {Outcome.NO_DATA: "no CAA records", Outcome.NO_SUCH_NAME: "no such name"}


def steps_text(steps: Sequence[Lookup]) -> Iterator[str]:
    """One line for each question."""
    width = max(len(step.name) for step in steps)
    for step in steps:
        yield f"{step.name:{width}}  {_step_outcome(step)}"


def _step_outcome(step: Lookup) -> str:
    parts = [_OUTCOMES.get(step.outcome) or _counted(step)]
    if step.outcome is Outcome.FAILED:
        parts = [display(step.problem or str(step.failure), _LONGEST_RECORD)]
    if step.aliases:
        parts.append(f"through {' -> '.join(display(each, 260) for each in step.aliases)}")
    if step.ttl is not None:
        parts.append(f"TTL {step.ttl} s")
    if step.dnssec is not DNSSECState.INDETERMINATE:
        parts.append(f"DNSSEC {step.dnssec}")
    for error in step.extended_errors:
        parts.append(
            f"extended error {error.code} {error.meaning}"
            + (f" ({display(error.text, 200)})" if error.text else "")
        )
    if step.attempts > 1:
        parts.append(f"asked {step.attempts} times")
    if step.server:
        parts.append(f"from {display(step.server, 300)} ({step.transport})")
    return ", ".join(parts)


def _counted(step: Lookup) -> str:
    count = len(step.records) + len(step.broken)
    return "1 record" if count == 1 else f"{count:,} records"


def resolver_json(who: str, decision: Decision, found: RelevantSet) -> Mapping[str, object]:
    """What one of several resolvers says."""
    return {
        "resolver": who,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "relevant_name": decision.relevant_name,
        "records": _in_order(found.lookup),
        "dnssec": found.dnssec,
    }

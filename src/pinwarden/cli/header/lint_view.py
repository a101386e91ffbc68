"""What `pinwarden header lint` says of a target: in lines for people, and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pinwarden.cli.header.linted import Linted
from pinwarden.findings import FindingKind, where_of
from pinwarden.headers.hpkp import PUBLIC_KEY_PINS, REPORT_ONLY
from pinwarden.headers.report import JudgedExpectCT, JudgedPins, finding_name
from pinwarden.names import display
from pinwarden.render import listed_finding_json, next_step

__all__ = ["linted_json", "linted_text"]

_LONGEST_MESSAGE = 1000
_MOST_OF_A_KIND = 10


def linted_json(linted: Linted) -> dict[str, Any]:
    """The object of one target (docs/command-line-audit.md)."""
    pins, report_only, expect_ct = linted.last()
    return {
        "target": linted.target,
        "public_key_pins": _values(pins),
        "public_key_pins_report_only": _values(report_only),
        "expect_ct": _values(expect_ct),
        "findings": [
            {**listed_finding_json(each), "name": finding_name(each)} for each in linted.findings
        ],
        "places": [{"where": place.where, **place.report.to_json()} for place in linted.places],
        "notes": linted.notes,
        "not_checked": linted.not_checked,
        "pin_set": linted.pin_set,
    }


def _values(judged: JudgedPins | JudgedExpectCT | None) -> dict[str, object] | None:
    """What the field says; what a client made of it hangs on the place, and is told there."""
    if judged is None:
        return None
    return {key: value for key, value in judged.to_json().items() if key != "noted"}


def linted_text(linted: Linted) -> Iterator[str]:
    """The lines of one target."""
    yield display(linted.target, 300)
    yield from _findings(linted)
    yield from _pins(linted)
    for note in linted.notes:
        yield f"  note: {display(note, _LONGEST_MESSAGE)}"
    for each_problem in linted.not_checked:
        yield f"  not checked: {display(each_problem, _LONGEST_MESSAGE)}"
    if not linted.findings and linted.places:
        yield "  neither Public-Key-Pins nor Expect-CT is sent"
    if not linted.places and not linted.not_checked:
        yield "  neither Public-Key-Pins nor Expect-CT is set"
    if linted.pin_set is not None:
        yield f"  pin set: {display(linted.pin_set, 300)}"


def _findings(linted: Linted) -> Iterator[str]:
    """What is said in the same words of several places is said once."""
    places: dict[tuple[FindingKind, str], list[str]] = {}
    for each in linted.findings:
        places.setdefault((each.kind, each.message), []).append(where_of(each))
    told: dict[str, int] = {}
    for (kind, message), wheres in places.items():
        told[kind.id] = told.get(kind.id, 0) + 1
        if told[kind.id] > _MOST_OF_A_KIND:
            continue
        yield f"  {kind.severity}: {display(message, _LONGEST_MESSAGE)} [{kind.id}]"
        for where in wheres[:_MOST_OF_A_KIND]:
            yield f"      at: {display(where, _LONGEST_MESSAGE)}"
        if len(wheres) > _MOST_OF_A_KIND:
            yield f"      and at {len(wheres) - _MOST_OF_A_KIND:,} other places"
        if told[kind.id] == 1:
            yield f"      do: {next_step(kind)}"
    for kind_id, count in told.items():
        if count > _MOST_OF_A_KIND:
            yield f"  and {count - _MOST_OF_A_KIND:,} more [{kind_id}]"


def _pins(linted: Linted) -> Iterator[str]:
    """What the operator once meant to pin, for an inventory."""
    last, report_only, _ = linted.last()
    for name, judged in ((PUBLIC_KEY_PINS, last), (REPORT_ONLY, report_only)):
        policy = None if judged is None else judged.policy
        pins = () if policy is None else policy.pins
        if pins:
            yield f"  {name} has the pins"
            for pin in pins[:_MOST_OF_A_KIND]:
                yield f"      {display(pin, 100)}"
            if len(pins) > _MOST_OF_A_KIND:
                yield f"      and {len(pins) - _MOST_OF_A_KIND} more"

"""What `pinwarden pin check` tells a person, and a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pinwarden.cli.pin.checking import Checked, CheckedAddress
from pinwarden.cli.pin.keys import keys_of_chain
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.result import PinResult, PinVerdict
from pinwarden.render import listed_finding_json, next_step

__all__ = ["checked_json", "checked_text"]

_MOST_SHOWN = 600
_ONE_FAMILY = "  note: where only one kind of address can be reached, say --ipv4 or --ipv6"


def checked_text(checked: Checked) -> str:
    """What one host comes to, in lines for a person."""
    return "\n".join(_lines(checked)) + "\n"


def _lines(checked: Checked) -> Iterator[str]:
    yield f"{display(checked.target)}: {checked.verdict}"
    if checked.problem:
        yield f"  not checked: {display(checked.problem)}"
    for each in checked.addresses:
        yield f"  {_place(each)}: {display(each.clients, _MOST_SHOWN)}"
    worst = checked.worst
    if worst is not None and worst.result is not None and worst.verdict is PinVerdict.MISMATCH:
        yield from _listed("seen", _seen(worst.result))
        yield from _listed("expected", _expected(checked))
    for finding in checked.findings:
        yield f"  {finding.severity}: {display(finding.message, _MOST_SHOWN)} [{finding.id}]"
        yield f"      do: {next_step(finding.kind)}"
    for note in checked.notes:
        yield f"  note: {note}"
    if any("network is unreachable" in each.served.problem for each in checked.addresses):
        yield _ONE_FAMILY


def _listed(word: str, lines: Iterable[str]) -> Iterator[str]:
    word += ":"
    for line in lines:
        yield f"      {word:<9} {line}"
        word = ""


def _seen(result: PinResult) -> Iterator[str]:
    for key in keys_of_chain(result.chain):
        pin = "no pin" if key.pin is None else key.pin.curl
        yield f"{pin}  {key.role or ''} {key.subject}".rstrip()


def _expected(checked: Checked) -> Iterator[str]:
    keys = () if checked.policy is None else checked.policy.keys
    for pin in checked.expected:
        of_pin = [key for key in keys if key.pin == pin]
        roles = " or ".join(dict.fromkeys(str(key.role) for key in of_pin))
        comment = next((key.comment for key in of_pin if key.comment), "")
        yield f"{pin}  {roles} {display(comment, 200)}".rstrip()


def _place(each: CheckedAddress) -> str:
    return str(each.served) if each.served.port else each.served.address


def checked_json(checked: Checked) -> dict[str, Any]:
    """What one host comes to, as docs/command-line-pin.md has it."""
    worst = checked.worst
    result = None if worst is None else worst.result
    policy = checked.policy
    return {
        "target": checked.target,
        "verdict": str(checked.verdict),
        "reason": "no-address" if worst is None else worst.reason,
        "allowed": None if worst is None else worst.allowed,
        "matched": _matched(worst),
        "expected": [pin.curl for pin in checked.expected],
        "seen": [] if result is None else [pin.curl for pin in result.seen],
        "at": to_moment(checked.at),
        "policy": None if policy is None else policy.host,
        "mode": None if policy is None else str(policy.mode),
        "problem": checked.problem,
        "addresses": [_address_json(each) for each in checked.addresses],
        "findings": [listed_finding_json(each) for each in checked.findings],
        "notes": list(checked.notes),
    }


def _address_json(each: CheckedAddress) -> dict[str, Any]:
    return {
        "address": each.served.address,
        "port": each.served.port or None,
        "verdict": str(each.verdict),
        "reason": each.reason,
        "allowed": each.allowed,
        "matched": _matched(each),
        "seen": [] if each.result is None else [pin.curl for pin in each.result.seen],
        "clients": each.clients,
    }


def _matched(each: CheckedAddress | None) -> list[str]:
    if each is None or each.result is None:
        return []
    return [pin.curl for pin in dict.fromkeys(key.pin for key in each.result.matched)]

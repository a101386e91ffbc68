"""What a check comes to, and the sentences that several checks say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pinwarden.audit.facts import Facts, Presentation
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.findings import Finding, FindingKind
from pinwarden.names import display
from pinwarden.net.served import ServedAddress

__all__ = ["Outcome", "finding", "nothing_served", "place_of", "places", "shown_apart"]

Outcome = Finding | Passed | NotChecked

_MOST_PLACES = 8


def finding(kind: FindingKind, facts: Facts, message: str, where: str = "") -> Finding:
    """A finding about the host; `where` is an address, a name or a header."""
    details = (("where", where),) if where else ()
    return Finding(kind=kind, subject=facts.host, message=display(message), details=details)


def nothing_served(area: Area) -> NotChecked:
    """Said by every check of certificates where there is none."""
    return NotChecked(area, str(area), "no certificate was served", failed=True)


def places(addresses: Iterable[ServedAddress]) -> str:
    """Addresses in a row, at most a few."""
    every = [str(each) for each in addresses]
    words = ", ".join(every[:_MOST_PLACES])
    rest = len(every) - _MOST_PLACES
    return f"{words} and {rest} more" if rest > 0 else words


def place_of(shown: Presentation, facts: Facts) -> str:
    """Where a chain is shown, empty if it is everywhere."""
    return places(shown.addresses) if len(facts.shown) > 1 else ""


def shown_apart(
    kinds: Iterable[tuple[FindingKind, str, Presentation]], facts: Facts
) -> Iterator[Finding]:
    """One finding for each kind, with the addresses at which it is met."""
    met: dict[FindingKind, tuple[str, list[ServedAddress]]] = {}
    for kind, message, shown in kinds:
        _, addresses = met.setdefault(kind, (message, []))
        addresses += shown.addresses
    everywhere = sum(len(each.addresses) for each in facts.shown)
    for kind, (message, addresses) in met.items():
        where = places(addresses) if len(addresses) < everywhere else ""
        yield finding(kind, facts, message + (f" (at {where})" if where else ""), where)

"""Writes the two tables of the issuer map (`caa/issuers.py`) from facts about keys.

The text is the same for the same facts, one owner or one group of keys a line, so
that a change of a table can be reviewed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pinwarden.caa.issuers.map import FORMAT, KeyFact, Owner, Source

LICENCE = (
    "facts of the Common CA Database (ccadb.org), CDLA-Permissive-2.0, "
    "https://cdla.dev/permissive-2-0/"
)
KINDS = ("key", "spki", "certificate", "name")
_OWNER_KEYS = ("domains", "recognised", "former", "also")


@dataclass(frozen=True, slots=True)
class IssuerTables:
    """The table of owners and the table of keys, as JSON."""

    owners: str
    keys: str


def render_tables(
    owners: Iterable[Owner], sources: Iterable[Source], facts: Iterable[KeyFact]
) -> IssuerTables:
    """Both tables; every owner that a fact names must be among `owners`.

    Several facts about one value are joined: any of their owners may be the one.
    """
    ordered = sorted(owners, key=lambda owner: (owner.name.casefold(), owner.name))
    return IssuerTables(_owners(ordered, sources), _keys(ordered, facts))


def _owners(ordered: Sequence[Owner], sources: Iterable[Source]) -> str:
    said = [
        {"part": source.part, "name": source.name, "date": source.date.isoformat()}
        for source in sources
    ]
    rows = []
    for owner in ordered:
        row: dict[str, Any] = {"name": owner.name}
        row |= {key: list(value) for key in _OWNER_KEYS if (value := getattr(owner, key))}
        rows.append(row)
    return _document(("sources", said), ("owners", rows), about=LICENCE)


def _keys(ordered: Sequence[Owner], facts: Iterable[KeyFact]) -> str:
    numbers = {owner.name: number for number, owner in enumerate(ordered)}
    joined: dict[tuple[str, bytes], KeyFact] = {}
    for fact in facts:
        place = (fact.kind, fact.prefix)
        joined[place] = _joined(joined[place], fact) if place in joined else fact
    groups: dict[tuple[tuple[int, ...], tuple[str, ...], str], dict[str, list[bytes]]] = {}
    for fact in joined.values():
        about = (tuple(numbers[name] for name in fact.owners), fact.domains, fact.note)
        groups.setdefault(about, {}).setdefault(fact.kind, []).append(fact.prefix)
    return _document(("groups", [_group(*about, groups[about]) for about in sorted(groups)]))


def _joined(one: KeyFact, other: KeyFact) -> KeyFact:
    if (one.owners, one.domains, one.note) == (other.owners, other.domains, other.note):
        return one
    owners = tuple(sorted({*one.owners, *other.owners}))
    # Domains of one of them only would say less than what is known of the owners.
    domains = {*one.domains, *other.domains} if one.domains and other.domains else set()
    notes = {one.note, other.note} - {""}
    if one.owners != other.owners:
        notes = {f"CA certificates of {' and '.join(owners)} share it, so any of them may be meant"}
    return KeyFact(one.kind, one.prefix, owners, tuple(sorted(domains)), "; ".join(sorted(notes)))


def _group(
    owners: tuple[int, ...], domains: tuple[str, ...], note: str, prefixes: dict[str, list[bytes]]
) -> dict[str, Any]:
    row: dict[str, Any] = {"owners": list(owners)}
    row |= {"domains": list(domains)} if domains else {}
    row |= {"note": note} if note else {}
    row |= {
        kind: b64encode(b"".join(sorted(prefixes[kind]))).decode()
        for kind in KINDS
        if kind in prefixes
    }
    return row


def _document(*parts: tuple[str, Sequence[dict[str, Any]]], about: str = "") -> str:
    texts = [f'"format": {FORMAT}', *([f'"licence": {json.dumps(about)}'] if about else [])]
    for name, rows in parts:
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        texts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(texts) + "\n}\n"

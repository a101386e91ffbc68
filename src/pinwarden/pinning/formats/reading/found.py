"""What a reader finds, and the draft that is made of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pinwarden.errors import MalformedError, quoted
from pinwarden.pinning.document import ROLE_KEYS
from pinwarden.pinning.draft import Draft, read_draft
from pinwarden.pinning.pin import Pin, PinError, parse_pin

__all__ = ["MOST_PINS", "MOST_POLICIES", "Found", "Imported", "Known", "drafted"]

MOST_POLICIES, MOST_PINS = 1_000, 1_000
"""How many policies are taken from a file, and how many pins for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The pins of one host as another program wrote them.

    `anywhere` are texts of pins that count wherever in the chain they stand, `leaf` and
    `ca` those with a place. `last_day` is the last on which they hold; `opens` whether
    they are ignored after it.
    """

    host: str
    anywhere: tuple[str, ...] = ()
    leaf: tuple[str, ...] = ()
    ca: tuple[str, ...] = ()
    include_subdomains: bool = False
    exclude: tuple[str, ...] = ()
    report_only: bool = False
    last_day: date | None = None
    report_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the user knows besides: the verified chain, leaf first, and the backup pins.

    `fingerprints` are the SHA-256 of the whole certificates of that chain.
    """

    chain: Sequence[Pin] = ()
    fingerprints: Collection[bytes] = ()
    backups: Collection[Pin] = ()
    allow_no_backup: bool = False
    drop_bad_pins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A draft; `notes` say what of the source it does not have, or has otherwise."""

    draft: Draft
    notes: tuple[str, ...] = field(default_factory=tuple)


def drafted(found: Iterable[Found], notes: Iterable[str], known: Known) -> Imported:
    """The draft of what was found, with places and backups given to the pins.

    A pin that counts anywhere becomes a leaf and a CA pin, unless the chain tells
    its place; those that the chain does not have are the backups then. Raises
    `MalformedError` if nothing was found.
    """
    everything = _merged(found)
    merged = [each for each in everything if each.anywhere or each.leaf or each.ca]
    said = list(notes)
    said += [
        f"{quoted(each.host, 80)} has no pins"
        for each in everything
        if not (each.anywhere or each.leaf or each.ca)
    ]
    if not merged:
        raise MalformedError("holds no pins that could be found", hint="; ".join(said) or None)
    if len(merged) > MOST_POLICIES:
        said.append(f"only the first {MOST_POLICIES:,} hosts are taken")
    tables = []
    for each in merged[:MOST_POLICIES]:
        table = _table(each, known)
        if any(table[name] for name in ROLE_KEYS.values() if name in table):
            tables.append(table)
        else:
            said.append(f"{quoted(each.host, 80)}: no pin is left, so it is not in the set")
    if not tables:
        raise MalformedError("holds no pin that is one", hint="; ".join(said) or None)
    draft = read_draft(json.dumps({"policy": tables}), json=True, where="import")
    return Imported(draft=draft, notes=tuple(dict.fromkeys(said)))


def _merged(found: Iterable[Found]) -> list[Found]:
    """One for each host: several statements about one host add up."""
    by_host: dict[str, Found] = {}
    for each in found:
        host = each.host.lower().removesuffix(".")
        before = by_host.get(host)
        if before is not None:
            each = replace(
                each,
                anywhere=_union(before.anywhere, each.anywhere),
                leaf=_union(before.leaf, each.leaf),
                ca=_union(before.ca, each.ca),
                include_subdomains=before.include_subdomains or each.include_subdomains,
                exclude=_union(before.exclude, each.exclude),
                report_only=before.report_only and each.report_only,
                last_day=each.last_day or before.last_day,
                report_uri=each.report_uri or before.report_uri,
            )
        by_host[host] = each
    return list(by_host.values())


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _table(found: Found, known: Known) -> dict[str, Any]:
    """The policy as `document` has it, in JSON."""
    places: dict[str, list[str]] = {"ca_pins": [], "leaf_pins": [], "backup_pins": []}
    for text in found.anywhere[:MOST_PINS]:
        _place(text, ("ca_pins", "leaf_pins"), places, known)
    for name, texts in (("leaf_pins", found.leaf), ("ca_pins", found.ca)):
        for text in texts[:MOST_PINS]:
            _place(text, (name,), places, known)
    backups = set(places["backup_pins"])
    table: dict[str, Any] = {
        "host": found.host,
        "mode": "report-only" if found.report_only else "enforce",
        "include_subdomains": found.include_subdomains,
        "exclude": list(found.exclude),
        "report_uri": found.report_uri,
        "ca_pins": [each for each in places["ca_pins"] if each not in backups],
        "leaf_pins": [each for each in places["leaf_pins"] if each not in backups],
        "backup_pins": places["backup_pins"],
        "allow_no_backup": known.allow_no_backup,
    }
    if found.last_day is not None:
        table |= {"expires": str(found.last_day), "on_expiry": "open"}
    return table


def _place(text: str, usual: tuple[str, ...], places: dict[str, list[str]], known: Known) -> None:
    try:
        pin = parse_pin(text)
    except PinError:
        # Where it stands does not matter; the draft says what is wrong with it.
        if not known.drop_bad_pins:
            _add(text, usual[:1], places)
        return
    if pin.spki_sha256 in known.fingerprints:
        # Whatever is no key of the chain would be taken for a backup. In this form it is told
        # what it is.
        if not known.drop_bad_pins:
            _add(pin.spki_sha256.hex(":"), usual[:1], places)
        return
    if pin in known.backups:
        usual = ("backup_pins",)
    elif known.chain:
        at_leaf, above = pin == known.chain[0], pin in known.chain[1:]
        usual = tuple(
            name
            for name, here in (("leaf_pins", at_leaf), ("ca_pins", above))
            if here and name in usual
        ) or ("backup_pins",)
    _add(str(pin), usual, places)


def _add(text: str, names: tuple[str, ...], places: dict[str, list[str]]) -> None:
    for name in names:
        if text not in places[name]:
            places[name].append(text)

"""Writing sightings: one row an issuance, whatever was seen of it, and one row an entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from pinwarden.store import schema
from pinwarden.store.contract import Step
from pinwarden.store.upsert import chunks, insert, insert_new
from pinwarden.watch.sighting import LogReference, Sighting, SightingKind, Verdict

_COLUMNS = tuple(field.name for field in fields(Sighting) if field.name != "seen")

# Nothing learnt later makes an issuance look better than it looked at first.
_GRAVITY = (
    Verdict.AUTHORIZED,
    Verdict.POSSIBLY_AUTHORIZED,
    Verdict.UNKNOWN,
    Verdict.UNAUTHORIZED,
)


def save_sightings(connection: Connection, step: Step) -> list[int]:
    """Keep the sightings of a step and return the ids of issuances never seen before."""
    if any(sighting.seen.log_id != step.position.log_id for sighting in step.sightings):
        raise ValueError("a step's sightings are in the log it moves along")
    _disown(connection, step)
    if not step.sightings:
        return []
    # In order of their keys, so that two writers cannot wait for each other.
    merged = dict(sorted(_merged(step.sightings).items()))
    rows = [_row(sighting) | {"first_seen": step.at} for sighting in merged.values()]
    columns = schema.sighting.c
    created = insert_new(connection, schema.sighting, rows, columns.id, columns.key)
    ids = {row.key: row.id for row in created}
    new = sorted(ids.values())
    ids |= _merge_into_known(connection, [merged[key] for key in merged if key not in ids])
    _save_matches(connection, ids, merged.values())
    _save_entries(connection, ids, step.sightings, step.position.size)
    return new


def merge(known: Sighting, other: Sighting) -> Sighting:
    """Two views of one issuance as one; what is known and is no worse stays as it is."""
    verdict, reasons = known.verdict, _union(known.reasons, other.reasons)
    if other.verdict is not known.verdict:
        graver = max(known, other, key=lambda view: _GRAVITY.index(view.verdict))
        verdict, reasons = graver.verdict, graver.reasons
    # The certificate says more than the precertificate, so its bytes are shown.
    shown = other if known.fingerprint is None and other.fingerprint is not None else known
    return replace(
        known,
        tbs_sha256=known.tbs_sha256 or other.tbs_sha256,
        names=_union(known.names, other.names),
        matched=_union(known.matched, other.matched),
        issuer=known.issuer or other.issuer,
        subject=known.subject or other.subject,
        serial=known.serial or other.serial,
        not_before=known.not_before or other.not_before,
        not_after=known.not_after or other.not_after,
        spki_sha256=known.spki_sha256 or other.spki_sha256,
        key_description=known.key_description or other.key_description,
        fingerprint=shown.fingerprint,
        verdict=verdict,
        reasons=reasons,
        problems=_union(known.problems, other.problems),
        der=shown.der,
    )


def sighting_of(row: Row[Any], seen: LogReference) -> Sighting:
    """A sighting from its row; one read without `der` has an empty one."""
    values = {name: getattr(row, name) for name in _COLUMNS if name in row._fields}
    values["kind"] = SightingKind(values["kind"])
    values["verdict"] = Verdict(values["verdict"])
    return Sighting(**values, seen=seen)


def _disown(connection: Connection, step: Step) -> None:
    before = step.position_before
    if before is None or step.position.size >= before.size:
        return
    table = schema.entry
    connection.execute(
        update(table)
        .where(table.c.log_id == before.log_id, table.c.number >= step.position.size)
        .values(refuted=True)
    )


def _merged(sightings: Iterable[Sighting]) -> dict[bytes, Sighting]:
    merged: dict[bytes, Sighting] = {}
    for sighting in sightings:
        known = merged.get(sighting.key)
        merged[sighting.key] = sighting if known is None else merge(known, sighting)
    return merged


def _merge_into_known(connection: Connection, sightings: Sequence[Sighting]) -> dict[bytes, int]:
    table = schema.sighting
    ids: dict[bytes, int] = {}
    changed = []
    by_key = {sighting.key: sighting for sighting in sightings}
    for keys in chunks(list(by_key)):
        for row in connection.execute(select(table).where(table.c.key.in_(keys))):
            ids[row.key] = row.id
            known = sighting_of(row, by_key[row.key].seen)
            merged = merge(known, by_key[row.key])
            if merged != known:
                changed.append(_row(merged) | {"known_id": row.id})
    if changed:
        connection.execute(update(table).where(table.c.id == bindparam("known_id")), changed)
    return ids


def _save_matches(
    connection: Connection, ids: dict[bytes, int], sightings: Iterable[Sighting]
) -> None:
    rows = [
        {"item": item, "sighting_id": ids[sighting.key]}
        for sighting in sightings
        for item in sighting.matched
    ]
    insert_new(connection, schema.sighting_match, rows)


def _save_entries(
    connection: Connection, ids: dict[bytes, int], sightings: Iterable[Sighting], size: int
) -> None:
    rows = [
        {
            "sighting_id": ids[sighting.key],
            "log_id": sighting.seen.log_id,
            "number": sighting.seen.index,
            "leaf_hash": sighting.seen.leaf_hash,
            "timestamp": sighting.seen.timestamp,
            "entry_type": sighting.seen.entry_type,
            # A step back: what it saw past its end did not make the signed root.
            "refuted": sighting.seen.index >= size,
        }
        for sighting in sightings
    ]
    statement = insert(connection, schema.entry)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["log_id", "number", "leaf_hash"],
            set_={"refuted": statement.excluded.refuted},
        ),
        rows,
    )


def _row(sighting: Sighting) -> dict[str, Any]:
    values = {name: getattr(sighting, name) for name in _COLUMNS}
    return values | {"kind": sighting.kind.value, "verdict": sighting.verdict.value}


def _union(known: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return known if known == other else tuple(dict.fromkeys(known + other))

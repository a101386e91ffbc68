"""Findings: counted while they stand, alerted once until they are resolved."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from pinwarden.findings import REGISTER, Finding, FindingKind, Severity
from pinwarden.store import schema
from pinwarden.store.contract import StoredFinding
from pinwarden.store.upsert import chunks, insert_new

# A log that makes new evidence of the same lie every minute must not fill the disk.
_EVIDENCE_BOUND = 16

_TABLE = schema.finding.c


def save_findings(
    connection: Connection, findings: Iterable[Finding], at: datetime, log_id: bytes | None
) -> list[int]:
    """Keep findings and return the ids of those that were not standing already."""
    new = []
    for finding in findings:
        if finding.kind.lasting:
            _end_acknowledged(connection, finding, at)
        created = insert_new(
            connection, schema.finding, [_row(connection, finding, at, log_id)], _TABLE.id
        )
        if created:
            finding_id = created[0].id
            new.append(finding_id)
        else:
            finding_id = _count_again(connection, finding, at)
        _save_evidence(connection, finding_id, finding)
    return new


def _end_acknowledged(connection: Connection, finding: Finding, at: datetime) -> None:
    """Close a standing finding that says something else and that somebody took note of.

    A second fork must not hide behind the first, and no flood comes of it: there
    is one alert for each acknowledgement.
    """
    noted = select(schema.alert.c.finding_id).where(schema.alert.c.ack_at.is_not(None))
    connection.execute(
        update(schema.finding)
        .where(
            *_standing(finding.id, finding.subject),
            _TABLE.message != finding.message,
            _TABLE.id.in_(noted),
        )
        .values(resolved=at)
    )


def any_open(connection: Connection, findings: Collection[tuple[str, str]]) -> bool:
    """Whether one of these (kind id, subject) stands."""
    return any(
        connection.execute(select(_TABLE.id).where(*_standing(*which))).first() is not None
        for which in findings
    )


def list_standing(connection: Connection, kinds: Collection[str]) -> frozenset[tuple[str, str]]:
    """The findings (kind id, subject) of some kinds that stand."""
    query = select(_TABLE.kind, _TABLE.subject).where(
        _TABLE.resolved.is_(None), _TABLE.kind.in_(kinds)
    )
    return frozenset((row.kind, row.subject) for row in connection.execute(query))


def resolve_findings(
    connection: Connection, findings: Collection[tuple[str, str]], at: datetime
) -> int:
    """Close those of these (kind id, subject) that stand and return how many did."""
    return sum(
        connection.execute(
            update(schema.finding).where(*_standing(*which)).values(resolved=at)
        ).rowcount
        for which in findings
    )


def list_findings(
    connection: Connection, resolved: bool | None, limit: int, after: int | None
) -> tuple[StoredFinding, ...]:
    """A page of findings, newest first."""
    query = select(schema.finding).order_by(_TABLE.id.desc()).limit(limit)
    if resolved is not None:
        query = query.where(_TABLE.resolved.is_not(None) if resolved else _TABLE.resolved.is_(None))
    if after is not None:
        query = query.where(_TABLE.id < after)
    rows = connection.execute(query).all()
    evidence = load_evidence(connection, [row.id for row in rows])
    return tuple(
        StoredFinding(
            id=row.id,
            finding=finding_of(row, evidence.get(row.id, ())),
            log_id=row.log_id,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            count=row.times,
            resolved=row.resolved,
        )
        for row in rows
    )


def finding_of(row: Row[Any], evidence: tuple[tuple[str, bytes], ...]) -> Finding:
    """A finding from its row; of a kind that this version does not know, by its id alone."""
    kind = REGISTER.get(row.kind) or FindingKind(row.kind, Severity(row.severity), row.message)
    return Finding(
        kind=kind,
        subject=row.subject,
        message=row.message,
        details=row.details,
        evidence=evidence,
    )


def load_evidence(
    connection: Connection, ids: Sequence[int]
) -> dict[int, tuple[tuple[str, bytes], ...]]:
    """The evidence of several findings."""
    table = schema.evidence.c
    query = select(table.finding_id, table.name, table.data).order_by(table.id)
    found: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for some in chunks(ids):
        for row in connection.execute(query.where(table.finding_id.in_(some))):
            found[row.finding_id].append((row.name, row.data))
    return {finding_id: tuple(items) for finding_id, items in found.items()}


def _row(
    connection: Connection, finding: Finding, at: datetime, log_id: bytes | None
) -> dict[str, Any]:
    episodes = select(func.coalesce(func.max(_TABLE.episode), 0)).where(
        _TABLE.kind == finding.id, _TABLE.subject == finding.subject
    )
    return {
        "kind": finding.id,
        "subject": finding.subject,
        "episode": connection.execute(episodes).scalar_one() + 1,
        "log_id": log_id,
        "severity": finding.severity.value,
        "message": finding.message,
        "details": finding.details,
        "first_seen": at,
        "last_seen": at,
        "times": 1,
    }


def _count_again(connection: Connection, finding: Finding, at: datetime) -> int:
    standing = _standing(finding.id, finding.subject)
    connection.execute(
        update(schema.finding).where(*standing).values(times=_TABLE.times + 1, last_seen=at)
    )
    found: int = connection.execute(select(_TABLE.id).where(*standing)).scalar_one()
    return found


def _save_evidence(connection: Connection, finding_id: int, finding: Finding) -> None:
    if not finding.evidence:
        return
    table = schema.evidence.c
    held = select(func.count()).where(table.finding_id == finding_id)
    room = max(0, _EVIDENCE_BOUND - connection.execute(held).scalar_one())
    rows = [
        {
            "finding_id": finding_id,
            "name": name,
            "digest": hashlib.sha256(data).digest(),
            "data": data,
        }
        for name, data in finding.evidence[:room]
    ]
    insert_new(connection, schema.evidence, rows)


def _standing(kind: str, subject: str) -> tuple[Any, ...]:
    return _TABLE.kind == kind, _TABLE.subject == subject, _TABLE.resolved.is_(None)

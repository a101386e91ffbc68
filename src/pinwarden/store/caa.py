"""CAA policies as they were seen: one row while nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from pinwarden.caa.history.observation import LastObserved, Observation, continued, is_continued
from pinwarden.caa.lookup import DNSSECState, Failure
from pinwarden.findings import Finding
from pinwarden.store import schema
from pinwarden.store.alerts import make_alerts
from pinwarden.store.findings import resolve_findings, save_findings
from pinwarden.store.upsert import chunks

_TABLE = schema.caa_observation.c
_MICROSECOND = timedelta(microseconds=1)


def record_observations(
    connection: Connection,
    observations: Iterable[Observation],
    findings: Collection[Finding],
    untold: Collection[Finding],
    passed: Collection[tuple[str, str]],
    at: datetime,
    channels: Collection[str],
) -> int:
    """Keep looks with what they amount to, and return how many findings are new."""
    for observation in observations:
        _record(connection, observation)
    # First, so that a finding made again after it passed is news. In the same words it is
    # none: another process, or another resolver, told of it a moment ago.
    again = {(each.id, each.subject, each.message) for each in (*findings, *untold)}
    standing = _standing(connection, passed)
    gone = [each[:2] for each in standing if each not in again]
    resolve_findings(connection, gone, at)
    save_findings(connection, untold, at, None)
    new = save_findings(connection, findings, at, None)
    return make_alerts(connection, findings=new, at=at, channels=channels) if new else 0


def _standing(
    connection: Connection, findings: Collection[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Those of many findings, few of which ever stand, that do, with their words."""
    table = schema.finding.c
    wanted = set(findings)
    kinds = {kind for kind, _ in wanted}
    found = []
    for subjects in chunks(sorted({subject for _, subject in wanted})):
        query = select(table.kind, table.subject, table.message).where(
            table.resolved.is_(None), table.kind.in_(kinds), table.subject.in_(subjects)
        )
        found += [
            (row.kind, row.subject, row.message)
            for row in connection.execute(query)
            if (row.kind, row.subject) in wanted
        ]
    return found


def _record(connection: Connection, look: Observation) -> None:
    newest = (
        select(schema.caa_observation)
        .where(_TABLE.name == look.name, _TABLE.resolver == look.resolver)
        .order_by(_TABLE.id.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    before = None if row is None else _observation(row)
    if row is None or before is None or not is_continued(before, look):
        connection.execute(insert(schema.caa_observation).values(_values(look)))
        return
    after = continued(before, look)
    connection.execute(
        update(schema.caa_observation).where(_TABLE.id == row.id).values(_values(after))
    )


def list_observations(
    connection: Connection, name: str, since: datetime | None, until: datetime | None
) -> tuple[Observation, ...]:
    """What was seen of a name, in the order it was."""
    query = select(schema.caa_observation).where(_TABLE.name == name)
    if since is not None:
        query = query.where(_TABLE.last_seen >= since)
    if until is not None:
        query = query.where(_TABLE.first_seen <= until)
    rows = connection.execute(query.order_by(_TABLE.first_seen, _TABLE.id))
    return tuple(_observation(row) for row in rows)


def last_observations(
    connection: Connection, names: Collection[str], since: datetime | None
) -> tuple[LastObserved, ...]:
    """The last policy of each name and resolver, and since when its lookups fail."""
    found = []
    for some in chunks(sorted(names)):
        policies = _last_policies(connection, some, since)
        failing = _failing_since(connection, some)
        for name, resolver in sorted(policies.keys() | failing.keys()):
            seen = policies.get((name, resolver), [])
            last = LastObserved(
                name=name,
                resolver=resolver,
                policy=seen[-1] if seen else None,
                failing_since=failing.get((name, resolver)),
                recent=tuple(seen) if since is not None else (),
            )
            found.append(last)
    return tuple(found)


def _last_policies(
    connection: Connection, names: Collection[str], since: datetime | None
) -> dict[tuple[str, str], list[Observation]]:
    """The last policy of each name and resolver, after those seen since a time."""
    newest = (
        select(func.max(_TABLE.id))
        .where(_TABLE.name.in_(names), _TABLE.failure.is_(None))
        .group_by(_TABLE.name, _TABLE.resolver)
    )
    wanted: list[ColumnElement[bool]] = [_TABLE.id.in_(newest)]
    if since is not None:
        mine = and_(_TABLE.name.in_(names), _TABLE.failure.is_(None))
        wanted.append(and_(mine, _TABLE.last_seen >= since))
    rows = connection.execute(
        select(schema.caa_observation).where(or_(*wanted)).order_by(_TABLE.id)
    )
    found: dict[tuple[str, str], list[Observation]] = {}
    for row in rows:
        found.setdefault((row.name, row.resolver), []).append(_observation(row))
    return found


def _failing_since(
    connection: Connection, names: Collection[str]
) -> dict[tuple[str, str], datetime]:
    good = (
        select(_TABLE.name, _TABLE.resolver, func.max(_TABLE.id).label("last"))
        .where(_TABLE.name.in_(names), _TABLE.failure.is_(None))
        .group_by(_TABLE.name, _TABLE.resolver)
        .subquery()
    )
    same = and_(good.c.name == _TABLE.name, good.c.resolver == _TABLE.resolver)
    query = (
        select(_TABLE.name, _TABLE.resolver, func.min(_TABLE.first_seen).label("since"))
        .select_from(schema.caa_observation.outerjoin(good, same))
        .where(
            _TABLE.name.in_(names),
            _TABLE.failure.is_not(None),
            _TABLE.id > func.coalesce(good.c.last, 0),
        )
        .group_by(_TABLE.name, _TABLE.resolver)
    )
    return {(row.name, row.resolver): row.since for row in connection.execute(query)}


def _values(observation: Observation) -> dict[str, Any]:
    return {
        "name": observation.name,
        "resolver": observation.resolver,
        "relevant_name": observation.relevant_name,
        "records": observation.records,
        "ttl": observation.ttl,
        "dnssec": observation.dnssec.value,
        "failure": None if observation.failure is None else observation.failure.value,
        "problem": observation.problem,
        "first_seen": observation.first_seen,
        "last_seen": observation.last_seen,
        "times": observation.count,
        "longest_gap": observation.longest_gap // _MICROSECOND,
    }


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        name=row.name,
        relevant_name=row.relevant_name,
        records=row.records,
        ttl=row.ttl,
        dnssec=DNSSECState(row.dnssec),
        failure=None if row.failure is None else Failure(row.failure),
        problem=row.problem,
        resolver=row.resolver,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        count=row.times,
        longest_gap=row.longest_gap * _MICROSECOND,
    )

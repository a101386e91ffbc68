"""What a monitor's store has of a host, compared with what the host serves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pinwarden.audit.report import Area, AuditReport
from pinwarden.lab.ca import Issued
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.store.contract import Step
from pinwarden.store.store import open_store
from pinwarden.watch.sighting import LogReference, Sighting, SightingKind
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import tbs_hash
from store.values import verified
from support.audit_world import HOST, audit_world, ids

_NOW = datetime.now(UTC)


def _sighting(issued: Issued, index: int, *, days: int = 0, **other: Any) -> Sighting:
    """An issuance as the monitor met it in the first log, so many days ago."""
    view = view_certificate(issued.certificate)
    log = audit_world().first.description()
    values: dict[str, Any] = {
        "key": tbs_hash(view.tbs),
        "kind": SightingKind.CERTIFICATE,
        "names": view.identifiers().dns,
        "matched": (".audit.example",),
        "issuer": view.issuer_text,
        "not_before": view.not_before,
        "not_after": view.not_after,
        "seen": LogReference(
            log_id=log.log_id,
            log=log.description,
            url=log.url,
            index=index,
            timestamp=_NOW - timedelta(days=days),
            entry_type="x509",
            leaf_hash=tbs_hash(view.tbs),
        ),
    }
    return Sighting(**values | other)


def _audit(
    folder: Path, served: Issued, seen: Sequence[Sighting], *, ahead: timedelta = timedelta(0)
) -> AuditReport:
    """`ahead` is how far past now the monitor has read."""
    world = audit_world()
    log_id = world.first.description().log_id
    position = verified(100, log_id, head_timestamp=_NOW + ahead, description="the first log")
    step = Step(position_before=None, position=position, sightings=tuple(seen), at=_NOW)

    async def audit(port: int) -> AuditReport:
        async with await open_store(f"sqlite:///{folder}/seen.db") as store:
            await store.commit(step)
            return await world.audit(port, None, store=store)

    with LabTLS(Credentials.of(served)) as server:
        return asyncio.run(audit(server.port))


def _history(report: AuditReport) -> tuple[list[str], list[str]]:
    passed = [each.message for each in report.passed if each.area is Area.HISTORY]
    left = [each.why for each in report.not_checked if each.area is Area.HISTORY]
    return passed, left


def test_a_certificate_that_was_seen_passes(tmp_path: Path) -> None:
    """Known by what was issued, whether as a precertificate or as a certificate."""
    served = audit_world().issue()
    report = _audit(tmp_path, served, [_sighting(served, 1)])
    passed, left = _history(report)
    assert ids(report) == []
    assert len(passed) == 2
    assert "first" in passed[0]
    assert left == []


def test_other_certificates_that_are_valid_are_told(tmp_path: Path) -> None:
    """Those that have ended, and those for other hosts, are not."""
    world = audit_world()
    served = world.issue()
    seen = [
        _sighting(served, 1),
        _sighting(world.issue(["*.audit.example"]), 2),
        _sighting(world.issue(not_before=_NOW - timedelta(days=200)), 3),
        _sighting(world.issue(["shop.audit.example"]), 4),
    ]
    report = _audit(tmp_path, served, seen)
    assert ids(report) == ["PW-AUDIT-OTHERS-VALID"]
    assert report.found[0].message.startswith("another certificate for the host is valid now: by ")


def test_one_that_the_log_lacks_is_told_if_the_monitor_was_looking(tmp_path: Path) -> None:
    """It met an older one for the host in that log, and has read past the merge delay."""
    world = audit_world()
    older = _sighting(world.issue(not_before=_NOW - timedelta(days=100)), 1, days=100)
    report = _audit(tmp_path, world.issue(), [older], ahead=timedelta(days=2))
    assert ids(report) == ["PW-AUDIT-NOT-IN-CT"]


def test_one_that_the_log_may_still_lack_is_not_told(tmp_path: Path) -> None:
    """The monitor has read up to now, and the log has time left."""
    world = audit_world()
    older = _sighting(world.issue(not_before=_NOW - timedelta(days=100)), 1, days=100)
    report = _audit(tmp_path, world.issue(), [older])
    assert ids(report) == []
    assert len(_history(report)[1]) == 1


def test_one_from_before_the_watch_is_not_told(tmp_path: Path) -> None:
    """The only other one was logged after it."""
    world = audit_world()
    later = _sighting(world.issue(not_before=_NOW - timedelta(days=100)), 1, days=-1)
    report = _audit(tmp_path, world.issue(), [later], ahead=timedelta(days=2))
    assert ids(report) == []


def test_a_host_that_is_not_watched_is_said_to_be_none(tmp_path: Path) -> None:
    """Nothing that was seen is about it."""
    world = audit_world()
    report = _audit(tmp_path, world.issue(), [_sighting(world.issue(["shop.audit.example"]), 1)])
    assert ids(report) == []
    passed, left = _history(report)
    assert passed == []
    assert "watched" in left[0]
    assert report.host == HOST

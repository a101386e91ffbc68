"""Alerts to render and deliver, made of plain values."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pinwarden import findings
from pinwarden.findings import Finding
from pinwarden.watch.sighting import Alert, LogReference, Sighting, SightingKind

SEEN = datetime(2026, 11, 1, 0, 2, 3, tzinfo=UTC)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()


def reference(index: int = 123456789, *, log: str = "Example 'Oak' log") -> LogReference:
    return LogReference(
        log_id=digest(log),
        log=log,
        url="https://oak.example/2026h2/",
        index=index,
        timestamp=SEEN,
        entry_type="precert",
        leaf_hash=digest(f"leaf {log} {index}"),
        verified=True,
    )


def sighting(name: str = "example.com", **changes: object) -> Sighting:
    made = Sighting(
        key=digest(name),
        kind=SightingKind.CERTIFICATE,
        tbs_sha256=digest(name),
        names=(name, f"www.{name}"),
        matched=(name,),
        issuer="CN=R11,O=Example CA,C=US",
        subject=f"CN={name}",
        serial="0a1b2c",
        not_before=SEEN,
        not_after=SEEN + timedelta(days=90),
        spki_sha256=digest("key " + name),
        key_description="ECDSA P-256",
        der=b"\x30\x03\x02\x01\x05",
        seen=reference(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def issuance(name: str = "example.com", number: int = 7, **changes: object) -> Alert:
    made = sighting(name, **changes)
    return Alert(
        id=number,
        key=f"issuance:{made.key.hex()}",
        created=SEEN + timedelta(seconds=9),
        sighting=made,
        references=(made.seen,),
    )


def unreadable(number: int = 8) -> Alert:
    return issuance(
        "example.org",
        number,
        kind=SightingKind.UNREADABLE,
        tbs_sha256=None,
        names=(),
        problems=("subject alternative name: length runs past the end",),
    )


def log_fork(number: int = 9) -> Alert:
    finding = Finding(
        kind=findings.LOG_FORK,
        subject="Example 'Oak' log",
        message="two heads of size 1000 have different roots",
        details=(("size", "1000"),),
        evidence=(("first head", b"{}"), ("second head", b"{ }")),
    )
    return Alert(
        id=number,
        key=f"finding:{finding.id}:{finding.subject}",
        created=SEEN,
        finding=finding,
    )

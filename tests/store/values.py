"""Values to store, each with a sensible default for what a test does not care about."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwarden.findings import LOG_FORK, Finding
from pinwarden.store.contract import Committed, LogPosition, PendingHead, Step, Store
from pinwarden.watch.sighting import LogReference, Sighting, SightingKind

NOW = datetime(2026, 11, 24, 5, 37, 0, 123456, tzinfo=UTC)
ARGON = hashlib.sha256(b"argon").digest()
TUSCOLO = hashlib.sha256(b"tuscolo").digest()
CHANNELS = ("mail", "hook")


def later(**much: float) -> datetime:
    """A time after NOW."""
    return NOW + timedelta(**much)


def position(size: int, log_id: bytes = ARGON, **other: Any) -> LogPosition:
    """The position after `size` entries of a log read from its beginning."""
    values: dict[str, Any] = {
        "log_id": log_id,
        "description": f"log {log_id.hex()[:4]}",
        "url": f"https://{log_id.hex()[:4]}.example/",
        "start_index": 0,
        "size": size,
        "frontier": b"frontier" + size.to_bytes(8, "big"),
        "updated": NOW,
    }
    return LogPosition(**(values | other))


def verified(size: int, log_id: bytes = ARGON, **other: Any) -> LogPosition:
    """A position all of which is covered by a verified head."""
    frontier = position(size).frontier
    values: dict[str, Any] = {
        "verified_size": size,
        "verified_root": hashlib.sha256(frontier).digest(),
        "verified_frontier": frontier,
        "head": b'{"tree_size": %d}' % size,
        "head_timestamp": NOW,
    }
    return position(size, log_id, **(values | other))


def key(name: str) -> bytes:
    """An issuance key."""
    return hashlib.sha256(name.encode()).digest()


def sighting(name: str, index: int, log_id: bytes = ARGON, **other: Any) -> Sighting:
    """The issuance called `name`, seen as a precertificate."""
    values: dict[str, Any] = {
        "key": key(name),
        "kind": SightingKind.CERTIFICATE,
        "tbs_sha256": key(name),
        "names": ("shop.example.com", "example.com"),
        "matched": ("example.com",),
        "issuer": "CN=R11,O=Let's Encrypt,C=US",
        "subject": "CN=shop.example.com",
        "serial": "03:a1",
        "not_before": NOW,
        "not_after": later(days=90),
        "spki_sha256": key(name + " key"),
        "key_description": "ECDSA P-256",
        "reasons": ("nothing is expected",),
        "der": b"precertificate " + name.encode(),
        "seen": reference(name, index, log_id, "precert"),
    }
    return Sighting(**(values | other))


def certificate(name: str, index: int, log_id: bytes = ARGON, **other: Any) -> Sighting:
    """The issuance called `name`, seen as a certificate."""
    values: dict[str, Any] = {
        "fingerprint": key(name + " certificate"),
        "der": b"certificate " + name.encode(),
        "seen": reference(name, index, log_id, "x509"),
    }
    return replace(sighting(name, index, log_id), **(values | other))


def reference(name: str, index: int, log_id: bytes, entry_type: str) -> LogReference:
    """Where an entry stands."""
    return LogReference(
        log_id=log_id,
        log=position(0, log_id).description,
        url=position(0, log_id).url,
        index=index,
        timestamp=NOW,
        entry_type=entry_type,
        leaf_hash=key(f"leaf {entry_type} {name}"),
    )


def head(size: int, log_id: bytes = ARGON, **other: Any) -> PendingHead:
    """A signed head seen."""
    values: dict[str, Any] = {
        "log_id": log_id,
        "size": size,
        "root": hashlib.sha256(b"root %d" % size).digest(),
        "timestamp": NOW,
        "source": "sth",
        "raw": b'{"tree_size": %d}' % size,
        "seen": NOW,
    }
    return PendingHead(**(values | other))


def finding(subject: str = "log argon", message: str = "two heads", **other: Any) -> Finding:
    """A finding about a log."""
    return Finding(kind=LOG_FORK, subject=subject, message=message, **other)


async def move(store: Store, size: int, *seen: Sighting, **other: Any) -> Committed:
    """Commit the step of one log from where it is to `size`."""
    log_id = seen[0].seen.log_id if seen else other.pop("log_id", ARGON)
    values: dict[str, Any] = {
        "position_before": await store.load_position(log_id),
        "position": position(size, log_id),
        "sightings": seen,
        "channels": CHANNELS,
        "at": NOW,
    }
    return await store.commit(Step(**(values | other)))

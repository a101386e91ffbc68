"""Alerts and findings for programs: the JSON shapes of `docs/alerts.md`.

Text stays as it was read (JSON carries any string), but every list and string
is bounded, because whoever asks a CA for a certificate chooses their size;
`names_total` and `truncated` say when something was left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence

from pinwarden.findings import Finding, where_of
from pinwarden.render.account import (
    alert_finding_kind,
    alert_references,
    alert_severity,
    certificate_link,
    describe_alert,
)
from pinwarden.render.advice import next_step
from pinwarden.render.json_values import LONGEST_TEXT, MOST_ITEMS, cut, cut_all, moment_or_none
from pinwarden.watch.sighting import Alert, LogReference, Sighting

ALERT_VERSION = 1
_LARGEST_BYTES = 16 * 1024


def delivery_key(alert: Alert) -> str:
    """The key by which a receiver knows an alert it already had.

    An issuance alerts once ever. A finding that was resolved and came back is a
    new alert under the old key, so the moment it was made tells them apart.
    """
    if alert.finding is None:
        return alert.key
    return f"{alert.key}@{moment_or_none(alert.created)}"


def alert_json(alert: Alert) -> dict[str, object]:
    """One alert as the documented, versioned object."""
    kind = alert_finding_kind(alert)
    found: dict[str, object] = {
        "id": kind.id,
        "severity": str(alert_severity(alert)),
        "title": kind.title,
    }
    if alert.finding is not None:
        found |= finding_json(alert.finding)
    sighting = alert.sighting
    return {
        "type": "alert",
        "version": ALERT_VERSION,
        "key": delivery_key(alert),
        "alert": alert.id,
        "created": moment_or_none(alert.created),
        "again": alert.again,
        "summary": describe_alert(alert).title,
        "finding": found,
        "sighting": None if sighting is None else sighting_json(sighting, alert_references(alert)),
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """One finding as an object; evidence too large to carry is given by its hash."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "title": finding.kind.title,
        "subject": cut(finding.subject),
        "message": cut(finding.message),
        "details": [
            {"name": cut(name), "value": cut(value)} for name, value in finding.details[:MOST_ITEMS]
        ],
        "evidence": [{"name": cut(name), **_blob(data)} for name, data in finding.evidence],
    }


def listed_finding_json(finding: Finding) -> dict[str, object]:
    """One finding as commands list it: what it is, where, and what to do about it."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "message": cut(finding.message),
        "where": cut(where_of(finding)),
        "advice": next_step(finding.kind),
    }


def sighting_json(
    sighting: Sighting, references: Sequence[LogReference] | None = None
) -> dict[str, object]:
    """One issuance as an object, with every place it was seen."""
    places = (sighting.seen,) if references is None else references
    return {
        "kind": str(sighting.kind),
        "key": sighting.key.hex(),
        "tbs_sha256": _hex(sighting.tbs_sha256),
        "names": cut_all(sighting.names),
        "names_total": len(sighting.names),
        "matched": cut_all(sighting.matched),
        "issuer": cut(sighting.issuer),
        "subject": cut(sighting.subject),
        "serial": cut(sighting.serial),
        "not_before": moment_or_none(sighting.not_before),
        "not_after": moment_or_none(sighting.not_after),
        "spki_sha256": _base64(sighting.spki_sha256),
        "public_key": cut(sighting.key_description),
        "certificate_sha256": _hex(sighting.fingerprint),
        "link": certificate_link(sighting),
        "verdict": str(sighting.verdict),
        "reasons": cut_all(sighting.reasons),
        "problems": cut_all(sighting.problems),
        "logs": [_reference(place) for place in places[:MOST_ITEMS]],
        "der": _blob(sighting.der) if sighting.der else None,
        "truncated": _is_cut(sighting) or len(places) > MOST_ITEMS,
    }


def render_json_line(document: Mapping[str, object]) -> str:
    """One object on one line of printable ASCII, whatever text is in it.

    A terminal or log viewer that shows the line raw meets no control character
    and no bidirectional override.
    """
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def _reference(reference: LogReference) -> dict[str, object]:
    return {
        "log_id": _base64(reference.log_id),
        "log": cut(reference.log),
        "url": cut(reference.url),
        "index": reference.index,
        "timestamp": moment_or_none(reference.timestamp),
        "entry_type": cut(reference.entry_type),
        "leaf_hash": reference.leaf_hash.hex(),
        "verified": reference.verified,
    }


def _blob(data: bytes) -> dict[str, object]:
    return {
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "base64": _base64(data) if len(data) <= _LARGEST_BYTES else None,
    }


def _is_cut(sighting: Sighting) -> bool:
    lists = (sighting.names, sighting.matched, sighting.reasons, sighting.problems)
    if any(len(texts) > MOST_ITEMS for texts in lists):
        return True
    single = (sighting.issuer, sighting.subject, sighting.serial, sighting.key_description)
    return any(len(text) > LONGEST_TEXT for texts in (*lists, single) for text in texts)


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")

"""Log lists of lab logs, in the version 3 schema that browsers publish."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime

from pinwarden.ct.log import LogKind, LogState
from pinwarden.lab.log import LabLog


def log_list_json(
    logs: Iterable[LabLog], *, at: datetime | None = None, version: str = "1.0"
) -> bytes:
    """A log list that names every face of the logs, by operator."""
    stamp = _time(at or datetime.now(UTC))
    operators: dict[str, dict[str, object]] = {}
    for log in logs:
        operator = operators.setdefault(
            log.operator,
            {"name": log.operator, "email": ["lab@lab.invalid"], "logs": [], "tiled_logs": []},
        )
        for face in log.faces:
            listed = operator["tiled_logs" if face.kind is LogKind.STATIC else "logs"]
            assert isinstance(listed, list)
            listed.append(_describe(log, face.kind, stamp))
    top = {
        "version": version,
        "log_list_timestamp": stamp,
        "is_all_logs": False,
        "operators": list(operators.values()),
    }
    return json.dumps(top, indent=2).encode() + b"\n"


def _describe(log: LabLog, kind: LogKind, stamp: str) -> dict[str, object]:
    described = log.description(kind)
    listed: dict[str, object] = {
        "description": described.description,
        "log_id": b64encode(described.log_id).decode(),
        "key": b64encode(described.key).decode(),
        "mmd": int(described.mmd.total_seconds()),
    }
    if kind is LogKind.STATIC:
        listed |= {"submission_url": described.submission_url, "monitoring_url": described.url}
    else:
        listed["url"] = described.url
    if described.state is not LogState.UNKNOWN:
        state: dict[str, object] = {"timestamp": stamp}
        if described.state is LogState.READONLY:
            head = log.published
            state["final_tree_head"] = {
                "sha256_root_hash": b64encode(head.root).decode(),
                "tree_size": head.size,
            }
        listed["state"] = {described.state.value: state}
    if described.interval is not None:
        start, end = described.interval
        listed["temporal_interval"] = {"start_inclusive": _time(start), "end_exclusive": _time(end)}
    return listed


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Evidence bundles changed: by accident, and by a forger who takes care."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pinwarden.ct.evidence import Evidence, EvidenceSCT


def flipped(data: bytes, place: int) -> bytes:
    """The octets with one bit the other way."""
    at, bit = divmod(place % (len(data) * 8), 8)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def with_outcome(evidence: Evidence, change: Callable[[EvidenceSCT], EvidenceSCT]) -> Evidence:
    """The bundle with its first SCT changed."""
    first, *others = evidence.scts
    return replace(evidence, scts=(change(first), *others))


def sealed(value: dict[str, Any]) -> bytes:
    """A bundle of whatever is said, with the hash that belongs to it."""
    value.pop("sha256", None)
    text = json.dumps(value, indent=1) + "\n"
    value["sha256"] = sha256(text.encode()).hexdigest()
    return (json.dumps(value, indent=1) + "\n").encode()

"""Times as documents for programs have them: RFC 3339 section 5.6, in whole seconds of UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["to_moment"]


def to_moment(moment: datetime) -> str:
    """An aware time, such as `2026-11-24T08:00:00Z`; what is less than a second is cut off."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Times as the services write them."""

from __future__ import annotations

from datetime import UTC, datetime

from pinwarden.errors import MalformedError, quoted

__all__ = ["read_moment"]

# Whoever counts days from it must not leave the calendar; 9999-12-31 is an end "never".
_FIRST_YEAR, _LAST_YEAR = 1900, 9999


def read_moment(text: str) -> datetime:
    """A time in ISO 8601, UTC where it has no zone; raises `MalformedError`."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValueError
    except (ValueError, OverflowError):
        raise MalformedError(f"{quoted(text, 80)} is no time") from None
    return moment

"""Last days, for programs that name the first day on which pins hold no longer."""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["day_after"]


def day_after(day: date) -> date:
    """The next day; the last day of the calendar has none, and stays."""
    return day if day == date.max else day + timedelta(days=1)

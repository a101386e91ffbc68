"""Time on a line: moments in order, ticks with room between, for any span there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.rendering.scale import scale_of

_START = datetime(2026, 10, 2, 9, 30, tzinfo=UTC)
_MOMENTS = st.datetimes(timezones=st.just(UTC))


def test_ends_have_room_and_beyond_is_the_end() -> None:
    """First and last stand a little inside, and a moment outside at the edge."""
    scale = scale_of([_START, _START + timedelta(days=100)], 0, 108)
    assert scale.x(_START) == pytest.approx(4)
    assert scale.x(_START + timedelta(days=100)) == pytest.approx(104)
    assert scale.x(_START - timedelta(days=5000)) == 0
    assert scale.x(_START + timedelta(days=5000)) == 108


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (6, "2026-10-03"),
        (45, "2026-10-07"),
        (90, "2026-10-12"),
        (398, "2026-11"),
        (3650, "2028"),
        (36500, "2040"),
    ],
)
def test_ticks_suit_the_span(days: int, first: str) -> None:
    """Days for short-lived certificates, months, then years."""
    ticks = scale_of([_START, _START + timedelta(days=days)], 0, 600).ticks()
    assert ticks[0].text == first
    assert 2 <= len(ticks) <= 10


@given(st.lists(_MOMENTS, min_size=1, max_size=4), st.floats(100, 1000))
def test_any_span_can_be_drawn(moments: list[datetime], width: float) -> None:
    """From one moment to ten thousand years: inside, in order, and not too many."""
    scale = scale_of(moments, 0, width)
    assert all(0 <= scale.x(each) <= width for each in moments)
    ticks = scale.ticks()
    assert len(ticks) <= width / 40 + 2
    assert all(one.x < other.x for one, other in pairwise(ticks))

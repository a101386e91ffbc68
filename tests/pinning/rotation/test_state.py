"""The table `[policy.rotation]`: what is written is read back, and nothing else is read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.rotation.state import NewWas, Rotation, Stage, parse_rotation

OLD, NEW = Pin.of_spki(b"old"), Pin.of_spki(b"new")
_DAYS = st.dates(date(1900, 1, 1), date(9900, 12, 31))


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    stage = draw(st.sampled_from(list(Stage)))
    done = list(Stage)[: list(Stage).index(stage) + 1]
    return Rotation(
        stage=stage,
        old=draw(st.sampled_from([(OLD,), (OLD, Pin.of_spki(b"another"))])),
        new=NEW,
        client_lag=draw(st.integers(0, 3650)),
        new_was=draw(st.sampled_from(list(NewWas))),
        **{each.value: draw(_DAYS) for each in done},
    )


@given(rotations())
def test_what_is_written_is_read_back(rotation: Rotation) -> None:
    """As TOML has it, with dates; and as JSON has it, with texts."""
    table = rotation.table()
    assert parse_rotation(table) == rotation
    texts = {k: str(v) if isinstance(v, date) else v for k, v in table.items()}
    assert parse_rotation(texts) == rotation


GOOD: dict[str, Any] = {
    "stage": "published",
    "old": [str(OLD)],
    "new": str(NEW),
    "client_lag_days": 30,
    "new_was": "backup",
    "prepared": date(2026, 1, 1),
    "published": date(2026, 1, 2),
}


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"stage": "done"},
        {"stage": 3},
        {"stage": "switching"},
        {"stage": "prepared"},
        {"client_lag_days": True},
        {"client_lag_days": -1},
        {"client_lag_days": 3651},
        {"client_lag_days": "30"},
        {"new_was": True},
        {"new_was": "nothing"},
        {"old": "x"},
        {"old": str(OLD)},
        {"old": []},
        {"old": [str(OLD), str(OLD)]},
        {"old": ["x"]},
        {"old": 7},
        {"prepared": "yesterday"},
        {"prepared": 7},
        {"prepared": date(9999, 1, 1)},
        {"prepared": None},
    ],
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as raised:
        parse_rotation(GOOD | change)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("missing", GOOD)
def test_nothing_may_be_missing(missing: str) -> None:
    with pytest.raises(MalformedError):
        parse_rotation({key: value for key, value in GOOD.items() if key != missing})


def test_a_whole_day_more_is_waited() -> None:
    """A set that was published late on its day is `lag` days old only the day after."""
    rotation = parse_rotation(GOOD)
    assert rotation.switch_from == date(2026, 1, 2) + timedelta(days=31)


@given(
    st.dictionaries(st.sampled_from([*GOOD, "x"]), st.one_of(st.none(), st.integers(), st.text()))
)
def test_any_table_is_read_or_refused(table: dict[str, Any]) -> None:
    try:
        parse_rotation({**GOOD, **table})
    except MalformedError:
        return

"""SCTs and what browsers say of them, in the JSON that every command has of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pinwarden.ct.log import LogKind
from pinwarden.ct.policy import BrowserPolicy, Forecast, evaluate_policy
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCTSource
from pinwarden.render.ct import forecast_json, operator_of, policy_json, sct_json
from support.policy_world import DAY, NOW, SHORT, SIGNED, made_log, made_sct, scts_of

_NOTHING = ("log_id", "log", "operator", "timestamp", "leaf_index")


def test_sct_is_told_to_the_millisecond_and_with_its_index() -> None:
    """As its log signed it."""
    log = made_log("A", kind=LogKind.STATIC)
    told = sct_json(made_sct(log, SIGNED + timedelta(milliseconds=7), leaf_index=4711))
    assert told["leaf_index"] == 4711
    assert str(told["timestamp"]).endswith(".007Z")
    assert (told["log"], told["status"], told["flaws"]) == ("A", "valid", [])


@pytest.mark.parametrize(
    ("until", "operator"), [(SIGNED, "New"), (SIGNED + DAY, "Old")], ids=["before", "after"]
)
def test_operator_is_the_one_who_signed(until: datetime, operator: str) -> None:
    """A log that was sold later was another's promise."""
    log = made_log("A", "New", previous=(("Old", until),))
    sct = made_sct(log, SIGNED)
    assert operator_of(sct) == sct_json(sct)["operator"] == operator


def test_what_cannot_be_read_is_null() -> None:
    """And never made up."""
    lost = JudgedSCT(source=SCTSource.TLS, raw=b"", sct=None, status=SCTStatus.INVALID)
    assert {sct_json(lost)[each] for each in _NOTHING} == {None}


def test_long_texts_are_cut() -> None:
    """The names of logs and operators come from a list that anybody may have written."""
    told = sct_json(made_sct(made_log("A" * 5000, "O" * 5000), SIGNED))
    assert len(str(told["log"])) == len(str(told["operator"])) == 1000
    forecast = Forecast(policy=BrowserPolicy.APPLE, at=NOW, compliant=None, because="b" * 5000)
    assert len(str(forecast_json(forecast)["because"])) == 1000


def test_policy_has_its_rules_and_notes() -> None:
    """What was decided by what, and what there is to know besides."""
    result = evaluate_policy(BrowserPolicy.CHROME, SHORT, scts_of("A", "B"), NOW)
    told = policy_json(replace(result, notes=("a note",)))
    assert (told["policy"], told["compliant"], told["notes"]) == ("chrome", True, ["a note"])
    assert told["rules"] == [
        {"rule": each.rule, "passed": True, "reason": each.reason, "source": each.source}
        for each in result.rules
    ]

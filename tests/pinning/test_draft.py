"""Drafts: everything that is wrong with a set, none of it in the way of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning import PinSet, PinSetError
from pinwarden.pinning.draft import Draft, draft_of, read_draft
from pinwarden.pinning.pin import BadPin, Pin
from pinwarden.pinning.policy import PinRole
from support.pin_world import pin_set

PIN, OTHER = (str(Pin.of_spki(text)) for text in (b"one", b"other"))
GOOD: dict[str, Any] = {
    "host": "api.example",
    "mode": "enforce",
    "ca_pins": [PIN],
    "backup_pins": [OTHER],
}


def _draft(*policies: dict[str, Any], **around: Any) -> Draft:
    return read_draft(json.dumps({"policy": list(policies), **around}), json=True)


def test_a_set_in_order_is_drafted_as_it_is() -> None:
    draft = _draft(GOOD)
    assert draft == draft_of(PinSet.parse(json.dumps({"policy": [GOOD]}), json=True))
    assert draft.problems == draft.policies[0].problems == ()


@pytest.mark.parametrize("name", ["good", "forbidden", "report-only", "expired-open"])
def test_both_ways_to_a_draft_agree(name: str) -> None:
    """Through the document or from the set, a draft says the same."""
    pins = pin_set(name)
    drafted = draft_of(pins)
    read = read_draft(pins.to_toml())
    assert [each.policy for each in read.policies] == [each.policy for each in drafted.policies]
    assert [each.host for each in read.policies] == [each.host for each in drafted.policies]


def test_every_bad_pin_is_named_and_the_good_ones_stay() -> None:
    bad = ["sha1/abc", "A" * 43 + "=", ":".join(["AA"] * 32), "nothing", 7, {"pin": "x"}]
    policy = _draft({**GOOD, "ca_pins": [PIN, *bad]}).policies[0]
    assert [key.why for key in policy.keys] == [
        None,
        BadPin.WEAK_HASH,
        BadPin.PLACEHOLDER,
        BadPin.CERTIFICATE_HASH,
        BadPin.MALFORMED,
        BadPin.MALFORMED,
        BadPin.MALFORMED,
        None,
    ]
    assert policy.policy is None
    assert policy.problems == ()
    assert len(policy.pins()) == 2
    assert len(policy.pins(PinRole.CA)) == 1


def test_every_key_that_is_wrong_is_named() -> None:
    """Not only the first, at which the strict reader stops."""
    wrong = {**GOOD, "host": "*.example", "mode": "on", "owner": 3, "colour": 1, "size": 2}
    problems = " / ".join(_draft(wrong).policies[0].problems)
    for word in ("'*'", "mode is not", "owner is not", "'colour'", "'size'"):
        assert word in problems
    around = _draft(GOOD, colour=1, unpinned_hosts="perhaps").problems
    assert len(around) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires": "2027-01-01"}, "does not say what happens then"),
        ({"forbidden_pins": [PIN]}, "is pinned and forbidden"),
        ({"backup_pins": [PIN]}, "is in use"),
        ({"exclude": ["x.api.example"]}, "does not cover"),
        ({"host": "192.0.2.1", "include_subdomains": True}, "has no subdomains"),
        ({"ca_pins": []}, "pins nothing"),
        ({"include_subdomains": 3}, "is not true or false"),
        ({"rotation": 3}, "rotation"),
    ],
)
def test_contradictions_are_problems(change: dict[str, Any], words: str) -> None:
    policy = _draft({**GOOD, **change}).policies[0]
    if words == "rotation":
        assert policy.rotation is None
        return
    assert any(words in each for each in policy.problems), policy.problems
    assert policy.policy is None


@pytest.mark.parametrize("missing", ["host", "mode"])
def test_what_is_missing_is_a_problem(missing: str) -> None:
    assert _draft({k: v for k, v in GOOD.items() if k != missing}).policies[0].problems


def test_a_set_without_a_backup_is_judged_all_the_same() -> None:
    """Clients refuse it; what its pins would do is worth knowing nevertheless."""
    policy = _draft({**GOOD, "backup_pins": []}).policies[0]
    assert policy.policy is not None
    assert policy.problems == ()


@pytest.mark.parametrize("text", ["", "[", "policy = 3", "[policy]\nhost='x'", "policy = []"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(PinSetError, match="pin set: "):
        read_draft(text)


_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from([PIN, OTHER, "enforce", "report-only", "open", "a.example", "2027-01-01"]),
)
_ENTRY = st.one_of(_VALUE, st.dictionaries(st.sampled_from(["pin", "kind", "x"]), _VALUE))
_KEYS = ["host", "mode", "ca_pins", "leaf_pins", "backup_pins", "forbidden_pins", "expires"]
_KEYS += ["on_expiry", "exclude", "include_subdomains", "rotation", "report_uri", "x"]
_POLICY = st.dictionaries(st.sampled_from(_KEYS), st.one_of(_ENTRY, st.lists(_ENTRY, max_size=3)))


@given(st.lists(st.one_of(_POLICY, _VALUE), min_size=1, max_size=3), st.booleans())
def test_a_draft_knows_whether_clients_take_the_set(policies: list[Any], complete: bool) -> None:
    """Whatever the document holds: no complaint if and only if it loads (or wants a backup)."""
    if complete:
        policies = [{**GOOD, **each} if isinstance(each, dict) else each for each in policies]
    text = json.dumps({"policy": policies})
    draft = read_draft(text, json=True)
    complaints = any(
        each.problems or any(key.why for key in each.keys) or each.policy is None
        for each in draft.policies
    )
    unbacked = any(each.policy and not each.pins(PinRole.BACKUP) for each in draft.policies)
    hosts = [each.host for each in draft.policies]
    try:
        pins = PinSet.parse(text, json=True)
    except PinSetError:
        assert complaints or unbacked or len(set(hosts)) < len(hosts)
    else:
        assert not complaints
        assert tuple(each.policy for each in draft.policies) == pins.policies
